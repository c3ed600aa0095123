"""The matrix products of a student's static graphs: what an engine that compiles has to compute and to read."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Product:
    """A matrix product: rows × [width, columns].

    Args:
        rows, width, columns: its shape.
        has_weights: or it is between states, or reads weights that another product has read.
        is_summed: what it gives is summed before a norm.
    """

    rows: int
    width: int
    columns: int
    has_weights: bool = True
    is_summed: bool = False


@dataclass(frozen=True)
class GraphProducts:
    """The graphs of a model with an encoder and a decoder, always full; the projection to the vocabulary is not in it.

    Attributes:
        encoder: products of an encoder call, which ends with the cross keys and values of every decoder layer.
        step: products of a decoder call.
        kept: numbers that a step is given of the steps before it.
        cross: numbers of the cross keys and values.
    """

    encoder: list[Product]
    step: list[Product]
    kept: int
    cross: int


def encoder_products(length: int, width: int, layers: int, inner: int, decoder_layers: int) -> list[Product]:
    """A Transformer encoder over `length` tokens, and the keys and values of the decoder's layers."""
    layer = [Product(length, width, width)] * 3 + attention_products(length, length, width)
    layer += feed_forward_products(length, width, inner)
    return layer * layers + [Product(length, width, width)] * 2 * decoder_layers


def attention_products(queries: int, keys: int, width: int) -> list[Product]:
    """Scores and what they read, over all heads, and the output product."""
    scores = Product(queries, width, keys, has_weights=False)
    read = Product(queries, keys, width, has_weights=False)
    return [scores, read, Product(queries, width, width, is_summed=True)]


def feed_forward_products(rows: int, width: int, inner: int) -> list[Product]:
    """The two products of a feed-forward block."""
    return [Product(rows, width, inner), Product(rows, inner, width, is_summed=True)]

"""How long a sentence takes on an NPU at the least, and how much memory a model takes: counted, not measured.

The roofline model (Williams, Waterman, Patterson 2009, https://doi.org/10.1145/1498765.1498785): a call lasts at least
as long as its multiply-adds take at the chip's published rate, and as its bytes take at its memory's. What every call
costs besides (starting it, converting its inputs) is in no data sheet: the report says how much of that there may be.
"""

from dataclasses import dataclass
from typing import TypedDict

from transformers import PreTrainedConfig

from marian_distill.students.kind import kind_of
from marian_distill.students.products import Product

TARGET_MILLISECONDS = 30.0
TARGET_MEGABYTES = 100.0
SOURCE_TOKENS, TARGET_TOKENS = 16, 12


@dataclass(frozen=True)
class Chip:
    """A chip's published limits.

    Args:
        int8_tera_operations: of its NPU; a multiply-add is two. In fp16 half as many, as the toolkit counts too.
        gigabytes_per_second: what its memory gives.
        least_rows: an NPU works on blocks of so many rows; fewer take as long.
    """

    int8_tera_operations: float
    gigabytes_per_second: float
    least_rows: int


# 3 TOPS is the maker's figure. The memory's is what the one published language model on this chip reads: 411 MB at
# 20.9 tokens a second (Qwen2-0.5B, w4a16). The rows are those by which rknn-toolkit2 2.5.0 counts its cycles.
CHIPS = {"rv1126b": Chip(int8_tera_operations=3.0, gigabytes_per_second=8.6, least_rows=16)}

DTYPES = ("fp16", "w8a8", "w4a16", "hybrid")
WEIGHT_BYTES = {"fp16": 2.0, "w8a8": 1.0, "w4a16": 0.5}
STATE_BYTES = {"fp16": 2, "w8a8": 1, "w4a16": 2}


class CallCost(TypedDict):
    """A graph's cost for one call."""

    multiply_adds: float
    bytes: float
    milliseconds: float


class Estimate(TypedDict):
    """A model on a chip, for a sentence of `SOURCE_TOKENS` and `TARGET_TOKENS`, `</s>` not counted."""

    dtype: str
    cached: bool
    encoder: CallCost
    step: CallCost
    steps: int
    sentence_milliseconds: float
    graph_megabytes: float
    host_megabytes: float
    megabytes: float
    left_for_a_call_milliseconds: float
    meets_target: bool


def estimate(
    config: PreTrainedConfig,
    dtype: str,
    cached: bool,
    source_length: int = 64,
    target_length: int = 64,
    target: str = "rv1126b",
) -> Estimate:
    """Count a model's calls on a chip.

    Args:
        config: of a student of a kind that has static graphs.
        dtype: one of `DTYPES`; `hybrid` is fp16 with the projection in w8a8.
        cached: whether the decoder has key and value caches; that of a liquid one keeps its state either way.
        source_length, target_length: of the graphs, which are always full.
        target: one of `CHIPS`.
    """
    products = kind_of(config.model_type).graph_products(config, source_length, target_length, cached=cached)
    chip, width, vocabulary = CHIPS[target], config.hidden_size, config.vocab_size
    body = "fp16" if dtype == "hybrid" else dtype
    head = "w8a8" if dtype == "hybrid" else dtype
    projection = [Product(1, width, vocabulary)]

    encoder_cost = cost(products.encoder, body, chip, source_length * width + products.cross)
    step_cost = add(
        cost(products.step, body, chip, products.cross + products.kept),
        cost(projection, head, chip, width + vocabulary),
    )
    weights = weight_bytes(products.encoder + products.step, body) + weight_bytes(projection, head)
    table = 2 * width * (vocabulary + max(source_length, target_length))
    steps = TARGET_TOKENS + 1
    calls = 1 + steps * (2 if dtype == "hybrid" else 1)
    milliseconds = encoder_cost["milliseconds"] + steps * step_cost["milliseconds"]
    megabytes = (weights + table) / 1e6
    return {
        "dtype": dtype,
        "cached": cached,
        "encoder": encoder_cost,
        "step": step_cost,
        "steps": steps,
        "sentence_milliseconds": milliseconds,
        "graph_megabytes": weights / 1e6,
        "host_megabytes": table / 1e6,
        "megabytes": megabytes,
        "left_for_a_call_milliseconds": (TARGET_MILLISECONDS - milliseconds) / calls,
        "meets_target": milliseconds < TARGET_MILLISECONDS and megabytes < TARGET_MEGABYTES,
    }


def dtype_of(product: Product, dtype: str) -> str:
    """What a product is computed in, in a graph of a type: w8a8 keeps sums in fp16 (see `rknn_converter.py`)."""
    return "fp16" if product.is_summed and dtype == "w8a8" else dtype


def weight_bytes(products: list[Product], dtype: str) -> float:
    """Bytes of the weights of products."""
    weighted = [each for each in products if each.has_weights]
    return sum(WEIGHT_BYTES[dtype_of(each, dtype)] * each.width * each.columns for each in weighted)


def cost(products: list[Product], dtype: str, chip: Chip, state_elements: int) -> CallCost:
    """A call that reads its weights and `state_elements` of inputs and outputs once; what is between stays inside."""
    int8_rate = chip.int8_tera_operations * 1e12 / 2  # multiply-adds a second
    multiply_adds = computing = 0.0
    for each in products:
        multiply_adds += each.rows * each.width * each.columns
        rate = int8_rate if dtype_of(each, dtype) == "w8a8" else int8_rate / 2
        computing += max(each.rows, chip.least_rows) * each.width * each.columns / rate
    total_bytes = weight_bytes(products, dtype) + STATE_BYTES[dtype] * state_elements
    seconds = max(computing, total_bytes / (chip.gigabytes_per_second * 1e9))
    return {"multiply_adds": multiply_adds, "bytes": total_bytes, "milliseconds": 1000 * seconds}


def add(left: CallCost, right: CallCost) -> CallCost:
    """Two calls, or parts of one, after one another."""
    return {
        "multiply_adds": left["multiply_adds"] + right["multiply_adds"],
        "bytes": left["bytes"] + right["bytes"],
        "milliseconds": left["milliseconds"] + right["milliseconds"],
    }

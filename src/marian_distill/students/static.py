"""Graphs of fixed shapes, for engines that compile: what a kind of student gives to the ONNX and RKNN exporters."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

GraphName = Literal["encoder", "decoder", "projection"]
Shapes = dict[str, tuple[int, ...]]


@dataclass
class StaticGraph:
    """A module with the names and shapes of its inputs and outputs, in their order."""

    module: nn.Module
    inputs: Shapes
    outputs: Shapes


@dataclass
class StaticGraphs:
    """The graphs of one model, what they were made for, and the tables that stay on the host.

    Attributes:
        source_length, target_length: tokens that the graphs take at most.
        cached: whether the decoder takes what earlier steps left and one token, or all target tokens so far.
        graphs: by name; `projection` only where it stands apart.
        source_embeddings, target_embeddings: [vocabulary, d], their scale inside.
        positions: [at least as many as the longer side, d].
    """

    source_length: int
    target_length: int
    cached: bool
    graphs: dict[GraphName, StaticGraph]
    source_embeddings: Tensor
    target_embeddings: Tensor
    positions: Tensor

"""Learning rates by layer: the nearer to the input, the lower.

Howard & Ruder 2018, "Universal Language Model Fine-tuning for Text Classification", https://arxiv.org/abs/1801.06146,
section 3.2: what a model that is trained onward knows of its language, it keeps in its lower layers.
"""

import re
from collections.abc import Iterable

import torch
from torch import nn

LAYER = re.compile(r"(.+?)\.(\d+)\.")  # decoder.layers.3.fc1.weight


def layer_depths(names: Iterable[str]) -> dict[str, int]:
    """Depth of each parameter, 0 at the input, by the order in which a model registers its layers.

    What stands before the first layer (embeddings) is at 0; a parameter between or after layers is as deep as the
    layer before it.

    Args:
        names: of parameters, as `named_parameters` gives them; a layer has its number in it.
    """
    depths: dict[str, int] = {}
    layers: dict[str, int] = {}
    for name in names:
        if found := LAYER.match(name):
            depths[name] = layers.setdefault(found[0], len(layers) + 1)
        else:
            depths[name] = len(layers)
    return depths


def split_by_layer(optimizer: torch.optim.Optimizer, model: nn.Module, decay: float) -> None:
    """Give each layer of a new optimizer its own group, with decay^(layers above it) of the group's rate.

    Args:
        optimizer: before its first step, and before a schedule reads its rates.
        model: whose parameters it has.
        decay: in (0, 1].
    """
    depths = layer_depths(name for name, _ in model.named_parameters())
    by_parameter = {parameter: depths[name] for name, parameter in model.named_parameters()}
    top = max(depths.values())
    groups = []
    for depth in range(top, -1, -1):  # the top first: the log shows its rate
        for group in optimizer.param_groups:
            if parameters := [each for each in group["params"] if by_parameter[each] == depth]:
                groups.append({**group, "params": parameters, "lr": group["lr"] * decay ** (top - depth)})
    optimizer.param_groups[:] = groups

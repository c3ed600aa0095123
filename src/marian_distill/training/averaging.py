"""A mean of the weights over the steps: what is evaluated and published, while training goes on with its own.

Exponential moving average: Polyak & Juditsky 1992, "Acceleration of Stochastic Approximation by Averaging"; Marian's
`--exponential-smoothing` (Junczys-Dowmunt et al. 2018, https://arxiv.org/abs/1804.00344). Plain mean of the weights at
the last so many saving points: checkpoint averaging as in Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, which
Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima", https://arxiv.org/abs/1803.05407, explain.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from marian_distill.training.teaching import TeachingArguments


class WeightAverage(TrainerCallback):
    """Keeps the mean beside a model; empty until the first step that counts, and again after training.

    Args:
        model: whose trained parameters are averaged.
        options: `ema_decay`, or `average_checkpoints` and `average_every`.
    """

    def __init__(self, model: nn.Module, options: TeachingArguments) -> None:
        self.model, self.options = model, options
        self.weights: dict[str, Tensor] = {}

    def state_dict(self) -> Mapping[str, Tensor]:
        """What a checkpoint keeps."""
        return self.weights

    @torch.no_grad()
    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        own = self._own()
        self.weights = {name: tensor.to(own[name].device, copy=True) for name, tensor in state_dict.items()}

    @torch.no_grad()
    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Move the mean by this step's share."""
        share = self._share(state.global_step, state.max_steps)
        if share == 1.0 or (share and not self.weights):
            self.weights = {name: parameter.detach().clone() for name, parameter in self._own().items()}
        elif share:
            own = self._own()
            for name, mean in self.weights.items():
                mean.lerp_(own[name], share)

    def _share(self, step: int, steps: int) -> float:
        """Of a step's weights in the mean, from the step alone; 0: it does not count."""
        if self.options.ema_decay:
            return max(1.0 - self.options.ema_decay, 1.0 / step)  # a plain mean, until that is slower
        every, left = self.options.average_every, steps - step
        if left % every or left // every >= self.options.average_checkpoints:
            return 0.0
        first = min(self.options.average_checkpoints, (steps - 1) // every + 1)
        return 1.0 / (first - left // every)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The model with the mean for its weights, for the block."""
        before = {name: self._own()[name].detach().clone() for name in self.weights}
        self._copy_in(self.weights)
        try:
            yield
        finally:
            self._copy_in(before)

    def settle(self) -> None:
        """Training is over: the model takes the mean for its own."""
        self._copy_in(self.weights)
        self.weights = {}

    def _own(self) -> dict[str, nn.Parameter]:
        return {name: each for name, each in self.model.named_parameters() if each.requires_grad}

    @torch.no_grad()
    def _copy_in(self, weights: Mapping[str, Tensor]) -> None:
        own = self._own()
        for name, tensor in weights.items():
            own[name].copy_(tensor)

"""The part of a CfC layer that goes through time token by token, and its gradient, written for speed.

h[t] = (1 − s)·tanh(a) + s·tanh(b) with [a, b, s'] = inputs[t] + W·h[t−1] and s = σ(s'): the closed form of Hasani et
al. 2022, "Closed-form continuous-time neural networks", https://www.nature.com/articles/s42256-022-00556-7, where all
timespans are 1.

Autograd over such a loop keeps half a dozen tensors a token and adds a whole matrix to the weight's gradient at each.
Here a step forward is one small matrix product and three passes, a step backward one product and one pass; everything
else is done for all tokens at once, the weight's gradient as one product.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def cfc_scan(inputs: Tensor, weight: Tensor, initial: Tensor) -> Tensor:
    """States of all steps, [steps, batch, units].

    Args:
        inputs: what the state is not needed for, [steps, batch, 3 × units]: the two targets, then the time gate.
        weight: from the state to the same, [3 × units, units].
        initial: the state before the first step, [batch, units].
    """
    return _CfCScan.apply(inputs, weight, initial)  # pyright: ignore[reportReturnType]


def cfc_step(inputs: Tensor, weight: Tensor, state: Tensor) -> Tensor:
    """The next state [..., units], from inputs [..., 3 × units]: the plain form of one step."""
    first, second, time = (inputs + state @ weight.T).chunk(3, dim=-1)
    gate = torch.sigmoid(time)
    return torch.tanh(first) * (1.0 - gate) + torch.tanh(second) * gate


class _CfCScan(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, initial: Tensor) -> Tensor:
        steps, batch, units = inputs.shape[0], inputs.shape[1], initial.shape[-1]
        gates = torch.empty_like(inputs)
        states = inputs.new_empty(steps + 1, batch, units)
        states[0] = initial
        transposed = weight.T.contiguous()
        for step in range(steps):
            now = gates[step]
            torch.addmm(inputs[step], states[step], transposed, out=now)
            targets = now[:, : 2 * units].tanh_()
            gate = now[:, 2 * units :].sigmoid_()
            torch.lerp(targets[:, :units], targets[:, units:], gate, out=states[step + 1])
        ctx.save_for_backward(gates, states, weight)
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # pyright: ignore[reportIncompatibleMethodOverride]
        gates, states, weight = ctx.saved_tensors
        steps, batch, units = states.shape[0] - 1, states.shape[1], states.shape[2]
        gradient = _slopes(gates, units)  # of each state by what its step was given; times its gradient below
        into_state = upstream[0]
        carried = into_state[steps - 1]
        for step in range(steps - 1, -1, -1):
            now = gradient[step]
            parts = now.view(batch, 3, units)
            torch.mul(parts, carried[:, None], out=parts)
            carried = torch.addmm(into_state[step - 1], now, weight) if step else now @ weight
        flat = gradient.view(steps * batch, 3 * units)
        return gradient, flat.T @ states[:-1].reshape(steps * batch, units), carried


def _slopes(gates: Tensor, units: int) -> Tensor:
    """Derivative of the state by first and second target and time gate before their nonlinearities; as `gates`."""
    first, second, gate = gates.split(units, dim=-1)
    slopes = torch.empty_like(gates)
    by_first, by_second, by_gate = slopes.split(units, dim=-1)
    torch.mul(gate, second.square().neg_().add_(1.0), out=by_second)
    torch.mul(1.0 - gate, first.square().neg_().add_(1.0), out=by_first)
    torch.mul(second - first, gate - gate.square(), out=by_gate)
    return slopes

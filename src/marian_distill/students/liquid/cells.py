"""Recurrent cells: liquid ones on the wiring of a neural circuit policy, and two usual ones to compare them with.

- `CfC`: the closed form of Hasani et al. 2022, https://www.nature.com/articles/s42256-022-00556-7, in layers of inter,
  command and motor neurons as the library `ncps` has it (`WiredCfCCell`, https://github.com/mlech26l/ncps).
- `LTC`: the exact liquid time-constant cell of Hasani et al. 2021, https://arxiv.org/abs/2006.04439, with the solver
  of `ncps` (`LTCCell`), synapse by synapse instead of all neurons by all neurons.
- `GRU` of Cho et al. 2014, https://arxiv.org/abs/1406.1078, and `SSRU` of Kim et al. 2019,
  https://aclanthology.org/D19-5632, the decoder of the Bergamot project's students.

Wirings are those of Lechner et al. 2020, "Neural circuit policies", https://www.nature.com/articles/s42256-020-00237-3,
made by `ncps`. Tokens come at regular steps, so every timespan is 1: a CfC's two time gates are one, whose weights are
the sum of theirs. What does not depend on the state is computed for all tokens at once. States are fp32 whatever
the type of the inputs: what is carried on for hundreds of tokens must not be rounded to eight bits at each.
"""

import math
from typing import cast

import numpy as np
import torch
from ncps.wirings import AutoNCP
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from marian_distill.students.liquid.configuration import LiquidConfig
from marian_distill.students.liquid.scan import cfc_scan, cfc_step
from marian_distill.students.products import Product

EPSILON = 1e-8  # of the solver's denominator, as in ncps


class Cell(nn.Module):
    """A recurrent cell.

    Attributes:
        state_size: numbers that it keeps.
        output_size: numbers that it gives a token.
    """

    state_size: int
    output_size: int

    def forward(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs of all steps, [steps, batch, outputs], in the inputs' type, and the state after the last one.

        Args:
            inputs: [steps, batch, width].
            state: before the first step, [batch, state_size], fp32.
        """
        raise NotImplementedError

    def step(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One step by plain operations, as a graph of it has them: inputs [..., width], state [..., state_size]."""
        raise NotImplementedError

    def step_products(self) -> list[Product]:
        """The matrix products of `step` for one token."""
        raise NotImplementedError

    def reset_parameters(self) -> None:
        """Draw the weights."""
        raise NotImplementedError


def make_cell(config: LiquidConfig) -> Cell:
    """The cell of a decoder layer."""
    if config.cell == "gru":
        return GRU(config.d_model, config.units)
    if config.cell == "ssru":
        return SSRU(config.d_model)
    wiring = AutoNCP(config.units, config.motor_units, config.sparsity, config.wiring_seed)
    wiring.build(config.d_model)
    return CfC(wiring) if config.cell == "cfc" else LTC(wiring, config.ode_unfolds)


class CfC(Cell):
    """Closed-form continuous-time neurons: inter, command and motor, each a layer that the one before feeds.

    Args:
        wiring: built; its synapses between layers hold for the two targets, as in `ncps`.
    """

    def __init__(self, wiring: AutoNCP) -> None:
        super().__init__()
        neurons = [wiring.get_neurons_of_layer(layer) for layer in range(wiring.num_layers)]
        inner = [wiring.adjacency_matrix[layer] for layer in neurons[:-1]]
        sources = [cast(np.ndarray, wiring.sensory_adjacency_matrix), *inner]
        self.layers = nn.ModuleList(
            CfCLayer(np.abs(source[:, layer]).T) for source, layer in zip(sources, neurons, strict=True)
        )
        self.sizes = [len(layer) for layer in neurons]
        self.state_size, self.output_size = wiring.units, cast(int, wiring.output_dim)

    def forward(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        states = inputs
        last = []
        for layer, initial in zip(self.parts, state.split(self.sizes, dim=-1), strict=True):
            recurrent = cfc_scan(layer.project(states).float(), layer.recurrent_weight.float(), initial)
            last.append(recurrent[-1])
            states = recurrent.to(inputs.dtype)
        return states, torch.cat(last, dim=-1)

    def step(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        states = []
        for layer, before in zip(self.parts, state.split(self.sizes, dim=-1), strict=True):
            projected = layer.project(states[-1].to(inputs.dtype) if states else inputs)
            states.append(cfc_step(projected.float(), layer.recurrent_weight.float(), before))
        return states[-1].to(inputs.dtype), torch.cat(states, dim=-1)

    def step_products(self) -> list[Product]:  # noqa: D102
        weights = [weight for layer in self.parts for weight in (layer.input_weight, layer.recurrent_weight)]
        return [Product(1, width, columns) for columns, width in (weight.shape for weight in weights)]

    def reset_parameters(self) -> None:  # noqa: D102
        for layer in self.parts:
            layer.reset_parameters()

    @property
    def parts(self) -> "list[CfCLayer]":
        """Inter, command and motor neurons, an nn.ModuleList."""
        return cast(list[CfCLayer], self.layers)


class CfCLayer(nn.Module):
    """Weights of a layer: rows for the two targets and the time gate, [3 × units, …].

    Args:
        synapses: where a neuron has a synapse from an input, [units, inputs].
    """

    synapses: Tensor

    def __init__(self, synapses: np.ndarray) -> None:
        super().__init__()
        units, inputs = synapses.shape
        self.input_weight = nn.Parameter(torch.empty(3 * units, inputs))
        self.recurrent_weight = nn.Parameter(torch.empty(3 * units, units))
        self.bias = nn.Parameter(torch.empty(3 * units))
        there = torch.from_numpy(synapses).bool()
        self.register_buffer("synapses", torch.cat([there, there, torch.ones_like(there)]))
        self.reset_parameters()

    def project(self, inputs: Tensor) -> Tensor:
        """What the inputs [..., inputs] add, [..., 3 × units]."""
        weight = (self.input_weight * self.synapses).to(inputs.dtype)
        return functional.linear(inputs, weight, self.bias.to(inputs.dtype))

    def reset_parameters(self) -> None:
        """Glorot-uniform over input and state together, as `ncps` draws; the time gate is the sum of two such."""
        units, inputs = self.recurrent_weight.shape[1], self.input_weight.shape[1]
        bound = math.sqrt(6 / (inputs + 2 * units))
        for weight in (self.input_weight, self.recurrent_weight):
            targets, time = weight.detach()[: 2 * units], weight.detach()[2 * units :]
            nn.init.uniform_(targets, -bound, bound)
            nn.init.uniform_(time, -bound * math.sqrt(2), bound * math.sqrt(2))
        nn.init.zeros_(self.bias)


class LTC(Cell):
    """Liquid time-constant neurons, whose differential equation is solved in `unfolds` semi-implicit steps a token.

    Only the synapses of the wiring are computed. An affine map of inputs and outputs, which `ncps` adds, is what the
    layers around a cell are for.

    Args:
        wiring: built.
        unfolds: solver steps.
    """

    def __init__(self, wiring: AutoNCP, unfolds: int) -> None:
        super().__init__()
        self.unfolds = unfolds
        self.state_size, self.output_size = wiring.units, cast(int, wiring.output_dim)
        self.leak = nn.Parameter(torch.empty(wiring.units))
        self.resting = nn.Parameter(torch.empty(wiring.units))
        self.capacitance = nn.Parameter(torch.empty(wiring.units))
        self.sensory = Synapses(cast(np.ndarray, wiring.sensory_adjacency_matrix))
        self.inner = Synapses(wiring.adjacency_matrix)
        self.reset_parameters()

    def forward(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        leak, capacitance = functional.softplus(self.leak), functional.softplus(self.capacitance) * self.unfolds
        reversal, conductance = self.sensory(inputs.float(), self.sensory.effects()).chunk(2, dim=-1)
        reversal, conductance = reversal + leak * self.resting, conductance + capacitance + leak + EPSILON
        effects = self.inner.effects()
        outputs = []
        for step in range(len(inputs)):
            for _ in range(self.unfolds):
                inner_reversal, inner_conductance = self.inner(state, effects).chunk(2, dim=-1)
                state = (capacitance * state + reversal[step] + inner_reversal) / (
                    conductance[step] + inner_conductance
                )
            outputs.append(state[..., : self.output_size])
        return torch.stack(outputs).to(inputs.dtype), state

    def step(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        outputs, state = self(inputs[None], state)
        return outputs[0], state

    def step_products(self) -> list[Product]:  # noqa: D102
        sensory, inner = ((len(each.source), 2 * each.targets) for each in (self.sensory, self.inner))
        again = [Product(1, *inner, has_weights=False)] * (self.unfolds - 1)
        return [Product(1, *sensory), Product(1, *inner), *again]

    def reset_parameters(self) -> None:  # noqa: D102
        nn.init.uniform_(self.leak, 0.001, 1.0)
        nn.init.uniform_(self.resting, -0.2, 0.2)
        nn.init.uniform_(self.capacitance, 0.4, 0.6)
        self.sensory.reset_parameters()
        self.inner.reset_parameters()


class Synapses(nn.Module):
    """The synapses of an LTC between some neurons and others: conductances that open as their source rises.

    Args:
        polarity: [sources, targets], 0 where there is no synapse, else 1 (excites) or −1 (inhibits).
    """

    source: Tensor
    target: Tensor
    polarity: Tensor

    def __init__(self, polarity: np.ndarray) -> None:
        super().__init__()
        source, target = polarity.nonzero()
        self.targets = polarity.shape[1]
        self.register_buffer("source", torch.from_numpy(source))
        self.register_buffer("target", torch.from_numpy(target))
        self.register_buffer("polarity", torch.from_numpy(polarity[source, target]).float())
        self.weight, self.steepness, self.threshold, self.reversal = (
            nn.Parameter(torch.empty(len(source))) for _ in range(4)
        )
        self.reset_parameters()

    def forward(self, potentials: Tensor, effects: Tensor) -> Tensor:
        """Sums for each target of conductance × reversal potential, then of conductance: [..., 2 × targets]."""
        sources = potentials.index_select(-1, self.source)
        return torch.sigmoid(self.steepness * (sources - self.threshold)) @ effects

    def effects(self) -> Tensor:
        """What each synapse adds to the sums when it is open, [synapses, 2 × targets]."""
        weight = functional.softplus(self.weight.float())
        to_target = functional.one_hot(self.target, self.targets).to(weight.dtype)
        return torch.cat([to_target * (weight * self.reversal)[:, None], to_target * weight[:, None]], dim=1)

    def reset_parameters(self) -> None:
        """As `ncps` draws them."""
        nn.init.uniform_(self.weight, 0.001, 1.0)
        nn.init.uniform_(self.steepness, 3.0, 8.0)
        nn.init.uniform_(self.threshold, 0.3, 0.8)
        with torch.no_grad():
            self.reversal.copy_(self.polarity)


class GRU(Cell):
    """The gated recurrent unit of PyTorch."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.state_size = self.output_size = units
        self.gru = nn.GRU(inputs, units)

    def forward(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        weights = {name: weight.float() for name, weight in self.gru.named_parameters()}
        outputs, last = functional_call(self.gru, weights, (inputs.float(), state[None]))
        return outputs.to(inputs.dtype), last[0]

    def step(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        from_input, from_state, input_bias, state_bias = (weight.float() for weight in self.gru.all_weights[0])
        given = functional.linear(inputs.float(), from_input, input_bias).chunk(3, dim=-1)
        kept = functional.linear(state, from_state, state_bias).chunk(3, dim=-1)
        reset, update = torch.sigmoid(given[0] + kept[0]), torch.sigmoid(given[1] + kept[1])
        state = (1.0 - update) * torch.tanh(given[2] + reset * kept[2]) + update * state
        return state.to(inputs.dtype), state

    def step_products(self) -> list[Product]:  # noqa: D102
        units = self.state_size
        return [Product(1, self.gru.input_size, 3 * units), Product(1, units, 3 * units)]

    def reset_parameters(self) -> None:  # noqa: D102
        self.gru.reset_parameters()


class SSRU(Cell):
    """The simpler simple recurrent unit: its gate and what it takes in depend on the token alone."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.state_size = self.output_size = units
        self.projection = nn.Linear(units, 2 * units)

    def forward(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        taken, forget = self._gates(inputs)
        states = []
        for step in range(len(inputs)):
            state = torch.lerp(taken[step], state, forget[step])
            states.append(state)
        return torch.relu(torch.stack(states)).to(inputs.dtype), state

    def step(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        taken, forget = self._gates(inputs)
        state = forget * state + (1.0 - forget) * taken
        return torch.relu(state).to(inputs.dtype), state

    def _gates(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        weight, bias = (tensor.to(inputs.dtype) for tensor in (self.projection.weight, self.projection.bias))
        taken, forget = functional.linear(inputs, weight, bias).float().chunk(2, dim=-1)
        return taken, torch.sigmoid(forget)

    def step_products(self) -> list[Product]:  # noqa: D102
        return [Product(1, self.state_size, 2 * self.state_size)]

    def reset_parameters(self) -> None:  # noqa: D102
        nn.init.xavier_uniform_(self.projection.weight)
        nn.init.zeros_(self.projection.bias)

"""Cells against the library `ncps`, and the fast forms against one step after another."""

import pytest
import torch
from ncps.torch import LTCCell, WiredCfCCell
from ncps.wirings import AutoNCP

from marian_distill.students.liquid.cells import LTC, CfC, make_cell
from marian_distill.students.liquid.configuration import CELLS, LiquidConfig

STEPS, BATCH, WIDTH, UNITS = 9, 5, 24, 40


def wiring() -> AutoNCP:
    """A built one; the cells of `ncps` build theirs, and building twice would double the synapses."""
    built = AutoNCP(UNITS, 12)
    built.build(WIDTH)
    return built


@pytest.fixture
def inputs():
    torch.manual_seed(0)
    return torch.randn(STEPS, BATCH, WIDTH, requires_grad=True), torch.randn(BATCH, UNITS)


def unrolled(step, inputs, state):
    outputs = []
    for now in inputs:
        output, state = step(now, state)
        outputs.append(output)
    return torch.stack(outputs), state


@torch.no_grad()
def take_cfc(cell: CfC, reference: WiredCfCCell) -> None:
    for ours, theirs in zip(cell.layers, reference._layers, strict=True):
        for gate in (theirs.ff1, theirs.ff2, theirs.time_a, theirs.time_b):
            torch.nn.init.normal_(gate.bias)
        time = [theirs.time_a.weight + theirs.time_b.weight, theirs.time_a.bias + theirs.time_b.bias]
        weight = torch.cat([theirs.ff1.weight, theirs.ff2.weight, time[0]])
        ours.input_weight.copy_(weight[:, : ours.input_weight.shape[1]])
        ours.recurrent_weight.copy_(weight[:, ours.input_weight.shape[1] :])
        ours.bias.copy_(torch.cat([theirs.ff1.bias, theirs.ff2.bias, time[1]]))


@torch.no_grad()
def take_ltc(cell: LTC, reference: LTCCell) -> None:
    names = {"weight": "w", "steepness": "sigma", "threshold": "mu", "reversal": "erev"}
    for ours, theirs in {"leak": "gleak", "resting": "vleak", "capacitance": "cm"}.items():
        getattr(cell, ours).copy_(getattr(reference, theirs))
    for synapses, prefix in ((cell.sensory, "sensory_"), (cell.inner, "")):
        for ours, theirs in names.items():
            matrix = getattr(reference, prefix + theirs)
            getattr(synapses, ours).copy_(matrix[synapses.source, synapses.target])


@pytest.mark.parametrize("kind", ["cfc", "ltc"])
def test_wired_cells_equal_those_of_ncps(kind, inputs):
    if kind == "cfc":
        cell, reference = CfC(wiring()), WiredCfCCell(WIDTH, AutoNCP(UNITS, 12))
        take_cfc(cell, reference)
    else:
        cell = LTC(wiring(), unfolds=6)
        plain = {"input_mapping": None, "output_mapping": None, "implicit_param_constraints": True}
        reference = LTCCell(AutoNCP(UNITS, 12), WIDTH, ode_unfolds=6, **plain)
        take_ltc(cell, reference)
    expected, last = unrolled(lambda now, state: reference(now, state, 1.0), *inputs)
    found, found_last = cell(*inputs)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(found_last, last, rtol=0, atol=1e-5)
    upstream = torch.randn_like(expected)
    gradients = [torch.autograd.grad((outputs * upstream).sum(), inputs[0])[0] for outputs in (expected, found)]
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", CELLS)
def test_all_tokens_at_once_equal_one_step_after_another(kind, inputs):
    cell = make_cell(LiquidConfig(d_model=WIDTH, cell=kind, units=UNITS, motor_units=12))
    state = torch.randn(BATCH, cell.state_size, requires_grad=True)
    given = [inputs[0], state, *cell.parameters()]
    results = [cell(inputs[0], state), unrolled(cell.step, inputs[0], state)]
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    upstream = torch.randn_like(results[0][0])
    gradients = [
        torch.autograd.grad((outputs * upstream).sum() + last.sum(), given, materialize_grads=True)
        for outputs, last in results
    ]
    for found, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", CELLS)
def test_bf16_inputs_keep_an_fp32_state(kind, inputs):
    cell = make_cell(LiquidConfig(d_model=WIDTH, cell=kind, units=UNITS, motor_units=12))
    state = torch.zeros(BATCH, cell.state_size)
    exact, _ = cell(inputs[0], state)
    for weights in (torch.float32, torch.bfloat16):
        outputs, last = cell.to(weights)(inputs[0].bfloat16(), state)
        assert outputs.dtype == torch.bfloat16
        assert last.dtype == torch.float32
        torch.testing.assert_close(outputs.float(), exact, rtol=0, atol=0.05)


def test_a_target_has_no_gradient_where_the_wiring_has_no_synapse(inputs):
    cell = CfC(wiring())
    cell(*inputs)[0].sum().backward()
    for layer in cell.layers:
        assert layer.input_weight.grad[~layer.synapses].abs().max() == 0
        assert (layer.input_weight.grad[layer.synapses] != 0).float().mean() > 0.9
        assert 0.2 < layer.synapses[: len(layer.synapses) // 3].float().mean() < 0.8

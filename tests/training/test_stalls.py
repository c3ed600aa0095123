"""A training step asks the device for nothing: on a GPU, Python runs ahead of it."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import TrainerCallback

aten = torch.ops.aten
# What makes Python wait for a GPU: a number, or a shape that hangs on the values.
WAITING = {
    *(aten._local_scalar_dense.default, aten.is_nonzero.default, aten.equal.default, aten.nonzero.default),
    *(aten.masked_select.default, aten._unique2.default, aten.unique_dim.default, aten.unique_consecutive.default),
    aten.repeat_interleave.Tensor,
}
LOOKING_UP = {aten.index.Tensor, aten.index_put_.default, aten._index_put_impl_.default}  # by a mask: nonzero


class NoWaiting(TorchDispatchMode):
    def __torch_dispatch__(self, operation, types, arguments=(), options=None):
        by_mask = operation in LOOKING_UP and any(
            place is not None and place.dtype in (torch.bool, torch.uint8) for place in arguments[1]
        )
        assert operation not in WAITING and not by_mask, f"{operation} waits for the device"
        return operation(*arguments, **options or {})


class StepsWithoutWaiting(TrainerCallback):
    """From the end of the first step to the end of the fourth."""

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == 1:
            self.mode = NoWaiting()
            self.mode.__enter__()
        elif state.global_step == 4:
            self.mode.__exit__(None, None, None)


@pytest.mark.parametrize(
    "options",
    [
        {"per_device_train_batch_size": 4},
        {"tokens_per_batch": 120, "label_smoothing_factor": 0.1},
        {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 2, "max_grad_norm": 0.0},
        {"per_device_train_batch_size": 4, "precision": "bf16", "attention": "sdpa"},
    ],
)
@pytest.mark.parametrize("alpha_ce", [1.0, 0.5])
def test_steps_between_two_logs_wait_for_nothing(options, alpha_ce, new_model, new_trainer):
    teacher = new_model(seed=1) if alpha_ce < 1 else None
    options = {"max_steps": 6, "logging_steps": 6, "alpha_ce": alpha_ce, **options}
    trainer = new_trainer(new_model(dropout=0.1), teacher, [StepsWithoutWaiting()], **options)
    trainer.train()
    assert trainer.state.global_step == 6


@pytest.mark.parametrize(
    "wait",
    [
        lambda ones: ones.sum().item(),
        lambda ones: bool(ones[0]),
        lambda ones: ones[ones > 0],
        lambda ones: ones.nonzero(),
    ],
)
def test_waiting_is_noticed(wait):
    with pytest.raises(AssertionError, match="waits for the device"), NoWaiting():
        wait(torch.ones(3))

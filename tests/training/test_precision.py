"""The type that a stage computes in: chosen by its own steps, kept, the same losses in each; older processors too."""

import json
import os
import platform
import subprocess
import sys
import time
from functools import partial

import pytest
import torch

from marian_distill.students.marian.forward import decoder_states
from marian_distill.students.packing import PairCollator
from marian_distill.students.projection import Projection
from marian_distill.training import precision
from marian_distill.training.arguments import DistillTrainingArguments
from marian_distill.training.batches import training_sampler
from marian_distill.training.losses import FP16_TOKENS, DistillationLoss, projection_loss
from marian_distill.training.precision import Plan, candidate_types, choose, race, resumed, trial_batch
from toy_training import AVX2


@pytest.fixture
def training(tmp_path):
    def build(**options) -> DistillTrainingArguments:
        return DistillTrainingArguments(output_dir=str(tmp_path / "run"), use_cpu=True, **options)

    return build


@pytest.fixture
def batch(pieces, examples):
    return PairCollator(pieces.pad_id)(
        [{name: row[name] for name in ("input_ids", "labels")} for row in examples[:16]]
    )


def test_choosing_leaves_weights_gradients_random_state_and_attention_as_they_were(new_model, batch, training):
    student, teacher = new_model(dropout=0.3), new_model(seed=1)
    weights = {name: tensor.clone() for name, tensor in student.state_dict().items()}
    state, attention = torch.get_rng_state(), student.config._attn_implementation
    plan = choose(student, teacher, batch, training())
    assert plan.precision in ("fp32", "bf16")
    assert plan.teacher_precision in ("fp32", "bf16")
    assert plan.attention in ("eager", "sdpa")
    assert torch.equal(torch.get_rng_state(), state)
    assert student.config._attn_implementation == attention
    assert all(torch.equal(tensor, weights[name]) for name, tensor in student.state_dict().items())
    assert all(parameter.grad is None for parameter in student.parameters())
    assert all(parameter.dtype == torch.float32 for parameter in teacher.parameters())


@pytest.mark.parametrize("name", ["fp32", "bf16"])
def test_what_is_asked_for_is_taken(name, new_model, batch, training):
    plan = choose(new_model(), new_model(seed=1), batch, training(precision=name, attention="sdpa"))
    assert (plan.precision, plan.teacher_precision, plan.attention) == (name, name, "sdpa")
    assert plan.reason == f"{name}: as asked for"


def test_the_teachers_type_can_be_asked_for_alone(new_model, batch, training):
    plan = choose(new_model(), new_model(seed=1), batch, training(precision="fp32"), torch.bfloat16)
    assert (plan.precision, plan.teacher_precision) == ("fp32", "bf16")


def test_a_type_ruled_out_is_not_timed(training):
    types, _ = candidate_types(training(bf16=False), torch.device("cpu"))
    assert types == ["fp32"]


def test_a_type_with_hopeless_products_is_not_timed_and_the_reason_says_so(monkeypatch, new_model, batch, training):
    rates = {torch.float32: 100e9, torch.bfloat16: 1e9}
    monkeypatch.setattr(precision, "quickest_rate", lambda dtype, device: rates[dtype])
    plan = choose(new_model(), None, batch, training())
    assert plan.precision == "fp32"
    assert "bf16 products run 100 × slower here" in plan.reason


def test_a_type_that_a_device_does_not_have_is_no_error(monkeypatch, training):
    def refuse(dtype, device):
        if dtype == torch.bfloat16:
            raise TypeError("BFloat16 is not supported on MPS")
        return 1e9

    monkeypatch.setattr(precision, "quickest_rate", refuse)
    types, ruled_out = candidate_types(training(), torch.device("mps"))
    assert types == ["fp32"]
    assert ruled_out == {"bf16": "bf16 does not run here (BFloat16 is not supported on MPS)"}


@pytest.mark.parametrize(("has_bf16", "half"), [(True, "bf16"), (False, "fp16")])
def test_an_nvidia_gpu_without_bf16_gets_fp16(has_bf16, half, monkeypatch, training):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has_bf16)
    monkeypatch.setattr(precision, "quickest_rate", lambda dtype, device: 1e12)
    types, _ = candidate_types(training(), torch.device("cuda"))
    assert types == [half, "fp32"]


def test_the_race_finds_the_quicker_and_stops_running_what_is_far_behind():
    calls = {"slow": 0, "quick": 0, "hopeless": 0}

    def run(name: str, seconds: float) -> None:
        calls[name] += 1
        time.sleep(seconds)

    seconds = race({"slow": partial(run, "slow", 0.02), "quick": partial(run, "quick", 0.005),
                    "hopeless": partial(run, "hopeless", 0.2)})  # fmt: skip
    assert precision._quickest(seconds) == "quick"
    assert calls["hopeless"] == 2
    assert calls["slow"] == 3


def test_equal_candidates_leave_the_first():
    assert precision._quickest({"fp32 eager": 1.0, "bf16 eager": 0.99}) == "fp32 eager"
    assert precision._quickest({"fp32 eager": 1.0, "bf16 eager": 0.9}) == "bf16 eager"


def test_the_batch_that_is_timed_is_of_median_size(dataset, pieces, training):
    arguments = training(tokens_per_batch=64)
    batch = trial_batch(
        training_sampler(dataset, arguments), dataset, PairCollator(pieces.pad_id), torch.device("cpu")
    )
    sizes = sorted(map(len, training_sampler(dataset, arguments).batches()[:100]))
    assert len(batch["labels"]) == sizes[len(sizes) // 2]


def test_of_a_large_batch_a_part_is_timed(dataset, pieces, training, monkeypatch):
    monkeypatch.setitem(precision.TRIAL_TOKENS, "cpu", 100)
    arguments = training(tokens_per_batch=2000)
    batch = trial_batch(
        training_sampler(dataset, arguments), dataset, PairCollator(pieces.pad_id), torch.device("cpu")
    )
    assert 0 < batch["input_ids"].numel() + batch["labels"].numel() <= 100


def test_a_resumed_run_keeps_its_plan_unless_another_type_is_asked_for(training, caplog):
    kept = Plan("fp32", "bf16", "sdpa", "fp32: measured").as_dict()
    plan = resumed(json.loads(json.dumps(kept)), training())
    assert plan == Plan("fp32", "bf16", "sdpa", "fp32: as the run began")
    assert resumed(kept, training(precision="fp32", attention="sdpa")) == plan
    assert resumed(None, training(precision="bf16", attention="eager")) is None
    assert not caplog.records


@pytest.mark.parametrize(
    ("asked", "goes_on", "followed"),
    [
        ({"precision": "fp32"}, None, "--precision fp32"),
        ({"bf16": False}, None, "--bf16 false"),
        ({"attention": "eager"}, "eager", "--attention eager"),
        ({"precision": "fp32", "attention": "eager"}, None, "--precision fp32 and --attention eager"),
    ],
)
def test_a_resumed_run_follows_what_is_asked_for_now_and_says_so(asked, goes_on, followed, training, caplog):
    plan = resumed(Plan("bf16", None, "sdpa", "").as_dict(), training(**asked))
    assert (plan and plan.attention) == goes_on
    assert plan is None or plan.precision == "bf16"
    began = "the run began in bf16 with sdpa attention; from here on it follows"
    (warning,) = [record.getMessage() for record in caplog.records if began in record.getMessage()]
    assert warning == f"{began} {followed}: it will not end with the weights of an undisturbed run"


def test_a_resumed_run_says_when_its_type_is_slow_here(monkeypatch, training, caplog):
    rates = {torch.float32: 100e9, torch.bfloat16: 1e9}
    monkeypatch.setattr(precision, "quickest_rate", lambda dtype, device: rates[dtype])
    plan = resumed(Plan("bf16", None, "eager", "").as_dict(), training())
    assert plan is not None
    assert plan.precision == "bf16"
    assert "bf16, whose products run 100 × slower than fp32's here: --precision fp32 goes on faster" in caplog.text


def test_the_trainer_follows_its_plan(new_model, new_trainer):
    plan = Plan("bf16", "fp32", "sdpa", "a test")
    trainer = new_trainer(new_model(), new_model(seed=1), plan=plan, alpha_ce=0.5, max_steps=2)
    assert (trainer.args.bf16, trainer.accelerator.mixed_precision) == (True, "bf16")
    assert trainer.teacher.dtype == torch.float32
    assert [model.config._attn_implementation for model in (trainer.model, trainer.teacher)] == ["sdpa", "sdpa"]
    trainer.train()
    assert trainer.throughput.dtype == torch.bfloat16


# fp16, as far as a CPU can show it


def test_fp16_with_a_scaled_loss_learns_as_fp32_does(new_model, batch):
    losses = {}
    for name in ("fp32", "fp16"):
        student = new_model()
        optimizer = torch.optim.AdamW(student.parameters(), lr=1e-2)
        scaler = torch.amp.GradScaler("cpu", enabled=name == "fp16")
        losses[name] = []
        for _ in range(20):
            with torch.autocast("cpu", torch.float16, enabled=name == "fp16"):
                sums = student(**batch, objective=partial(projection_loss, DistillationLoss()))
            loss = sums.loss / (batch["labels"] != -100).sum()
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
            losses[name].append(loss.item())
    assert losses["fp16"] == pytest.approx(losses["fp32"], rel=0.03)
    assert losses["fp16"][-1] < losses["fp16"][0] / 2


def test_sums_beyond_fp16_stay_finite(new_model, batch):
    student = new_model().eval()
    with torch.no_grad():
        student.model.encoder.layers[0].fc2.bias.fill_(1e5)
        with torch.autocast("cpu", torch.float16):
            states = decoder_states(student, batch)
    assert states.dtype == torch.float16
    assert states.isfinite().all()


def test_a_weights_gradient_over_many_tokens_stays_within_fp16():
    tokens, width, pieces = 4 * FP16_TOKENS, 8, 4
    states = torch.full((tokens, width), 8.0)
    weight = torch.zeros(pieces, width)
    gradients = {}
    for dtype in (torch.float32, torch.float16):
        student = Projection(states.to(dtype), weight.clone().requires_grad_(), torch.zeros(pieces))
        labels = torch.zeros(tokens, dtype=torch.long)
        with torch.autocast("cpu", torch.float16, enabled=dtype == torch.float16):
            projection_loss(DistillationLoss(), student, labels).loss.mul(1e-4).backward()
        gradients[dtype] = student.weight.grad.float()
    assert gradients[torch.float16].isfinite().all()
    assert torch.allclose(gradients[torch.float16], gradients[torch.float32], rtol=2e-3)


# Older processors

CHOICE = """
import torch
from marian_distill.training.arguments import DistillTrainingArguments
from marian_distill.training.precision import choose
from marian_distill.students.marian.config import student_config
from marian_distill.students.marian.model import new_student
from marian_distill.students.packing import PairCollator
sizes = {"d_model": 64, "encoder_layers": 2, "decoder_layers": 1, "attention_heads": 2, "ffn_dim": 256}
student = new_student(student_config(**sizes, vocab_size=500))
ids = torch.randint(0, 499, (32, 16)).tolist()
batch = PairCollator(499)([{"input_ids": row, "labels": row} for row in ids])
plan = choose(student, None, batch, DistillTrainingArguments(output_dir="unused", use_cpu=True))
print(torch.backends.cpu.get_cpu_capability(), plan.precision, plan.reason, sep="\\n")
"""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="AVX2 is of x86 processors")
def test_a_processor_with_avx2_alone_trains_in_fp32():
    ran = subprocess.run(
        [sys.executable, "-c", CHOICE], env={**os.environ, **AVX2}, capture_output=True, text=True, check=True
    )
    capability, chosen, reason = ran.stdout.splitlines()
    assert (capability, chosen) == ("AVX2", "fp32")
    assert "bf16 products run" in reason

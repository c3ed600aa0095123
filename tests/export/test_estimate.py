import warnings

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import MarianConfig

from marian_distill.export.estimate import WEIGHT_BYTES, estimate
from marian_distill.students.liquid.configuration import CELLS, LiquidConfig
from marian_distill.students.liquid.graphs import static_graphs as liquid_graphs
from marian_distill.students.liquid.student import LiquidStudent
from marian_distill.students.loading import load_student
from marian_distill.students.marian.graphs import static_graphs
from toy_model import write_model

SIZES = {
    "d_model": 32,
    "encoder_layers": 3,
    "decoder_layers": 2,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 80,
    "vocab_size": 700,
}


CONFIG = MarianConfig(**SIZES, encoder_attention_heads=2, decoder_attention_heads=2)


def widened(**changes):
    return MarianConfig(**{**SIZES, **changes})


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    directory = tmp_path_factory.mktemp("estimate") / "model"
    return load_student(write_model(directory, rows=SIZES["vocab_size"], **SIZES))


def multiply_adds(graph):
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph.module.eval()(*(torch.zeros(shape) for shape in graph.inputs.values()))
    return counter.get_total_flops() / 2


@pytest.mark.parametrize("cached", [False, True])
def test_the_counts_are_those_of_the_graphs(model, cached):
    found = estimate(CONFIG, "fp16", cached, source_length=20, target_length=24)
    graphs = static_graphs(model, 20, 24, cached=cached, projection_apart=False).graphs
    # The stateless decoder picks its row by a product with the one-hot position.
    picking = 0 if cached else 24 * SIZES["d_model"]
    assert found["encoder"]["multiply_adds"] == multiply_adds(graphs["encoder"])
    assert found["step"]["multiply_adds"] == multiply_adds(graphs["decoder"]) - picking


@pytest.mark.parametrize("cell", CELLS)
def test_the_counts_of_a_liquid_student_are_those_of_its_graphs(cell):
    pad = {"vocab_size": 700, "pad_token_id": 699, "decoder_start_token_id": 699}
    cells = {"cell": cell, "units": 32 if cell == "ssru" else 24, "motor_units": 7}
    config = LiquidConfig(d_model=32, ffn_dim=48, encoder_layers=2, decoder_layers=2, **cells, **pad)
    found = estimate(config, "fp16", cached=False, source_length=20, target_length=24)
    student = LiquidStudent(config).eval()
    graphs = liquid_graphs(student, 20, 24, cached=True, projection_apart=False).graphs
    assert found["encoder"]["multiply_adds"] == multiply_adds(graphs["encoder"])
    assert found["step"]["multiply_adds"] == multiply_adds(graphs["decoder"])


@pytest.mark.parametrize("dtype", ["fp16", "w4a16"])
def test_the_bytes_are_those_of_the_weights(model, dtype):
    found = estimate(CONFIG, dtype, cached=True)
    # Weights of matrix products; the table of embeddings counts as the projection, once.
    matrices = [weight for name, weight in model.named_parameters() if weight.dim() == 2 and "embed_pos" not in name]
    assert found["graph_megabytes"] == sum(each.numel() for each in matrices) * WEIGHT_BYTES[dtype] / 1e6
    assert found["megabytes"] == pytest.approx(found["graph_megabytes"] + found["host_megabytes"])


def test_what_bounds_a_call():
    wide = widened(d_model=512, encoder_ffn_dim=2048, decoder_ffn_dim=2048, vocab_size=32_001)
    step = estimate(wide, "w8a8", cached=True)["step"]
    assert step["milliseconds"] >= step["bytes"] / 8.6e9 * 1000  # memory: few multiply-adds, many weights
    encoder = estimate(wide, "w8a8", cached=True, source_length=512)["encoder"]
    assert encoder["milliseconds"] > 1.2 * encoder["bytes"] / 8.6e9 * 1000  # the multiply-adds of 512 rows


def test_smaller_types_are_faster_and_smaller_but_for_what_stays_in_fp16():
    by_type = {dtype: estimate(CONFIG, dtype, cached=True) for dtype in ("fp16", "hybrid", "w8a8", "w4a16")}
    megabytes = {dtype: one["graph_megabytes"] for dtype, one in by_type.items()}
    assert megabytes["w4a16"] < megabytes["w8a8"] < megabytes["fp16"]
    assert megabytes["w8a8"] > megabytes["fp16"] / 2  # residual sums
    assert megabytes["w8a8"] < megabytes["hybrid"] < megabytes["fp16"]


@pytest.mark.parametrize(("vocab_size", "meets"), [(8_001, True), (300_001, False)])
def test_the_verdict_and_what_is_left_for_a_call(vocab_size, meets):
    found = estimate(widened(d_model=320, vocab_size=vocab_size), "fp16", cached=True)
    assert found["meets_target"] == meets
    assert found["left_for_a_call_milliseconds"] == (30 - found["sentence_milliseconds"]) / 14

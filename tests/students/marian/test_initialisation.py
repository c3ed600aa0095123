from collections import Counter

import pytest
import torch

from marian_distill.errors import UserError
from marian_distill.pieces import SentencePieceTokenizer
from marian_distill.students.marian.config import student_config
from marian_distill.students.marian.initialisation import (
    Selection,
    init_from_teacher,
    parse_layer_map,
    spread_layers,
    teacher_rows,
)
from marian_distill.students.marian.model import new_student
from marian_distill.students.packing import PairCollator
from toy_model import write_tokenizer


@pytest.fixture
def teacher(new_model):
    teacher = new_model(seed=1, encoder_layers=6, decoder_layers=6, vocab_size=60)
    with torch.no_grad():
        for parameter in teacher.parameters():
            parameter.normal_()  # norms and biases too, so that each layer is told apart
    return teacher


def layer_of(model, side: str, index: int) -> dict[str, torch.Tensor]:
    return getattr(model.model, side).layers[index].state_dict()


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_six_layers_to_two_across_vocabularies(teacher, new_model):
    student = new_model(encoder_layers=6, decoder_layers=2, vocab_size=40)
    embeddings = student.get_input_embeddings().weight.clone()
    report = init_from_teacher(student, teacher, same_vocabulary=False, decoder_layer_map=[0, 5])
    assert report.as_dict()["counts"] == {"copied": 98, "mapped": 52, "skipped": 5}
    assert report.summary() == "98 tensors copied, 52 mapped, 5 skipped (5 vocabulary differs)"
    assert set(report.skipped) == {
        "final_logits_bias",
        "model.shared.weight",
        "model.encoder.embed_tokens.weight",
        "model.decoder.embed_tokens.weight",
        "lm_head.weight",
    }
    assert set(report.skipped.values()) == {"vocabulary differs"}
    assert Counter(name.split(".")[3] for name in report.mapped) == {"0": 26, "1": 26}
    assert all(name.startswith("model.decoder.layers.") for name in report.mapped)
    assert sum(name.startswith("model.encoder.layers.") for name in report.copied) == 6 * 16
    assert {*report.copied, *report.mapped, *report.skipped} == set(student.state_dict())

    for layer in range(6):
        assert same(layer_of(student, "encoder", layer), layer_of(teacher, "encoder", layer))
    assert same(layer_of(student, "decoder", 0), layer_of(teacher, "decoder", 0))
    assert same(layer_of(student, "decoder", 1), layer_of(teacher, "decoder", 5))
    assert torch.equal(student.get_input_embeddings().weight, embeddings)


def test_the_same_vocabulary_copies_embeddings_too(teacher, new_model):
    student = new_model(encoder_layers=2, decoder_layers=1, vocab_size=60)
    teacher.final_logits_bias.normal_()
    report = init_from_teacher(student, teacher, same_vocabulary=True, encoder_layer_map=[2, 4])
    assert not report.skipped
    assert torch.equal(student.get_input_embeddings().weight, teacher.get_input_embeddings().weight)
    assert torch.equal(student.final_logits_bias, teacher.final_logits_bias)
    assert same(layer_of(student, "encoder", 0), layer_of(teacher, "encoder", 2))
    assert same(layer_of(student, "encoder", 1), layer_of(teacher, "encoder", 4))
    assert same(layer_of(student, "decoder", 0), layer_of(teacher, "decoder", 5))  # one layer: the last


def test_a_whole_copy_says_what_the_teacher_says(teacher, new_model):
    student = new_model(seed=9, encoder_layers=6, decoder_layers=6, vocab_size=60)
    report = init_from_teacher(student, teacher, same_vocabulary=True)
    assert (len(report.mapped), len(report.skipped)) == (0, 0)
    inputs = {"input_ids": torch.tensor([[5, 6, 0]]), "decoder_input_ids": torch.tensor([[59, 7]])}
    with torch.no_grad():
        torch.testing.assert_close(student.eval()(**inputs).logits, teacher.eval()(**inputs).logits)


# What the same shape does not tell


@pytest.mark.parametrize(
    ("changes", "part", "reason"),
    [
        ({"attention_heads": 4}, "_attn.", "4 heads, the teacher's 2"),
        ({"activation_function": "relu"}, ".fc", "relu, the teacher's swish"),
        ({"ffn_dim": 24}, ".fc", "24 units, the teacher's 32"),
    ],
)
def test_blocks_that_would_compute_something_else_are_not_copied(changes, part, reason, teacher, new_model, caplog):
    student = new_model(encoder_layers=6, decoder_layers=2, vocab_size=60, **changes)
    before = {name: tensor.clone() for name, tensor in student.state_dict().items()}
    report = init_from_teacher(student, teacher, same_vocabulary=True)
    blocks = {name for name in before if part in name and "layer_norm" not in name}
    assert report.skipped == dict.fromkeys(blocks, reason)
    assert all(torch.equal(student.state_dict()[name], before[name]) for name in blocks)
    assert "model.encoder.layers.0.final_layer_norm.weight" in report.copied
    assert f"{len(blocks)} {reason}" in report.summary()
    assert (
        f"not taken from the teacher, hence random: encoder {'attention' if part == '_attn.' else 'feed-'}"
        in caplog.text
    )


def test_embeddings_that_are_scaled_otherwise_are_not_copied(teacher, new_model):
    student = new_model(encoder_layers=6, decoder_layers=6, vocab_size=60)
    student.config.scale_embedding = not teacher.config.scale_embedding
    report = init_from_teacher(student, teacher, same_vocabulary=True)
    assert "model.shared.weight" in report.skipped
    assert set(report.skipped.values()) == {f"scale_embedding {student.config.scale_embedding}, the teacher's True"}


def test_a_narrower_feed_forward_layer_is_shrunk_where_asked(teacher, new_model):
    student = new_model(encoder_layers=6, decoder_layers=6, vocab_size=60, ffn_dim=24)
    report = init_from_teacher(student, teacher, same_vocabulary=True, shrink=True)
    assert not report.skipped
    assert {name.rpartition("fc")[1] for name in report.shrunk} == {"fc"}
    theirs, ours = (model.model.encoder.layers[0] for model in (teacher, student))
    units = (theirs.fc1.weight.norm(dim=1) * theirs.fc2.weight.norm(dim=0)).topk(24).indices.sort().values
    torch.testing.assert_close(ours.fc1.weight, theirs.fc1.weight[units])
    assert torch.equal(ours.fc2.bias, theirs.fc2.bias)


@pytest.mark.parametrize(
    ("width", "message"),
    [
        (24, "a student of width 24 cannot start from a teacher of width 16"),
        (8, "width 8 cannot start from a teacher of width 16; --init-from-teacher-shrink takes some"),
    ],
)
def test_another_width_is_told(width, message, teacher, new_model):
    with pytest.raises(UserError, match=message):
        init_from_teacher(new_model(d_model=width), teacher, same_vocabulary=True)


@pytest.mark.parametrize(("student", "expected"), [(1, [5]), (2, [0, 5]), (3, [0, 2, 5]), (6, [0, 1, 2, 3, 4, 5])])
def test_layers_are_spread_over_the_teacher(student, expected):
    assert spread_layers(student, 6) == expected


def test_a_layer_map_is_a_list_of_teacher_layers():
    assert parse_layer_map("0, 5", 2, 6, "decoder") == [0, 5]
    assert parse_layer_map("first,3,last", 3, 6, "encoder") == [0, 3, 5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,x", "decoder layer map '0,x': expected teacher layers such as 0,5"),
        ("", "expected teacher layers"),
        ("0", "1 layers given, but the student's decoder has 2"),
        ("0,1,2", "3 layers given"),
        ("0,6", r"layer 6 is not one of the teacher's 0\.\.5"),
        ("-1,0", "layer -1"),
    ],
)
def test_a_bad_layer_map_is_told(text, message):
    with pytest.raises(UserError, match=message):
        parse_layer_map(text, 2, 6, "decoder")


# Another width


def test_the_residual_stream_is_chosen_alike_everywhere(new_model):
    teacher = new_model(seed=1, d_model=16, ffn_dim=32)
    student = new_model(d_model=8, ffn_dim=12)
    report = init_from_teacher(student, teacher, same_vocabulary=True, shrink=True)
    assert not [name for name in report.skipped if "embed_positions" not in name]
    residual = torch.tensor([0, 2, 4, 6, 8, 10, 12, 14])  # every second sine, every second cosine
    theirs, ours = teacher.state_dict(), student.state_dict()
    assert torch.equal(ours["model.shared.weight"], theirs["model.shared.weight"][:, residual] * 2**0.5)
    layer = "model.encoder.layers.0"
    assert torch.equal(ours[f"{layer}.final_layer_norm.bias"], theirs[f"{layer}.final_layer_norm.bias"][residual])
    importance = theirs[f"{layer}.fc1.weight"].norm(dim=1) * theirs[f"{layer}.fc2.weight"].norm(dim=0)
    units = importance.topk(12).indices.sort().values
    torch.testing.assert_close(ours[f"{layer}.fc1.weight"], theirs[f"{layer}.fc1.weight"][units][:, residual] * 2**0.5)
    torch.testing.assert_close(
        ours[f"{layer}.fc2.weight"], theirs[f"{layer}.fc2.weight"][residual][:, units] * (32 / 12) ** 0.5
    )
    assert torch.equal(ours[f"{layer}.fc1.bias"], theirs[f"{layer}.fc1.bias"][units])


def test_the_student_s_positions_are_those_of_the_chosen_dimensions(new_model):
    teacher, student = new_model(d_model=64), new_model(d_model=40)
    chosen = Selection(student, teacher).residual
    theirs, ours = (model.model.encoder.embed_positions.weight for model in (teacher, student))
    agreement, first = (
        torch.nn.functional.cosine_similarity(theirs[:30, some], ours[:30], dim=-1).min()
        for some in (chosen, range(40))
    )
    assert agreement > 0.9 > 0.6 > first


def test_each_head_comes_from_one_of_the_teacher_s(new_model):
    teacher = new_model(seed=1, d_model=32, attention_heads=4, ffn_dim=32)
    student = new_model(d_model=16, attention_heads=2, ffn_dim=32)
    init_from_teacher(student, teacher, same_vocabulary=True, shrink=True)
    query = student.model.decoder.layers[0].encoder_attn.q_proj
    theirs = teacher.model.decoder.layers[0].encoder_attn.q_proj
    residual = Selection(student, teacher).residual
    for ours, head in ((slice(0, 8), 0), (slice(8, 16), 2)):
        expected = theirs.weight[head * 8 : head * 8 + 8][:, residual] * 2**0.5
        torch.testing.assert_close(query.weight[ours], expected)


def test_a_shrunk_student_knows_more_than_a_new_one(toy_model_dir):
    from marian_distill.students.loading import load_student
    from toy_model import PAIRS

    teacher, pieces = load_student(toy_model_dir), SentencePieceTokenizer(toy_model_dir)
    config = student_config(
        d_model=44, encoder_layers=1, decoder_layers=1, attention_heads=2, ffn_dim=90, dropout=0.0,
        vocab_size=len(pieces.vocabulary),
    )  # fmt: skip
    english, chinese = zip(*PAIRS, strict=True)
    rows = zip(pieces.source_pieces(english), pieces.target_pieces(chinese), strict=True)
    batch = PairCollator(pieces.pad_id)([{"input_ids": pieces.ids(s), "labels": pieces.ids(t)} for s, t in rows])
    losses = {}
    for start in ("new", "shrunk"):
        student = new_student(config).eval()
        if start == "shrunk":
            init_from_teacher(student, teacher, same_vocabulary=True, shrink=True)
        with torch.no_grad():
            losses[start] = student(**batch).loss.item()
    assert losses["shrunk"] < 0.7 * losses["new"]


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"d_model": 32, "attention_heads": 2}, "a student of width 32 cannot start from a teacher of width 16"),
        ({"d_model": 12, "attention_heads": 1}, "1 heads of 12 dimensions cannot be taken from the teacher's 2 of 8"),
        ({"d_model": 8, "ffn_dim": 64}, "a layer of 64 units cannot be taken from the teacher's 32"),
    ],
)
def test_what_cannot_be_shrunk_is_told(sizes, message, new_model):
    with pytest.raises(UserError, match=message):
        init_from_teacher(new_model(**sizes), new_model(), same_vocabulary=True, shrink=True)


# Another vocabulary


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory: pytest.TempPathFactory) -> tuple[SentencePieceTokenizer, SentencePieceTokenizer]:
    """A large and a small vocabulary of the same text."""
    folder = tmp_path_factory.mktemp("tokenizers")
    for name, size in (("large", 440), ("small", 340)):
        write_tokenizer(folder / name, vocab_size=size)
    return SentencePieceTokenizer(folder / "large"), SentencePieceTokenizer(folder / "small")


def test_a_piece_is_made_of_the_teacher_s_pieces_of_its_text(tokenizers):
    pieces, teacher = tokenizers
    rows = dict(zip(pieces.pieces, teacher_rows(pieces, teacher), strict=True))
    names = teacher.pieces
    composed = {piece: [names[row] for row in found] for piece, found in rows.items() if len(found) > 1}
    assert composed
    for piece, parts in composed.items():
        assert "".join(parts).replace("▁", "") == piece.replace("▁", "")
    for piece in set(pieces.vocabulary) & set(teacher.vocabulary):
        assert rows[piece] == [teacher.vocabulary[piece]]


def test_transferred_rows_are_means(tokenizers, new_model):
    pieces, teacher_pieces = tokenizers
    teacher = new_model(seed=1, vocab_size=len(teacher_pieces.vocabulary))
    teacher.final_logits_bias.normal_()
    student = new_model(vocab_size=len(pieces.vocabulary))
    new = student.get_input_embeddings().weight.clone()
    rows = teacher_rows(pieces, teacher_pieces)
    report = init_from_teacher(student, teacher, same_vocabulary=False, piece_rows=rows)
    assert set(report.transferred) >= {"model.shared.weight", "lm_head.weight", "final_logits_bias"}
    assert not report.skipped
    assert sum(report.pieces.values()) == len(pieces.vocabulary)
    theirs, ours = teacher.get_input_embeddings().weight, student.get_input_embeddings().weight
    for piece, chosen in enumerate(rows):
        expected = theirs[chosen].mean(dim=0) if chosen else new[piece]
        torch.testing.assert_close(ours[piece], expected)
        if chosen:
            torch.testing.assert_close(
                student.final_logits_bias[0, piece], teacher.final_logits_bias[0, chosen].mean()
            )

"""Rows of packed samples: each token is learnt once, and a sample's logits are those that it has alone."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from transformers import Qwen3ForCausalLM

from marian_distill.errors import UserError
from marian_distill.students.projection import IGNORED_LABEL
from marian_distill.students.rows import PackedRows, pack, prompted_samples, stack, text_samples
from marian_distill.tokenizer_file import translation_prompts
from toy_language_model import TEXTS, new_toy_model

LENGTH = 48


def test_the_layers_of_a_row_are_those_of_its_samples_alone(toy_tokenizer):
    model = new_toy_model(toy_tokenizer)
    model.set_attn_implementation("eager")
    samples = text_samples(TEXTS[:2], toy_tokenizer, LENGTH)
    (row,) = rows = PackedRows(samples, toy_tokenizer, LENGTH, seed=1)
    batch = stack([row])
    with torch.no_grad():
        projection, layers = model.project_with_layers(batch)
        assert torch.equal(projection.states, model.project(batch).states)
        place = 0
        for sample in rows.rows[0]:
            ids = torch.from_numpy(samples.ids[samples.offsets[sample] : samples.offsets[sample + 1]][:-1]).long()
            alone = Qwen3ForCausalLM.forward(model, ids[None], output_hidden_states=True, output_attentions=True)
            here = slice(place, place + len(ids))
            for found, expected in zip(layers.hidden["decoder"], alone.hidden_states[1:], strict=True):
                torch.testing.assert_close(found[here], expected[0], rtol=0, atol=1e-4)
            for found, expected in zip(layers.attention["decoder"], alone.attentions, strict=True):
                torch.testing.assert_close(found[here, :, here].transpose(0, 1), expected[0], rtol=0, atol=1e-4)
            place += len(ids)
    assert torch.equal(layers.hidden["decoder"][-1], projection.states)
    model.set_attn_implementation("sdpa")
    assert not model.project_with_layers(batch)[1].attention


@pytest.fixture(scope="module")
def rows(toy_tokenizer):
    return PackedRows(text_samples(TEXTS, toy_tokenizer, LENGTH), toy_tokenizer, LENGTH, seed=1)


def test_every_sample_is_in_one_row(rows):
    assert sorted(np.concatenate(rows.rows).tolist()) == list(range(len(TEXTS)))
    assert rows.padding_share() < 0.05
    assert all(rows.samples.lengths[row].sum() <= LENGTH for row in rows.rows)


def test_rows_hang_on_the_seed_alone(toy_tokenizer, rows):
    again = PackedRows(rows.samples, toy_tokenizer, LENGTH, seed=1)
    other = PackedRows(rows.samples, toy_tokenizer, LENGTH, seed=2)
    assert [row.tolist() for row in again.rows] == [row.tolist() for row in rows.rows]
    assert [row.tolist() for row in other.rows] != [row.tolist() for row in rows.rows]


def test_labels_are_the_next_tokens(toy_tokenizer, rows):
    row = rows[0]
    texts = []
    starts = [*np.flatnonzero((row["position_ids"] == 0) & (row["labels"] != IGNORED_LABEL)), LENGTH]
    for start, end in pairwise(starts):
        labels = [label for label in row["labels"][start:end] if label != IGNORED_LABEL]
        assert row["input_ids"][start] == toy_tokenizer.start_id
        assert labels[:-1] == row["input_ids"][start + 1 : start + len(labels)].tolist()
        assert labels[-1] == toy_tokenizer.end_id
        texts.append(toy_tokenizer.decode(labels))
    assert texts == [TEXTS[index] for index in rows.rows[0]]


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_logits_of_a_packed_sample_are_those_of_the_sample_alone(attention, toy_tokenizer, rows):
    model = new_toy_model(toy_tokenizer)
    model.set_attn_implementation(attention)
    fullest = max(range(len(rows)), key=lambda index: len(rows.rows[index]))
    assert len(rows.rows[fullest]) > 2
    batch = stack([rows[fullest], rows[0]])
    with torch.inference_mode():
        packed = model(input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False).logits
        place = 0
        for sample in rows.rows[fullest]:
            begin, end = rows.samples.offsets[sample : sample + 2]
            ids = torch.tensor(rows.samples.ids[begin : end - 1].astype(np.int64))[None]
            alone = model(input_ids=ids, use_cache=False).logits
            torch.testing.assert_close(packed[:1, place : place + ids.shape[1]], alone, rtol=0, atol=2e-5)
            place += ids.shape[1]


def test_another_sample_in_the_row_changes_nothing(toy_tokenizer, rows):
    model = new_toy_model(toy_tokenizer)
    batch = stack([rows[0]])
    first = int(rows.samples.lengths[rows.rows[0][0]])
    changed = batch["input_ids"].clone()
    changed[:, :first] = 7
    with torch.inference_mode():
        logits = [model(input_ids=ids, position_ids=batch["position_ids"], use_cache=False).logits for ids in (batch["input_ids"], changed)]  # fmt: skip # noqa: E501
    torch.testing.assert_close(logits[0][:, first:], logits[1][:, first:], rtol=0, atol=0)
    assert not torch.equal(logits[0][:, :first], logits[1][:, :first])


def test_a_long_document_is_cut_and_no_token_is_lost(toy_tokenizer):
    text = " ".join(TEXTS[:40])
    samples = text_samples([text], toy_tokenizer, 16)
    whole = [toy_tokenizer.start_id, *toy_tokenizer.encode([text])[0], toy_tokenizer.end_id]
    assert samples.lengths.max() == 16
    learnt = [samples.ids[begin + 1 : end] for begin, end in pairwise(samples.offsets)]
    assert np.concatenate(learnt).tolist() == whole[1:]
    assert samples.learnt_tokens == len(whole) - 1
    assert samples.text_bytes == len(text.encode()) + 1


def test_of_a_translation_the_target_alone_is_learnt(toy_tokenizer):
    prompts = translation_prompts(toy_tokenizer, ["I want tea."], "en-zh")
    samples = prompted_samples([(prompts[0], "我想要茶。")], toy_tokenizer, LENGTH)
    row = PackedRows(samples, toy_tokenizer, LENGTH, seed=0)[0]
    learnt = row["labels"][row["labels"] != IGNORED_LABEL].tolist()
    assert toy_tokenizer.decode(learnt) == "我想要茶。"
    assert learnt[-1] == toy_tokenizer.end_id
    tag = toy_tokenizer.library.token_to_id(">>cmn_Hans<<")
    assert row["input_ids"][np.flatnonzero(row["labels"] != IGNORED_LABEL)[0]] == tag
    assert samples.text_bytes == len("我想要茶。".encode()) + 1


def test_a_translation_that_is_too_long_is_left_out_and_counted(toy_tokenizer):
    samples = prompted_samples([([0, 1], "茶" * 100), ([0, 1], "茶")], toy_tokenizer, 16)
    assert (len(samples), samples.left_out) == (1, 1)


def test_rows_that_are_too_short_are_refused():
    with pytest.raises(UserError, match="a sample of 9 tokens does not fit into a row of 8"):
        pack([3, 9], 8, seed=0)

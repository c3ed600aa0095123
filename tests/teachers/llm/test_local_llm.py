"""Both engines against transformers' own generate: same texts, whatever shares a batch with them."""

import math
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM

from marian_distill.errors import UserError
from marian_distill.runtime.generation import Sampling
from marian_distill.teachers.llm.ctranslate2_engine import CTranslate2Engine
from marian_distill.teachers.llm.local import LocalBackend, load_chat_tokenizer, shared_prefix
from marian_distill.teachers.llm.prompt import Prompt
from marian_distill.teachers.llm.transformers_engine import TransformersEngine, fastest_type
from toy_model import PAIRS

PROMPT = Prompt(
    user="{source}",
    system="Translate {source_language} into {target_language}.",
    examples=[{"en": "Yes.", "zh": "是。"}],
)
SOURCES = [en for en, _ in PAIRS[:12]] + ["Hm."]
GREEDY = Sampling(temperature=0.0, max_new_tokens=12)


def conversations(sources=SOURCES):
    return [PROMPT.conversation(source, "en-zh") for source in sources]


@pytest.fixture(scope="module")
def tokenizer(toy_chat_dir):
    return load_chat_tokenizer(toy_chat_dir)


@pytest.fixture(params=["transformers", "ctranslate2"])
def engine(request, tokenizer, toy_chat_dir, toy_chat_ct2_dir):
    if request.param == "transformers":
        return TransformersEngine(toy_chat_dir, tokenizer, compute_type="float32", threads=1)
    return CTranslate2Engine(toy_chat_ct2_dir, tokenizer, threads=1)


def plainly(tokenizer, folder, sampling, sources=SOURCES):
    """What generate of transformers says to each prompt alone, with the mean log-probability of it."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    backend = LocalBackend(_Nothing(), tokenizer, {})
    found = []
    for ids in backend.prompt_ids(conversations(sources)):
        options = {
            "do_sample": False,
            "max_new_tokens": sampling.max_new_tokens,
            "eos_token_id": tokenizer.eos_token_id,
        }
        options["repetition_penalty"] = sampling.repetition_penalty
        made = model.generate(torch.tensor([ids]), **options, pad_token_id=tokenizer.eos_token_id)[0]
        with torch.inference_mode():
            said = model(made[None]).logits[0].log_softmax(-1)
        answer = made[len(ids) :]
        score = said[len(ids) - 1 : -1].gather(-1, answer[:, None]).mean().item()
        text = tokenizer.decode(answer, skip_special_tokens=True)
        found.append((text, score, answer[-1].item() == tokenizer.eos_token_id))
    return found


class _Nothing:
    def __init__(self):
        self.provenance = {}


@pytest.mark.parametrize("rows", [1, 5, 64])
def test_batches_say_what_each_prompt_alone_would_get(engine, tokenizer, toy_chat_dir, rows):
    engine.rows = rows
    expected = plainly(tokenizer, toy_chat_dir, GREEDY)
    for (answer,), (text, score, finished) in zip(
        LocalBackend(engine, tokenizer, {}).answer(conversations(), 1, GREEDY), expected, strict=True
    ):
        assert (answer.text, answer.finished) == (text, finished)
        assert answer.score == pytest.approx(score, abs=1e-3)


def test_what_met_the_limit_is_not_finished_and_what_ended_is(engine, tokenizer, toy_chat_dir):
    everything = plainly(tokenizer, toy_chat_dir, replace(GREEDY, max_new_tokens=40))
    answers = LocalBackend(engine, tokenizer, {}).answer(conversations(), 1, replace(GREEDY, max_new_tokens=3))
    assert [answer.finished for (answer,) in answers] == [
        finished and len(tokenizer(text, add_special_tokens=False).input_ids) < 3 for text, _, finished in everything
    ]
    assert not all(answer.finished for (answer,) in answers)


def test_a_repetition_penalty_counts_what_the_engine_counts(engine, tokenizer, toy_chat_dir):
    penalised = replace(GREEDY, repetition_penalty=1.3)
    expected = [text for text, _, _ in plainly(tokenizer, toy_chat_dir, penalised)]
    said = [one.text for (one,) in LocalBackend(engine, tokenizer, {}).answer(conversations(), 1, penalised)]
    if isinstance(engine, CTranslate2Engine):  # which counts what it wrote, and never a prompt
        assert said != [text for text, _, _ in plainly(tokenizer, toy_chat_dir, GREEDY)]
    else:
        assert said == expected


def test_several_are_drawn(engine, tokenizer):
    sampling = Sampling(temperature=1.0, top_p=0.95, top_k=50, max_new_tokens=8)
    answers = LocalBackend(engine, tokenizer, {}).answer(conversations(), 4, sampling)
    assert {len(several) for several in answers} == {4}
    assert all(len({one.text for one in several}) > 1 for several in answers)
    assert all(one.score is not None and math.isfinite(one.score) for several in answers for one in several)


def test_what_is_drawn_hangs_on_the_seed_and_the_texts(tokenizer, toy_chat_dir):
    sampling = Sampling(temperature=1.0, max_new_tokens=8)
    said = []
    for seed in (1, 1, 2):
        engine = TransformersEngine(toy_chat_dir, tokenizer, compute_type="float32", threads=1, seed=seed)
        backend = LocalBackend(engine, tokenizer, {})
        if len(said) == 1:
            backend.answer(conversations(SOURCES[:3]), 2, sampling)  # done before a stop, or not
        said.append(backend.answer(conversations(), 2, sampling))
    assert said[0] == said[1] != said[2]


def test_a_prompt_that_fills_the_context_has_no_answer(engine, tokenizer):
    engine.context = 200
    long = "tea " * 200
    answers = LocalBackend(engine, tokenizer, {}).answer(conversations([SOURCES[0], long]), 1, GREEDY)
    assert [len(several) for several in answers] == [1, 0]


def test_the_shared_prefix_leaves_each_prompt_a_token():
    assert shared_prefix([]) == []
    assert shared_prefix([[1, 2, 3]]) == [1, 2]
    assert shared_prefix([[1, 2, 3], [1, 2, 4, 5]]) == [1, 2]
    assert shared_prefix([[1, 2], [1, 2, 3]]) == [1]
    assert shared_prefix([[3, 1], [4, 1]]) == []


def test_as_many_rows_as_half_of_the_free_memory_holds(tokenizer, toy_chat_dir, monkeypatch):
    engine = TransformersEngine(toy_chat_dir, tokenizer, compute_type="float32", threads=1)
    row = 2 * (2 * 2 * 2 * 8 * 4 * 100) + 3 * 4 * engine.vocabulary  # layers, keys and values, heads, width, bytes
    monkeypatch.setattr(engine, "_free_bytes", lambda: 2 * 7 * row)
    assert engine.batch_rows(100) == 7
    monkeypatch.setattr(engine, "_free_bytes", lambda: 0)
    assert engine.batch_rows(100) == 1


def test_the_fastest_type_keeps_the_weights(toy_chat_dir):
    model = AutoModelForCausalLM.from_pretrained(toy_chat_dir, dtype=torch.bfloat16)
    before = model.get_input_embeddings().weight.float().clone()
    after = fastest_type(model)
    assert after.dtype in (torch.bfloat16, torch.float32)
    assert torch.equal(after.get_input_embeddings().weight.float(), before)


def test_a_folder_without_a_chat_template_is_refused(toy_chat_dir, tmp_path):
    for name in ("tokenizer.json", "config.json"):
        (tmp_path / name).write_bytes((toy_chat_dir / name).read_bytes())
    with pytest.raises(UserError, match="no chat template"):
        load_chat_tokenizer(tmp_path)
    with pytest.raises(UserError, match="no tokenizer that transformers can load"):
        load_chat_tokenizer(tmp_path / "nowhere")

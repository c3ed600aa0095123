"""Writing: stop strings, contexts, costs over a scripted engine; the same text from CTranslate2 and from torch."""

import subprocess
import sys

import pytest

from marian_distill.errors import UserError
from marian_distill.runtime.ct2_generator import CTranslate2Generator
from marian_distill.runtime.generation import Cost, Sampling, stream_text
from toy_language_model import TEXTS

GREEDY = Sampling(temperature=0.0, max_new_tokens=20)


class Script:
    """An engine that says what it was told to."""

    compute_type = "none"

    def __init__(self, tokenizer, text: str, context: int = 64) -> None:
        self.tokenizer, self.text, self.context = tokenizer, text, context
        self.prompts: list[list[int]] = []

    def generate(self, prompt, sampling):
        self.prompts.append(prompt)
        yield from self.tokenizer.encode([self.text])[0]

    def log_probabilities(self, rows):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        ((), "I want tea. We like milk."),
        ((".",), "I want tea"),
        (("We like milk!",), "I want tea. We like milk."),  # began like it, was not
        (("like", "tea"), "I want "),
        (("ik", "k"), "I want tea. We l"),
    ],
)
def test_stop_strings(stop, expected, toy_tokenizer):
    engine = Script(toy_tokenizer, "I want tea. We like milk.")
    pieces = list(stream_text(engine, "", Sampling(stop=stop, max_new_tokens=40)))
    assert "".join(pieces) == expected
    assert all(pieces)


def test_text_is_told_as_soon_as_it_is_sure(toy_tokenizer):
    engine = Script(toy_tokenizer, "I want tea.")
    assert len(list(stream_text(engine, "", Sampling(max_new_tokens=40)))) == len(
        toy_tokenizer.encode(["I want tea."])[0]
    )


def test_of_a_long_prompt_the_end_is_kept(toy_tokenizer):
    engine = Script(toy_tokenizer, "tea", context=30)
    list(stream_text(engine, " ".join(TEXTS[:20]), Sampling(max_new_tokens=10)))
    (prompt,) = engine.prompts
    assert len(prompt) == 20
    assert prompt[0] == toy_tokenizer.start_id
    assert prompt[1:] == toy_tokenizer.encode([" ".join(TEXTS[:20])])[0][-19:]
    with pytest.raises(UserError, match="--max-new-tokens 30: this model's context is 30 tokens"):
        list(stream_text(engine, "", Sampling(max_new_tokens=30)))


def test_costs_are_counted(toy_tokenizer):
    cost = Cost()
    assert cost.report()["tokens_per_second"] is None
    for _ in range(2):
        list(stream_text(Script(toy_tokenizer, "I want tea."), "", Sampling(max_new_tokens=40), cost))
    report = cost.report()
    assert report["tokens"] == 2 * len(toy_tokenizer.encode(["I want tea."])[0])
    assert len(cost.first_token_seconds) == 2
    assert report["tokens_per_second"] > 0


def test_both_engines_write_the_same(toy_writer_dir, toy_writer_ct2_dir):
    from marian_distill.evaluation.hf_generator import HFGenerator

    trained, exported = HFGenerator(toy_writer_dir), CTranslate2Generator(toy_writer_ct2_dir, threads=1)
    assert trained.context == exported.context == 64
    for prompt in ("", "I want", "我们", "The milk is"):
        texts = ["".join(stream_text(engine, prompt, GREEDY)) for engine in (trained, exported)]
        assert texts[0] == texts[1]
    rows = [
        [trained.tokenizer.start_id, *ids, trained.tokenizer.end_id] for ids in trained.tokenizer.encode(TEXTS[:8])
    ]
    for ours, theirs in zip(trained.log_probabilities(rows), exported.log_probabilities(rows), strict=True):
        assert ours == pytest.approx(theirs, abs=1e-4)


def test_a_sentence_that_was_learnt_ends_by_itself(toy_writer_ct2_dir):
    engine = CTranslate2Generator(toy_writer_ct2_dir, threads=1)
    written = {f"I{''.join(stream_text(engine, 'I', Sampling(max_new_tokens=30)))}" for _ in range(8)}
    assert written & set(TEXTS)


def test_a_reader_that_stops_listening_ends_the_writing(toy_writer_dir, toy_writer_ct2_dir):
    from marian_distill.evaluation.hf_generator import HFGenerator

    for engine in (HFGenerator(toy_writer_dir), CTranslate2Generator(toy_writer_ct2_dir, threads=1)):
        stream = stream_text(engine, "", Sampling(max_new_tokens=60))
        next(stream)
        stream.close()


@pytest.mark.parametrize("engine", ["ct2", "hf"])
def test_a_seed_gives_the_same_text_again(engine, toy_writer_dir, toy_writer_ct2_dir):
    folder = toy_writer_ct2_dir if engine == "ct2" else toy_writer_dir
    kind = "runtime.ct2_generator.CTranslate2" if engine == "ct2" else "evaluation.hf_generator.HF"
    module, name = f"marian_distill.{kind}Generator".rsplit(".", 1)
    code = (
        f"from {module} import {name} as G; from marian_distill.runtime.generation import *; "
        f"g = G({str(folder)!r}, seed=int(input())); "
        "print(['|'.join(stream_text(g, '', Sampling(temperature=2.0, max_new_tokens=20))) for _ in range(2)])"
    )
    written = [
        subprocess.run([sys.executable, "-c", code], input=seed, capture_output=True, text=True, check=True).stdout
        for seed in ("5", "5", "6")
    ]
    assert written[0] == written[1] != written[2]


def test_a_folder_that_is_not_whole_or_of_another_kind(toy_writer_ct2_dir, toy_ct2_dir, tmp_path):
    import shutil

    with pytest.raises(UserError, match="this model translates and does not write"):
        CTranslate2Generator(toy_ct2_dir)
    with pytest.raises(UserError, match=r"no model\.bin here"):
        CTranslate2Generator(tmp_path)
    copy = shutil.copytree(toy_writer_ct2_dir, tmp_path / "copy")
    (copy / "tokenizer_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match=r"tokenizer_config\.json: not the file that config\.json lists"):
        CTranslate2Generator(copy)

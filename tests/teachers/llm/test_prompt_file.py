from pathlib import Path

import pytest

from marian_distill.augment.proposals import read_pattern_prompt
from marian_distill.errors import UserError
from marian_distill.teachers.llm.prompt import has_term, read_prompt

PROMPTS = Path(__file__).parents[3] / "prompts"


def written(tmp_path, text):
    path = tmp_path / "prompt.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_examples_serve_both_directions():
    prompt = read_prompt(PROMPTS / "chat.yaml")
    there, back = prompt.conversation("Tea.", "en-zh"), prompt.conversation("茶。", "zh-en")
    assert [turn["role"] for turn in there] == ["system", *["user", "assistant"] * 3, "user"]
    assert "English text into natural, everyday Simplified Chinese" in there[0]["content"]
    assert "Simplified Chinese text into natural, everyday English" in back[0]["content"]
    assert (there[1]["content"], there[2]["content"]) == (back[2]["content"], back[1]["content"])
    assert (there[-1]["content"], back[-1]["content"]) == ("Tea.", "茶。")


def test_terms_stand_in_the_prompt_of_a_text_that_has_them():
    prompt = read_prompt(PROMPTS / "terminology.yaml")
    assert prompt.conversation("Two Flat Whites, a cold brew", "en-zh")[-1]["content"] == (
        "Use these translations: cold brew → 冷萃咖啡\n\nTwo Flat Whites, a cold brew"
    )
    assert prompt.conversation("A {terms} tea.", "en-zh")[-1]["content"] == "A {terms} tea."
    assert prompt.conversation("冷萃咖啡加服务费", "zh-en")[-1]["content"].startswith(
        "Use these translations: 冷萃咖啡 → cold brew; 服务费 → service charge"
    )
    assert has_term("A flat white.", "Flat white")
    assert not has_term("He seated her.", "eat")


def test_hy_mt2s_own_form():
    prompt = read_prompt(PROMPTS / "hy-mt2.yaml")
    (turn,) = prompt.conversation("Tea.", "en-zh")
    assert turn["content"] == "将以下文本翻译为中文，注意只需要输出翻译后的结果，不要额外解释：\n\nTea."
    drawn = prompt.drawing(4, 99)
    assert (drawn.temperature, drawn.top_p, drawn.top_k, drawn.repetition_penalty) == (0.7, 0.6, 20, 1.05)
    assert (prompt.drawing(1, 99).temperature, prompt.drawing(1, 99).max_new_tokens) == (0.0, 99)


@pytest.mark.parametrize("path", sorted(PROMPTS.glob("*.yaml")), ids=lambda path: path.name)
def test_every_prompt_of_the_repository_is_one(path):
    (read_pattern_prompt if path.name == "patterns.yaml" else read_prompt)(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it has no 'user'"),
        ("- a list", "expected 'key: value' lines, found list"),
        ("user: {", "not valid YAML"),
        ('user: "{source}"\nuser: "{source}"', "'user' is there twice"),
        ('user: "{source}"\nsytem: hello', "unknown key 'sytem'; did you mean system?"),
        ("user: Translate this.", r"user: \{source\} is missing"),
        ('user: "{source} {text}"', r"user: unknown slot \{text\}"),
        ('user: "{source}"\nsystem: "{source}"', r"system: unknown slot \{source\}"),
        ('user: "{source}"\nterminology: [{en: tea, zh: 茶}]', r"user: \{terms\} is missing"),
        ('user: "{source}"\nterms: "Terms:"', r"terms: \{term_list\} is missing"),
        ('user: "{source}"\nexamples: [{en: tea}]', r"examples\[0\] has no 'zh'"),
        ('user: "{source}"\nlanguages: {fr: French}', "languages: unknown key 'fr'"),
        ('user: "{source}"\nsampling: {temp: 1}', "sampling: unknown key 'temp'; did you mean temperature?"),
        ('user: "{source}"\nsampling: {temperature: 0}', "expected temperature above 0"),
        ('user: "{source}"\nsampling: {repetition_penalty: 0}', "repetition_penalty 0: expected above 0"),
        ('user: "{source}"\nsampling: hot', "expected an object"),
        ("user: 5", "user is '5', expected a str"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path, text, message):
    with pytest.raises(UserError, match=message):
        read_prompt(written(tmp_path, text))


def test_no_file(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_prompt(tmp_path / "none.yaml")

import pytest

from marian_distill.serving.documents import Text, name_in, parts_of
from marian_distill.serving.limits import RequestError


def translated(name: str, content: str) -> str:
    """Each text in brackets, the rest as it stands."""
    parts, _ = parts_of(name, content.encode())
    return "".join(part if isinstance(part, str) else f"[{part.text}]" if part.text else "" for part in parts)


def test_plain_text_keeps_its_lines():
    assert translated("a.txt", "one\n\n  two\nthree") == "[one]\n\n[two]\n[three]"


def test_markdown_keeps_its_marks_and_code():
    page = "# Menu\n\nCoffee is\ngood.\n\n- one\n- [ ] two\n> three\n\n```\ncode()\n```\n"
    expected = "# [Menu]\n\n[Coffee is good.]\n\n- [one]\n- [ ] [two]\n> [three]\n\n```\ncode()\n```\n"
    assert translated("a.md", page) == expected
    table = "| a | b |\n|---|---|\n\n[x]: y\n"
    assert translated("a.md", table) == "| [a] | [b] |\n|---|---|\n\n[x]: y\n"


def test_markdown_s_front_matter_and_open_fences_stay():
    assert translated("a.md", "---\ntitle: x\n---\ntext\n~~~\nopen\n") == "---\ntitle: x\n---\n[text]\n~~~\nopen\n"


def test_subtitles_keep_numbers_and_times():
    cues = "1\n00:00:01,000 --> 00:00:02,000\nGive me\na latte.\n\n2\n00:00:03,000 --> 00:00:04,000\n好\n的\n"
    expected = "1\n00:00:01,000 --> 00:00:02,000\n[Give me a latte.]\n\n2\n00:00:03,000 --> 00:00:04,000\n[好的]"
    assert translated("a.SRT", cues) == expected


def test_html_is_cut_after_blocks_and_never_in_a_script():
    page = f"<p>{'a' * 4000}</p><script>'</p>'{'b' * 5000}</script><p>c</p>"
    parts, markup = parts_of("a.html", page.encode())
    assert markup == "html"
    assert all(isinstance(part, Text) for part in parts)
    assert "".join(part.text for part in parts) == page
    assert [part.text[:4] for part in parts] == ["<p>a", "<scr", "<p>c"]


@pytest.mark.parametrize(("name", "content"), [("a.pdf", b"x"), ("a", b"x"), ("a.txt", b"\xff\xfe")])
def test_other_files_are_refused(name, content):
    with pytest.raises(RequestError) as refused:
        parts_of(name, content)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("name", "expected"), [("menu.md", "menu.zh.md"), ("../a.b.txt", "a.b.zh.txt"), ("C:\\x\\a.srt", "a.zh.srt")]
)
def test_a_translated_file_s_name(name, expected):
    assert name_in(name, "zh") == expected

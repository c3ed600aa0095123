"""What a tokenizer folder is measured by: common characters, bytes and pieces, exact round trips, agreement."""

import datetime
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from marian_distill.languages import TAGS, Language
from marian_distill.pieces import EOS, UNK, SentencePieceTokenizer

GB2312_LEVEL_1_ROWS = range(16, 56)
SAMPLE_LINES = 20_000


def gb2312_level_1() -> list[str]:
    """The 3,755 most common simplified characters, in GB 2312's order."""
    pairs = (bytes((0xA0 + row, 0xA0 + cell)) for row in GB2312_LEVEL_1_ROWS for cell in range(1, 95))
    return [character for pair in pairs if (character := pair.decode("gb2312", errors="ignore"))]


def unknown_characters(pieces: SentencePieceTokenizer, characters: Iterable[str]) -> list[str]:
    """Characters that become `<unk>`, on their way to pieces or from pieces to ids."""
    characters = list(characters)
    encoded = pieces.source_pieces(characters)
    unknown = pieces.vocabulary[UNK]
    return [one for one, found in zip(characters, encoded, strict=True) if unknown in pieces.ids(found)]


def piece_counts(pieces: SentencePieceTokenizer, texts: Sequence[str]) -> dict[str, float]:
    """`pieces_per_character`, and the shares of byte-fallback and unknown pieces, over texts (`</s>` not counted)."""
    encoded = [piece for found in pieces.source_pieces(texts) for piece in found if piece != EOS]
    unknown = pieces.vocabulary[UNK]
    total = max(1, len(encoded))
    return {
        "lines": len(texts),
        "pieces_per_character": len(encoded) / max(1, sum(map(len, texts))),
        "byte_share": sum(piece.startswith("<0x") for piece in encoded) / total,
        "unknown_share": sum(index == unknown for index in pieces.ids(encoded)) / total,
    }


def round_trip_examples() -> dict[str, list[str]]:
    """Texts, made by rule, that must come back to the character: amounts, dates, Chinese punctuation."""
    values = [cents / 100 for cents in (1, 5, 99, 160, 1_999, 10_000, 123_456, 9_876_543)]
    amounts = [f"{sign}{value:,.2f}" for sign in "$£€¥￥" for value in values]
    amounts += [f"{value:.2f}{unit}" for unit in (" USD", " EUR", "美元", "元", "%") for value in values]
    days = [datetime.date(2024, 2, 29) + datetime.timedelta(days=37 * step) for step in range(24)]
    dates = [form for day in days for form in (f"{day}", f"{day:%d/%m/%Y}", f"{day.year}年{day.month}月{day.day}日")]
    sentences = ("好{}", "请问{}多少钱", "（是的）{}", "我要“拿铁”{}不加糖", "A{}B")
    punctuation = [sentence.format(mark) for sentence in sentences for mark in "，。、；：？！（）《》“”‘’…—￥"]
    return {"amounts": amounts, "dates": dates, "punctuation": punctuation}


def round_trips(pieces: SentencePieceTokenizer, texts: Sequence[str]) -> list[str]:
    """Texts that do not come back from their pieces to the character."""
    return [
        text for text, found in zip(texts, pieces.target_pieces(texts), strict=True) if pieces.decode(found) != text
    ]


def disagreements(directory: str | Path, texts: Iterable[str]) -> Iterator[str]:
    """Texts for which `transformers.MarianTokenizer` and raw SentencePiece give other ids.

    Each text is compared as a source, as a source after a tag, and as a target.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Recommended: pip install sacremoses")
        from transformers import MarianTokenizer

        marian = MarianTokenizer.from_pretrained(str(directory))
    pieces = SentencePieceTokenizer(directory)
    tags = [tag for tag in TAGS.values() if tag in pieces.vocabulary][:1]
    for text in texts:
        same = marian(text)["input_ids"] == pieces.ids(pieces.source_pieces([text])[0])
        same = same and marian(text_target=text)["input_ids"] == pieces.ids(pieces.target_pieces([text])[0])
        for tag in tags:
            tagged = pieces.ids(pieces.source_pieces([text], tag)[0])
            same = same and marian(f"{tag} {text}")["input_ids"] == tagged
        if not same:
            yield text


def measure_tokenizer(directory: str | Path, texts: Mapping[str, Mapping[Language, Sequence[str]]]) -> dict[str, Any]:
    """All measures of a tokenizer folder, for JSON.

    Args:
        directory: with source.spm, target.spm, vocab.json and tokenizer_config.json.
        texts: name → language → lines to measure on.
    """
    pieces = SentencePieceTokenizer(directory)
    characters = gb2312_level_1()
    unknown = unknown_characters(pieces, characters)
    report: dict[str, Any] = {
        "vocabulary": len(pieces.vocabulary),
        "gb2312_level_1": {"characters": len(characters), "unknown": len(unknown), "examples": unknown[:10]},
        "round_trips": {},
        "texts": {},
    }
    for name, examples in round_trip_examples().items():
        changed = round_trips(pieces, examples)
        report["round_trips"][name] = {"examples": len(examples), "changed": changed}
    for name, languages in texts.items():
        different = [text for lines in languages.values() for text in disagreements(directory, lines)]
        report["texts"][name] = {
            **{language: piece_counts(pieces, lines) for language, lines in languages.items()},
            "marian_tokenizer_differs": {"lines": len(different), "examples": different[:10]},
        }
    return report


def report_table(report: Mapping[str, Any]) -> str:
    """`measure_tokenizer`'s report for people."""
    characters = report["gb2312_level_1"]
    lines = [
        f"vocabulary                  {report['vocabulary']:,} (with <pad>)",
        f"GB 2312 level 1             {characters['unknown']} of {characters['characters']:,} characters are <unk>",
    ]
    for name, result in report["round_trips"].items():
        exact = result["examples"] - len(result["changed"])
        lines.append(f"round trip, {name:<15} {exact} of {result['examples']} exact")
    for name, result in report["texts"].items():
        for language in TAGS:
            counts = result[language]
            lines.append(
                f"{name}, {language}: {counts['lines']:,} lines, {counts['pieces_per_character']:.3f} pieces a "
                f"character, {counts['byte_share']:.3%} bytes, {counts['unknown_share']:.3%} <unk>"
            )
        different = result["marian_tokenizer_differs"]["lines"]
        lines.append(f"{name}: MarianTokenizer ≠ SentencePiece on {different} lines")
    return "\n".join(lines)

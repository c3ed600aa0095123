"""A byte-level BPE tokenizer cut down to the tokens that some text uses: it stays one, and its tokens stay the same.

For a student of a language model whose 150,000 tokens are most of what a small model would hold. A kept token's own
parts are kept with it, down to the 256 bytes, and so are the merges between kept tokens, in their order. Text whose
tokens are all kept is therefore cut as before: the merges that made it are there, and those that are gone were not
among them. Any other text is cut finer.
"""

import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tokenizers import pre_tokenizers

from marian_distill.errors import UserError
from marian_distill.files import read_json_object, write_json
from marian_distill.tokenizer_file import CONFIG_FILE, FILE, TokenizerFile

KEPT_FILE = "kept_tokens.json"
ENCODED_AT_ONCE = 10_000


class Trimmed(NamedTuple):
    """What became of a tokenizer: the old ids of its tokens in the order of the new ones, and how it cuts the text.

    `tokens_before`, `tokens_after`: of the text.
    """

    kept: list[int]
    tokens_before: int
    tokens_after: int


def token_counts(tokenizer: TokenizerFile, texts: Iterable[str]) -> np.ndarray:
    """How often texts have each token, [size]."""
    counts, stream = np.zeros(tokenizer.size, dtype=np.int64), iter(texts)
    while some := list(islice(stream, ENCODED_AT_ONCE)):
        ids = np.concatenate([np.array(row, dtype=np.int64) for row in tokenizer.encode(some)])
        counts += np.bincount(ids, minlength=tokenizer.size)
    return counts


def trim_byte_bpe(
    tokenizer: TokenizerFile, texts: list[str], folder: Path, vocab_size: int | None = None, min_count: int = 1
) -> Trimmed:
    """Write the tokenizer with the tokens that texts use most into a folder, and `kept_tokens.json`, their old ids.

    Args:
        tokenizer: byte-level BPE.
        texts: of the kind that the student will see.
        folder: to fill.
        vocab_size: most tokens in all; None: as many as are used.
        min_count: a token that is used less often is left out.

    Raises:
        UserError: another kind of tokenizer, or too few tokens for bytes and special tokens.
    """
    path = tokenizer.directory / FILE
    values = read_json_object(path)
    model: Any = values.get("model", {})
    if model.get("type") != "BPE" or missing_bytes(model["vocab"]):
        raise UserError(f"{path}: not byte-level BPE, which alone can be trimmed")
    counts = token_counts(tokenizer, texts)
    kept = _kept_ids(path, values, counts, vocab_size, min_count)
    new_ids = {old: new for new, old in enumerate(kept)}
    model["vocab"] = {token: new_ids[old] for token, old in model["vocab"].items() if old in new_ids}
    model["merges"] = [merge for merge in model["merges"] if _can(merge, model["vocab"])]
    for token in values["added_tokens"]:
        token["id"] = new_ids[token["id"]]
    _renumber((values.get("post_processor") or {}), new_ids)
    with (folder / FILE).open("w", encoding="utf-8") as stream:
        json.dump(values, stream, ensure_ascii=False)
    start, end = tokenizer.tokens([tokenizer.start_id, tokenizer.end_id])
    write_json(folder / CONFIG_FILE, {"bos_token": start, "eos_token": end})
    trimmed = TokenizerFile(folder)
    trimmed.save(folder)
    write_json(folder / KEPT_FILE, kept)
    return Trimmed(kept, int(counts.sum()), int(token_counts(trimmed, texts).sum()))


def missing_bytes(vocabulary: dict[str, int]) -> list[str]:
    """Bytes, as byte-level BPE writes them, that have no token."""
    return [byte for byte in pre_tokenizers.ByteLevel.alphabet() if byte not in vocabulary]


def _kept_ids(
    path: Path, values: dict[str, Any], counts: np.ndarray, vocab_size: int | None, min_count: int
) -> list[int]:
    """Old ids of bytes, special tokens and the tokens most used with their parts, in order."""
    vocabulary: dict[str, int] = values["model"]["vocab"]
    parts: dict[int, tuple[int, int]] = {}
    for merge in values["model"]["merges"]:
        one, other = _sides(merge)
        parts.setdefault(vocabulary[one + other], (vocabulary[one], vocabulary[other]))
    kept = {vocabulary[byte] for byte in pre_tokenizers.ByteLevel.alphabet()}
    kept |= {token["id"] for token in values["added_tokens"]}
    most = len(counts) if vocab_size is None else vocab_size
    if most < len(kept):
        raise UserError(f"--vocab-size {most}: {path} has {len(kept)} bytes and special tokens alone")
    for token in np.argsort(-counts, kind="stable"):
        if counts[token] < min_count:
            break
        needed, waiting = set(), [int(token)]
        while waiting:
            one = waiting.pop()
            if one not in kept and one not in needed:
                needed.add(one)
                waiting += parts.get(one, ())
        if len(kept) + len(needed) <= most:
            kept |= needed
    return sorted(kept)


def _sides(merge: str | list[str]) -> tuple[str, str]:
    """Both tokens of a merge, which older files write as one text."""
    one, other = merge.split(" ") if isinstance(merge, str) else merge
    return one, other


def _can(merge: str | list[str], vocabulary: dict[str, int]) -> bool:
    one, other = _sides(merge)
    return one in vocabulary and other in vocabulary and one + other in vocabulary


def _renumber(processor: dict[str, Any], new_ids: dict[int, int]) -> None:
    """Give a post-processor, or those of a sequence, the new ids of its special tokens."""
    for token in processor.get("special_tokens", {}).values():
        token["ids"] = [new_ids[old] for old in token["ids"]]
    for one in processor.get("processors", ()):
        _renumber(one, new_ids)

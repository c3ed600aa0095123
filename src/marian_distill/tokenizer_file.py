"""A language model's tokenizer, text ↔ ids, over the library `tokenizers`: without torch and transformers.

Byte-level BPE as this project trains it (`text.byte_bpe`), or the folder of another model: any `tokenizer.json`, such
as Qwen's, or BERT's vocab.txt. https://huggingface.co/docs/tokenizers
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

from marian_distill.errors import UserError
from marian_distill.files import atomic_writer, read_json_object, write_json
from marian_distill.languages import TAGS, Direction, languages_of

FILE = "tokenizer.json"
CONFIG_FILE = "tokenizer_config.json"
VOCABULARY_FILE = "vocab.txt"  # BERT's
END_OF_TEXT = "<|endoftext|>"
# What ends and what begins a sample, by the names that tokenizer_config.json has for it.
ENDS, STARTS = ("eos_token", "sep_token"), ("bos_token", "cls_token")
# What such tokens are called where no tokenizer_config.json tells.
USUAL_ENDS, USUAL_STARTS = (END_OF_TEXT, "</s>", "[SEP]"), ("<s>", "[CLS]")
REPLACEMENT = "\ufffd"  # what half a character decodes to


class TokenizerFile:
    """The tokenizer of a folder: `tokenizer.json`, or BERT's `vocab.txt`.

    A sample begins with `start_id` and ends with `end_id`; a tokenizer without a start token has its end there.

    Args:
        directory: a tokenizer folder, or a model's.
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        self.library = _load(self.directory)
        config = self.directory / CONFIG_FILE
        values = read_json_object(config) if config.is_file() else {}
        end = self._special(values, ENDS, USUAL_ENDS)
        if end is None:
            raise UserError(
                f"{directory}: no token ends a text: its {CONFIG_FILE} names no eos_token that {FILE} has. "
                "Build a tokenizer with scripts/train_bpe_tokenizer.py."
            )
        self.end_id = end
        start = self._special(values, STARTS, USUAL_STARTS)
        self.start_id = end if start is None else start
        self._specials = {
            index for index, token in self.library.get_added_tokens_decoder().items() if token.special
        } | {self.start_id, self.end_id}

    def _special(self, values: dict[str, Any], names: Sequence[str], usual: Sequence[str]) -> int | None:
        named = [values.get(name) for name in names]
        named = [token.get("content") if isinstance(token, dict) else token for token in named]
        tokens = [token for token in named if isinstance(token, str)] or list(usual)
        found = map(self.library.token_to_id, tokens)
        return next((index for index in found if index is not None), None)

    @property
    def size(self) -> int:
        """Rows that an embedding table needs."""
        return max(self.library.get_vocab(with_added_tokens=True).values()) + 1

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of texts, without what begins and ends a sample. A special token's name in a text is that token."""
        return [encoding.ids for encoding in self.library.encode_batch_fast(list(texts), add_special_tokens=False)]

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """Ids as the tokens that an engine may ask for."""
        return [str(self.library.id_to_token(index)) for index in ids]

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids; special tokens are left out."""
        return self.library.decode([index for index in ids if index not in self._specials], skip_special_tokens=False)

    def save(self, directory: str | Path) -> None:
        """Write `tokenizer.json` and a `tokenizer_config.json` with which transformers loads the same tokenizer."""
        with atomic_writer(Path(directory) / FILE) as stream:
            stream.write(self.library.to_str(pretty=True))
        start, end = self.tokens([self.start_id, self.end_id])
        write_json(
            Path(directory) / CONFIG_FILE,
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "bos_token": start,
                "eos_token": end,
                "pad_token": end,
                "clean_up_tokenization_spaces": False,
            },
        )


def translation_prompts(tokenizer: TokenizerFile, sources: Sequence[str], direction: Direction) -> list[list[int]]:
    """How a language model is asked to translate: ids of the start token, the source, the target language's tag.

    The tag is one token of this project's tokenizers; another's spells it out.
    """
    tag = tokenizer.encode([TAGS[languages_of(direction)[1]]])[0]
    return [[tokenizer.start_id, *ids, *tag] for ids in tokenizer.encode(sources)]


class TextStream:
    """Ids that come one by one → text as soon as it is sure: no half characters."""

    def __init__(self, tokenizer: TokenizerFile) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._told = ""  # the text of the ids since the last whole piece but one

    def add(self, index: int) -> str:
        """The text that this id brings; "" while a character is not whole."""
        self._ids.append(index)
        text = self._tokenizer.decode(self._ids)
        if text.endswith(REPLACEMENT):
            return ""
        return self._tell(text)

    def end(self) -> str:
        """What is left, half characters included."""
        return self._tell(self._tokenizer.decode(self._ids))

    def _tell(self, text: str) -> str:
        new = text[len(self._told) :]
        # The last id stays: whether a space goes before the next one is for the decoder to say.
        self._ids = self._ids[-1:]
        self._told = self._tokenizer.decode(self._ids)
        return new


def _load(directory: Path) -> Tokenizer:
    path, vocabulary = directory / FILE, directory / VOCABULARY_FILE
    if path.is_file():
        read_json_object(path)
        try:
            return Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing narrower
            raise UserError(f"{path}: not a tokenizer that the library `tokenizers` knows ({error})") from error
    if vocabulary.is_file():
        return _bert(vocabulary)
    if (directory / "source.spm").is_file():
        raise UserError(
            f"{directory}: holds the SentencePiece tokenizer of a Marian or a liquid model; a language model needs a "
            f"{FILE}. Build one with scripts/train_bpe_tokenizer.py."
        )
    raise UserError(f"{path}: no such file. Build a tokenizer with scripts/train_bpe_tokenizer.py.")


def _bert(path: Path) -> Tokenizer:
    """BERT's WordPiece with the text kept as it is: a cased tokenizer, or lower-cased where its config says so."""
    config = path.with_name(CONFIG_FILE)
    lower = bool(read_json_object(config).get("do_lower_case", True)) if config.is_file() else True
    try:
        words = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not valid UTF-8 ({error.reason})") from error
    if "[UNK]" not in words or "[SEP]" not in words:
        raise UserError(f"{path}: no [UNK] or no [SEP] in it: not the vocabulary of a BERT model")
    tokenizer = Tokenizer(models.WordPiece({word: index for index, word in enumerate(words)}, unk_token="[UNK]"))  # noqa: S106
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(
        [word for word in words if word.startswith("[") and word.endswith("]") and len(word) > 3]
    )
    return tokenizer

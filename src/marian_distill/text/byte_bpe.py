"""Byte-level BPE trained on text: no `<unk>`, whatever the script (Radford et al. 2019, section 2.2).

Digits stand alone, so that 1,234.56 is read as it is written; language tags are tokens of their own.
"""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from marian_distill.errors import UserError
from marian_distill.languages import TAGS
from marian_distill.tokenizer_file import END_OF_TEXT, FILE, TokenizerFile

KIND = "a byte-level BPE tokenizer"
SPECIAL_TOKENS = [END_OF_TEXT, *TAGS.values()]
SMALLEST = 256 + len(SPECIAL_TOKENS)  # every byte and every special token


def train_byte_bpe(texts: Iterable[str], directory: str | Path, vocab_size: int) -> TokenizerFile:
    """Train on `texts` and write `tokenizer.json` and `tokenizer_config.json` into a folder.

    Args:
        texts: samples of the kind that the model will see.
        directory: a folder to fill.
        vocab_size: tokens in all; a text too small for so many gives fewer, which is a `UserError`.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    if (found := tokenizer.get_vocab_size()) < vocab_size:
        raise UserError(f"the text has no more than {found} tokens in it: give --vocab-size {found}, or more text")
    tokenizer.save(str(Path(directory) / FILE))
    trained = TokenizerFile(directory)
    trained.save(directory)
    return trained


def tokens_and_bytes(tokenizer: TokenizerFile, texts: Iterable[str]) -> tuple[int, int]:
    """Tokens and UTF-8 bytes of texts: bytes a token say how well a tokenizer fits."""
    texts = list(texts)
    return sum(map(len, tokenizer.encode(texts))), sum(len(text.encode()) for text in texts)

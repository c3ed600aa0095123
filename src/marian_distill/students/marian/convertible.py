"""Whether CTranslate2's converter would leave a Marian model as it is.

It drops the last vocabulary row as `<pad>` and starts decoding from a zero vector (`MarianMTLoader` of
https://github.com/OpenNMT/CTranslate2), so a model whose `<pad>` is elsewhere or not zero would say something else
after export than it was trained to say.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor

from marian_distill.errors import UserError
from marian_distill.files import read_json_object
from marian_distill.pieces import EOS, PAD, SentencePieceTokenizer
from marian_distill.runtime.translator import MAX_DECODING_LENGTH
from marian_distill.students.student import Student


def check_convertible(model_dir: Path, load: Callable[[Path], Student]) -> None:
    """Refuse a folder, which `load` loads, that the converter would change. The message says what to mend."""
    config, vocabulary = read_json_object(model_dir / "config.json"), SentencePieceTokenizer(model_dir).vocabulary
    size = len(vocabulary)
    if config.get("vocab_size") != size:
        raise UserError(
            f"{model_dir}/config.json: a vocabulary of {config.get('vocab_size')}, expected the {size} of vocab.json"
        )
    if sorted(vocabulary.values()) != list(range(size)) or vocabulary.get(PAD) != size - 1 or EOS not in vocabulary:
        raise UserError(
            f"{model_dir}/vocab.json: <pad> has id {vocabulary.get(PAD)}, expected the last one, {size - 1}: the "
            "converter drops the last row. Build the tokenizer with scripts/build_joint_tokenizer.py."
        )
    expected = {"pad_token_id": size - 1, "decoder_start_token_id": size - 1, "eos_token_id": vocabulary[EOS]}
    for name, value in expected.items():
        if config.get(name) != value:
            raise UserError(
                f"{model_dir}/config.json: {name} is {config.get(name)}, expected {value} as in vocab.json"
            )
    if config.get("max_position_embeddings", 0) < MAX_DECODING_LENGTH:
        raise UserError(
            f"{model_dir}/config.json: max_position_embeddings is {config.get('max_position_embeddings')}, expected "
            f"at least {MAX_DECODING_LENGTH} (512 is best): the engine raises on longer text"
        )
    _check_pad_row(model_dir, load(model_dir).state_dict())


def _check_pad_row(model_dir: Path, weights: Mapping[str, Tensor]) -> None:
    for name in ("encoder", "decoder"):
        norm = weights[f"model.{name}.embed_tokens.weight"][-1].norm().item()
        if norm != 0.0:
            raise UserError(
                f"{model_dir}: the {name}'s embedding of <pad> has norm {norm:.6g}, expected exactly 0.0, as "
                "the engine decodes from a zero vector. Train with the row zeroed after every step."
            )

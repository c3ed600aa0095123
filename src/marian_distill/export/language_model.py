"""A language model's Hugging Face folder → the CTranslate2 folder that writes without torch.

`Qwen3Loader` of https://github.com/OpenNMT/CTranslate2 converts it; the tokenizer lies beside it as tokenizer.json.
The exported model is held against the trained one by its bits per byte of the same text and by greedy continuations.
"""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TypedDict

from marian_distill.errors import UserError
from marian_distill.evaluation.language_model import bits_per_byte
from marian_distill.export.ctranslate2 import KIND, check_output
from marian_distill.export.parity import SENTENCES
from marian_distill.files import atomic_directory, atomic_writer, read_json, read_json_object, sha256, write_json
from marian_distill.locks import folder_lock
from marian_distill.runtime.ct2_generator import MODEL_KIND, CTranslate2Generator
from marian_distill.runtime.generation import Sampling, TokenGenerator
from marian_distill.tokenizer_file import TokenizerFile

GREEDY = Sampling(temperature=0.0, max_new_tokens=16)
MODEL_FILES = ("model.bin", "config.json", "vocabulary.json", "tokenizer.json", "tokenizer_config.json")


class GeneratorExport(TypedDict):
    """What an export reports, and what export.json beside the model holds."""

    model_dir: str
    model_sha256: str
    versions: dict[str, str]
    quantization: str
    effective_compute_type: str
    megabytes: float
    texts: int
    trained_bits_per_byte: float
    exported_bits_per_byte: float
    equal_continuations: int  # of `texts`, greedy, 16 tokens


def export_language_model(
    model_dir: str | Path,
    output_dir: str | Path,
    quantization: str,
    texts: Sequence[str] = (),
    min_parity: float = 0.0,
    overwrite: bool = False,
) -> GeneratorExport:
    """Convert a model and hold it against the trained one; the folder appears whole or not at all.

    Args:
        model_dir: a folder that scripts/train_causal_lm.py wrote.
        output_dir: the folder to write (`MODEL_FILES`, export.json, README.md).
        quantization: the type on disk.
        texts: compared on both sides; built-in sentences when empty.
        min_parity: least share of equal greedy continuations, else `UserError`.
        overwrite: replace an earlier export in the same folder.
    """
    check_output(output_dir, overwrite)
    TokenizerFile(model_dir)  # a broken one is told before torch is loaded
    from marian_distill.evaluation.hf_generator import HFGenerator
    from marian_distill.students.kinds import kind_of_folder
    from marian_distill.students.loading import load_student

    kind_of_folder(model_dir, "ct2").check_convertible(Path(model_dir), load_student)

    texts = list(texts) or [text for side in SENTENCES.values() for text in side]
    with folder_lock(output_dir), atomic_directory(output_dir, KIND) as folder:
        trained = HFGenerator(model_dir)
        convert(model_dir, folder, quantization)
        exported = CTranslate2Generator(folder)
        equal = sum(_continuation(trained, text) == _continuation(exported, text) for text in texts)
        if equal < min_parity * len(texts):
            raise UserError(
                f"{model_dir}: {equal} of {len(texts)} greedy continuations are as trained, --min-parity asks for "
                f"{min_parity:g}; try --quantization float32"
            )
        export = GeneratorExport(
            model_dir=str(model_dir),
            model_sha256=sha256(Path(model_dir) / "model.safetensors"),
            versions={name: version(name) for name in ("ctranslate2", "transformers", "tokenizers")},
            quantization=quantization,
            effective_compute_type=exported.compute_type,
            megabytes=round(sum(path.stat().st_size for path in folder.iterdir()) / 1e6, 2),
            texts=len(texts),
            trained_bits_per_byte=bits_per_byte(trained, texts),
            exported_bits_per_byte=bits_per_byte(exported, texts),
            equal_continuations=equal,
        )
        write_json(folder / "export.json", export)
        with atomic_writer(folder / "README.md") as stream:
            stream.write(_card(Path(output_dir), export))
    return export


def convert(model_dir: str | Path, output_dir: str | Path, quantization: str) -> None:
    """Write `MODEL_FILES` into a folder; config.json gets the context and the SHA-256 of the rest, for `runtime`."""
    from ctranslate2.converters import TransformersConverter
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    tokenizer, values = TokenizerFile(model_dir), read_json_object(Path(model_dir) / "config.json")
    folder = Path(output_dir)
    TransformersConverter(str(model_dir)).convert(str(folder), quantization=quantization, force=True)
    tokenizer.save(folder)
    if read_json(folder / "vocabulary.json")[: tokenizer.size] != tokenizer.tokens(range(tokenizer.size)):
        raise UserError(f"{model_dir}: CTranslate2 has the tokens in another order than tokenizer.json")
    config = read_json(folder / "config.json") | {
        "kind": MODEL_KIND,
        "max_position_embeddings": values["max_position_embeddings"],
        **({"directions": values["directions"]} if values.get("directions") else {}),
        "sha256": {name: sha256(folder / name) for name in MODEL_FILES if name != "config.json"},
    }
    write_json(folder / "config.json", config)


def _continuation(generator: TokenGenerator, text: str) -> list[int]:
    ids = generator.tokenizer.encode([text])[0][: generator.context - GREEDY.max_new_tokens - 1]
    return list(generator.generate([generator.tokenizer.start_id, *ids], GREEDY))


def _card(output_dir: Path, export: GeneratorExport) -> str:
    return f"""---
library_name: ctranslate2
pipeline_tag: text-generation
---

# {output_dir.name}

A small language model for CTranslate2, exported by distill-zh-en from `{export["model_dir"]}`:
{export["quantization"]} on disk, {export["megabytes"]} MB.

- {export["equal_continuations"]} of {export["texts"]} greedy continuations of test sentences as trained
- bits per byte of them: {export["exported_bits_per_byte"]:.4f}, as trained {export["trained_bits_per_byte"]:.4f}

    uv run -s scripts/generate_text.py --model-dir {output_dir} --prompt "The"

A prompt is the start token of tokenizer_config.json (`bos_token`), then the text's tokens. Prompt and text together
stay below `max_position_embeddings` tokens of config.json.
"""

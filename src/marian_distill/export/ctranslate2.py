"""A Hugging Face model folder → the CTranslate2 folder that phones load.

What the engine's converter would change of a model, its kind of student knows; such a model is refused here.
"""

import shutil
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TypedDict

from marian_distill.errors import UserError
from marian_distill.export.parity import Parity, checked_parity, parity
from marian_distill.files import (
    MARKER,
    atomic_directory,
    atomic_writer,
    check_replaceable,
    read_json,
    read_json_object,
    sha256,
    write_json,
)
from marian_distill.languages import DIRECTIONS, Direction, languages_of
from marian_distill.locks import folder_lock
from marian_distill.pieces import SentencePieceTokenizer
from marian_distill.runtime.ctranslate2 import CTranslate2Translator
from marian_distill.runtime.translator import BEAM_SIZE, declared_directions, source_tags

QUANTIZATIONS = ("int8", "int8_float16", "int8_float32", "float16", "float32")
MODEL_FILES = ("model.bin", "config.json", "shared_vocabulary.json", "source.spm", "target.spm")
REPORT_FILES = ("export.json", "README.md")
KIND = "a CTranslate2 folder"


class Export(TypedDict):
    """What an export reports, and what export.json beside the model holds."""

    model_dir: str
    model_sha256: str
    versions: dict[str, str]
    quantization: str
    effective_compute_type: str
    megabytes: float
    parity: list[Parity]  # greedy, as on the phone
    beam_parity: list[Parity]  # with the beam of the prompt


def export_model(
    model_dir: str | Path,
    output_dir: str | Path,
    quantization: str,
    pairs: Sequence[tuple[str, str]],
    directions: Sequence[Direction] = (),
    min_parity: float = 0.0,
    overwrite: bool = False,
    name: str | None = None,
) -> Export:
    """Check a model, convert it, hold it against the trained one; the folder appears whole or not at all.

    Args:
        model_dir: a Hugging Face folder.
        output_dir: the phone folder to write (`MODEL_FILES` and `REPORT_FILES`).
        quantization: one of `QUANTIZATIONS`, the type on disk.
        pairs: (English, Chinese) sentences; the source side is decoded by both models.
        directions: what the model was trained for; by default what its config.json declares.
        min_parity: least share of equal greedy translations in each direction, else `UserError`. With a beam of
            `BEAM_SIZE` they are compared as well and reported: two engines may end their searches differently.
        overwrite: replace an earlier export in the same folder.
        name: what the report calls the model; its folder when None.
    """
    check_output(output_dir, overwrite)
    check_model(model_dir)
    from marian_distill.evaluation.hf_translator import HFTranslator  # torch: only once the quick checks have passed

    directions = directions or declared_directions(read_json(Path(model_dir) / "config.json"))
    with folder_lock(output_dir), atomic_directory(output_dir, KIND) as folder:
        convert(model_dir, folder, quantization, directions)
        megabytes = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        trained = HFTranslator(model_dir)
        exported = CTranslate2Translator(folder)
        reports, beam_reports = [], []
        for direction in directions or DIRECTIONS[:1]:
            reports.append(checked_parity(trained, exported, pairs, min_parity, direction=direction))
            column = 0 if languages_of(direction)[0] == "en" else 1
            texts = [pair[column] for pair in pairs]
            beam_reports.append(parity(trained, exported, texts, direction=direction, beam_size=BEAM_SIZE))
        export = Export(
            model_dir=name or str(model_dir),
            model_sha256=sha256(Path(model_dir) / "model.safetensors"),
            versions={name: version(name) for name in ("ctranslate2", "transformers", "sentencepiece")},
            quantization=quantization,
            effective_compute_type=exported.compute_type,
            megabytes=round(megabytes, 2),
            parity=reports,
            beam_parity=beam_reports,
        )
        write_json(folder / "export.json", export)
        with atomic_writer(folder / "README.md") as stream:
            stream.write(_model_card(Path(output_dir), export))
    return export


def _model_card(output_dir: Path, export: Export) -> str:
    parity_lines = "\n".join(
        f"- {greedy['direction']}: {greedy['equal']} of {greedy['sentences']} greedy translations as trained, "
        f"{beam['equal']} with a beam of {BEAM_SIZE}"
        for greedy, beam in zip(export["parity"], export["beam_parity"], strict=True)
    )
    return f"""---
language:
- en
- zh
library_name: ctranslate2
pipeline_tag: translation
---

# {output_dir.name}

A translator for CTranslate2, exported by distill-zh-en from `{export["model_dir"]}`:
{export["quantization"]} on disk, {export["megabytes"]} MB.

{parity_lines}

    uv run -s scripts/translate_ct2.py --model-dir {output_dir}

A source is the language tag that `source_tags` of config.json names for the direction (none when null), the pieces of
source.spm, and `</s>`. Decode the output with target.spm, leaving out `</s>`. Keep input and output below
`max_position_embeddings` tokens.
"""


def check_output(output_dir: str | Path, overwrite: bool) -> None:
    """Refuse an output folder that holds another model (unless `overwrite`) or anything that is not an export."""
    check_replaceable(output_dir, KIND)
    if (Path(output_dir) / MARKER).is_file() and not overwrite:
        raise UserError(f"{output_dir}: holds an exported model. Add --overwrite to replace it.")


def check_model(model_dir: str | Path) -> None:
    """Refuse what is no model, a kind that the engine lacks, and a model that the converter would change."""
    model_dir = Path(model_dir)
    if not model_dir.is_dir():
        raise UserError(f"{model_dir}: no such folder. Give a Hugging Face folder with a model in safetensors.")
    from marian_distill.students.kinds import kind_of_folder
    from marian_distill.students.loading import load_student

    kind_of_folder(model_dir, "ct2").check_convertible(model_dir, load_student)


def convert(model_dir: str | Path, output_dir: str | Path, quantization: str, directions: Sequence[Direction]) -> None:
    """Write the phone folder of a checked model: exactly `MODEL_FILES`.

    Args:
        model_dir: a Hugging Face folder that passed `check_model`.
        output_dir: a folder to fill; what is there goes.
        quantization: one of `QUANTIZATIONS`, the type on disk.
        directions: what the model was trained for. Written to config.json with the source tags that follow from it,
            None for a tag that the vocabulary lacks; nothing is written when empty.

    config.json, in which the engine ignores keys that it does not know, gets the SHA-256 of the other files as well:
    a translator refuses a folder whose files are not the ones that were exported together.
    """
    from ctranslate2.converters import TransformersConverter

    model_dir, output_dir = Path(model_dir), Path(output_dir)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Recommended: pip install sacremoses")  # a normaliser that is not used here
        TransformersConverter(str(model_dir)).convert(str(output_dir), quantization=quantization, force=True)
    for name in ("source.spm", "target.spm"):
        shutil.copyfile(model_dir / name, output_dir / name)

    config = read_json(output_dir / "config.json")
    config["max_position_embeddings"] = read_json(model_dir / "config.json")["max_position_embeddings"]
    if directions:
        config["directions"] = list(directions)
        known = SentencePieceTokenizer(model_dir).vocabulary
        tags = source_tags(directions).items()
        config["source_tags"] = {direction: tag if tag in known else None for direction, tag in tags}
    config["sha256"] = {name: sha256(output_dir / name) for name in MODEL_FILES if name != "config.json"}
    write_json(output_dir / "config.json", config)
    _check_converted(model_dir, output_dir)


def list_file(folder: str | Path, name: str, listed: bool = True) -> None:
    """Put one file on config.json's list of SHA-256, or take it off; a folder that gives no hashes is left alone."""
    folder = Path(folder)
    config = read_json_object(folder / "config.json")
    if "sha256" not in config:
        return
    config["sha256"].pop(name, None)
    if listed:
        config["sha256"][name] = sha256(folder / name)
    write_json(folder / "config.json", config)


def _check_converted(model_dir: Path, output_dir: Path) -> None:
    """What the phone relies on, should another version of the converter change its ways."""
    if read_json(output_dir / "config.json").get("add_source_eos") is not False:
        raise UserError(f"{output_dir}: the converter set add_source_eos; sources here carry their own </s>")
    if read_json(output_dir / "shared_vocabulary.json") != SentencePieceTokenizer(model_dir).pieces[:-1]:
        raise UserError(f"{output_dir}: shared_vocabulary.json is not vocab.json without <pad>")

"""Score one model folder on sentence pairs: the same rules and figures for Hugging Face, CTranslate2 and bundles."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from marian_distill.errors import UserError
from marian_distill.evaluation.evaluation_sets import EvaluationSet
from marian_distill.files import read_json, read_json_object
from marian_distill.languages import Direction, directions_of
from marian_distill.runtime.bundle import BUNDLE_FILE
from marian_distill.runtime.bundle_translator import BundleTranslator
from marian_distill.runtime.ctranslate2 import CTranslate2Translator
from marian_distill.runtime.prompted_translator import PromptedTranslator
from marian_distill.runtime.translator import MAX_DECODING_LENGTH, Translator, declared_directions
from marian_distill.tokenizer_file import FILE as TOKENIZER_FILE

if TYPE_CHECKING:
    from marian_distill.evaluation.scoring import Scored


def load_translator(
    model_dir: str | Path,
    direction: str | None = None,
    beam_size: int = 1,
    max_decoding_length: int = MAX_DECODING_LENGTH,
    device: str = "cpu",
    compute_type: str = "default",
    threads: int = 0,
) -> Translator:
    """The translator of a folder: CTranslate2 with model.bin, a bundle with bundle.json, else Hugging Face (torch).

    `compute_type` is CTranslate2's; the others compute in what they were saved in and refuse any other. A bundle's own
    target length bounds its translations too. `threads` 0 lets the engine choose; a Hugging Face folder takes torch's.
    """
    model_dir = Path(model_dir)
    if not model_dir.is_dir():
        raise UserError(f"{model_dir}: no such folder. Give a Hugging Face folder, a CTranslate2 one or a bundle.")
    writes = (model_dir / TOKENIZER_FILE).is_file()
    if writes and not (model_dir / "model.bin").is_file():
        raise UserError(
            f"{model_dir}: a language model translates when it is exported: use scripts/export_ct2.py first"
        )
    if writes:
        return PromptedTranslator(
            model_dir, direction, device, compute_type, beam_size, max_decoding_length, intra_threads=threads
        )
    if (model_dir / "model.bin").is_file():
        return CTranslate2Translator(
            model_dir, direction, device, compute_type, beam_size, max_decoding_length, intra_threads=threads
        )
    if (model_dir / BUNDLE_FILE).is_file():
        if compute_type != "default":
            raise UserError(f"compute type {compute_type!r}: {model_dir} is a bundle, which computes as exported")
        positions = read_json(model_dir / BUNDLE_FILE)["target_length"]
        return BundleTranslator(model_dir, direction, beam_size, min(max_decoding_length, positions), threads or 1)
    if compute_type not in ("default", "float32"):
        raise UserError(
            f"compute type {compute_type!r}: {model_dir} is a Hugging Face folder, which takes float32 only"
        )
    from marian_distill.evaluation.hf_translator import HFTranslator

    return HFTranslator(model_dir, direction, beam_size, max_decoding_length, device)


def evaluate(
    translator: Translator,
    test: EvaluationSet,
    direction: Direction,
    baseline: "Scored | None" = None,
) -> "tuple[Scored, list[str]]":
    """Translate a test set and score it: `scoring.score`'s result with `sentences_per_second`, and the hypotheses."""
    from marian_distill.evaluation.scoring import score  # sacreBLEU: `cost` measures memory without it

    sources = test.sources(direction)
    start = time.perf_counter()
    hypotheses = translator.translate(sources, first_line=2, direction=direction)  # line 1 is the header
    seconds = time.perf_counter() - start
    scored = score(test, direction, hypotheses, baseline)
    scored.report["sentences_per_second"] = round(len(sources) / seconds, 2)
    return scored, hypotheses


def directions_to_measure(model_dir: str | Path, direction: str | None) -> list[Direction]:
    """The direction that is asked for, or all that a folder says it was trained for.

    Raises:
        UserError: none is asked for and the folder says nothing.
    """
    if direction is not None:
        wanted = directions_of(direction)
    else:
        known = (Path(model_dir) / name for name in ("config.json", BUNDLE_FILE))
        config = next((read_json_object(path) for path in known if path.is_file()), {})
        wanted = declared_directions(config)
        if not wanted:
            raise UserError(f"{model_dir}: does not say what it translates; give --direction en-zh or zh-en")
    return list(wanted)

"""Score one model folder on sentence pairs: the same rules and figures for Hugging Face, CTranslate2 and bundles."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from marian_distill.errors import UserError
from marian_distill.evaluation.metrics import bleu, chrf_plus_plus, metric_for
from marian_distill.evaluation.slices import numbers_kept_share
from marian_distill.files import read_json
from marian_distill.languages import languages_of
from marian_distill.runtime.bundle import BUNDLE_FILE
from marian_distill.runtime.bundle_translator import BundleTranslator
from marian_distill.runtime.ctranslate2 import CTranslate2Translator
from marian_distill.runtime.prompted_translator import PromptedTranslator
from marian_distill.runtime.translator import MAX_DECODING_LENGTH, Translator
from marian_distill.tokenizer_file import FILE as TOKENIZER_FILE


def load_translator(
    model_dir: str | Path,
    direction: str | None = None,
    beam_size: int = 1,
    max_decoding_length: int = MAX_DECODING_LENGTH,
    device: str = "cpu",
    compute_type: str = "default",
) -> Translator:
    """The translator of a folder: CTranslate2 with model.bin, a bundle with bundle.json, else Hugging Face (torch).

    `compute_type` is CTranslate2's; the others compute in what they were saved in and refuse any other. A bundle's own
    target length bounds its translations too.
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
        return PromptedTranslator(model_dir, direction, device, compute_type, beam_size, max_decoding_length)
    if (model_dir / "model.bin").is_file():
        return CTranslate2Translator(model_dir, direction, device, compute_type, beam_size, max_decoding_length)
    if (model_dir / BUNDLE_FILE).is_file():
        if compute_type != "default":
            raise UserError(f"compute type {compute_type!r}: {model_dir} is a bundle, which computes as exported")
        positions = read_json(model_dir / BUNDLE_FILE)["target_length"]
        return BundleTranslator(model_dir, direction, beam_size, min(max_decoding_length, positions))
    if compute_type not in ("default", "float32"):
        raise UserError(
            f"compute type {compute_type!r}: {model_dir} is a Hugging Face folder, which takes float32 only"
        )
    from marian_distill.evaluation.hf_translator import HFTranslator

    return HFTranslator(model_dir, direction, beam_size, max_decoding_length, device)


def evaluate(translator: Translator, pairs: Sequence[tuple[str, str]]) -> tuple[dict[str, Any], list[str]]:
    """Translate the source side of (English, Chinese) pairs and score against the other side.

    Returns:
        The report (`direction`, `sentences`, `bleu`, `chrf++`, for Chinese `chrf`, `numbers_kept`,
        `sentences_per_second`) and the hypotheses. `numbers_kept` is the share of sentences with numbers whose
        hypothesis has the same ones by value, None when no sentence has one.
    """
    source_language, target_language = languages_of(translator.direction)
    columns = {"en": [english for english, _ in pairs], "zh": [chinese for _, chinese in pairs]}
    sources, references = columns[source_language], columns[target_language]
    start = time.perf_counter()
    hypotheses = translator.translate(sources, first_line=2)  # line 1 of a test file is its header
    seconds = time.perf_counter() - start
    metric = metric_for(target_language)
    report = {
        "direction": translator.direction,
        "sentences": len(pairs),
        "bleu": bleu(hypotheses, references, target_language),
        "chrf++": chrf_plus_plus(hypotheses, references),
        metric.name.lower(): metric.corpus(hypotheses, references),
        "numbers_kept": numbers_kept_share(sources, hypotheses),
        "sentences_per_second": round(len(pairs) / seconds, 2),
    }
    return report, hypotheses

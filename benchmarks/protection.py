"""Does what must come back from a translation come back? On sentences made by rule, with and without protection.

    uv run benchmarks/protection.py --model-dir outputs/quickstart/ct2-int8
    uv run benchmarks/protection.py --model-dir outputs/liquid/student-onnx-int8 --sentences 500

For each kind (placeholders, addresses, code, emoji, amounts, HTML, terms of a glossary): how many of its sentences
keep everything, how many the model keeps by itself, and how it was done. Then what protection costs.
"""

import sys
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from machine import machine, title
from protection_set import CARRIERS, Item, generated

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import run_command
from marian_distill.files import write_json
from marian_distill.languages import DIRECTIONS, languages_of
from marian_distill.runtime.attempts import WAYS
from marian_distill.runtime.bundle import BUNDLE_FILE
from marian_distill.runtime.bundle_translator import BundleTranslator
from marian_distill.runtime.ctranslate2 import CTranslate2Translator
from marian_distill.runtime.protection import Protected, ProtectedTranslator
from marian_distill.runtime.translator import BEAM_SIZE
from marian_distill.text.numbers import numbers_kept

QUICKSTART = Path("outputs/quickstart/ct2-int8")


def parse_arguments() -> Namespace:
    parser = command_parser(__doc__)
    parser.add_argument(
        "--model-dir", type=Path, default=Path("outputs/quickstart/ct2-int8"), help="CTranslate2 or bundle"
    )
    parser.add_argument("--direction", choices=DIRECTIONS, help="default: the model's first")
    parser.add_argument("--sentences", type=at_least(30), default=2000)
    parser.add_argument("--beam-size", type=at_least(1), default=BEAM_SIZE)
    parser.add_argument("--threads", type=at_least(1), default=1)
    parser.add_argument("--rounds", type=at_least(1), default=5, help="of the timing")
    parser.add_argument("--output-dir", type=Path, default=Path("outputs/benchmarks"))
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    translator = load(arguments)
    protected = ProtectedTranslator(translator, numbers_kept)
    source_language = languages_of(translator.direction)[0]
    items = generated(source_language, arguments.sentences)
    start = time.process_time()
    results = protect(protected, items)
    seconds = time.process_time() - start
    start = time.process_time()
    alone = translator.translate([item.text for item in items])
    seconds_alone = time.process_time() - start
    plain = [carrier.replace("X", "tea" if source_language == "en" else "茶") for carrier in CARRIERS[source_language]]
    report = {
        "model": str(arguments.model_dir),
        "direction": translator.direction,
        "beam_size": arguments.beam_size,
        "sentences": len(items),
        "kinds": counts(items, results, alone),
        "cost": {
            "with_spans": seconds / seconds_alone,
            "plain": cost_of_plain_text(translator, protected, 5 * plain, arguments.rounds),
        },
        "machine": machine(),
        "lost": [
            {"text": item.text, "translation": one.text}
            for item, one in zip(items, results, strict=True)
            if not item.is_kept(one.text)
        ],
    }
    name = f"protection-{arguments.model_dir.name}"
    write_json(arguments.output_dir / f"{name}.json", report)
    pairs = [f"{i.kind}\t{one.way}\t{i.text}\t{one.text}" for i, one in zip(items, results, strict=True)]
    (arguments.output_dir / f"{name}.tsv").write_text("\n".join(pairs) + "\n", encoding="utf-8")
    print(table(report))


def load(arguments: Namespace) -> Any:
    if (arguments.model_dir / BUNDLE_FILE).is_file():
        return BundleTranslator(
            arguments.model_dir, arguments.direction, arguments.beam_size, threads=arguments.threads
        )
    return CTranslate2Translator(
        arguments.model_dir, arguments.direction, beam_size=arguments.beam_size, intra_threads=arguments.threads
    )


def protect(translator: ProtectedTranslator, items: list[Item]) -> list[Protected]:
    """Translations in the order of the items; those of a format and glossary go together."""
    results: dict[int, Protected] = {}
    for is_group, options in (
        (lambda item: item.kind == "html", {"format": "html"}),
        (lambda item: item.glossary, {"glossary": next(item.glossary for item in items if item.glossary)}),
        (lambda item: item.kind != "html" and not item.glossary, {}),
    ):
        group = [index for index, item in enumerate(items) if is_group(item)]
        results.update(zip(group, translator.check([items[index].text for index in group], **options), strict=True))
        print(f"{len(results)} of {len(items)} translated", file=sys.stderr)
    return [results[index] for index in range(len(items))]


def counts(items: list[Item], results: list[Protected], alone: list[str]) -> dict[str, dict[str, int]]:
    """For each kind: sentences, kept, kept by the model alone, warned of, and the ways."""
    kinds: dict[str, Counter] = {}
    for item, one, unprotected in zip(items, results, alone, strict=True):
        told = kinds.setdefault(item.kind, Counter())
        told["sentences"] += 1
        told["kept"] += item.is_kept(one.text)
        told["alone"] += item.is_kept(unprotected)
        told["warned"] += bool(one.warnings)
        told[one.way] += 1
    return {kind: dict(told) for kind, told in kinds.items()}


def cost_of_plain_text(translator: Any, protected: ProtectedTranslator, texts: list[str], rounds: int) -> float:
    """Time of plain text with protection by the time without, amounts unchecked: in turns, their median."""
    unchecked = ProtectedTranslator(protected.translator)
    ratios = [timed(unchecked.translate, texts) / timed(translator.translate, texts) for _ in range(rounds)]
    return median(ratios)


def timed(translate: Callable[[list[str]], list[str]], texts: list[str]) -> float:
    start = time.process_time()
    translate(texts)
    return time.process_time() - start


def table(report: dict) -> str:
    columns = ["sentences", "kept", "alone", "warned", *filter(None, WAYS)]
    rows = [title(report["machine"]), "".join([f"{'kind':10}", *(f"{column:>10}" for column in columns)])]
    total: Counter = sum(map(Counter, report["kinds"].values()), Counter())
    for kind, told in [*report["kinds"].items(), ("all", total)]:
        rows.append("".join([f"{kind:10}", *(f"{told.get(column, 0):10}" for column in columns)]))
    cost = report["cost"]
    rows.append(f"time: {cost['with_spans']:.2f} × for these sentences, {cost['plain']:.3f} × for plain text")
    return "\n".join(rows)


if __name__ == "__main__":
    run_command(main)

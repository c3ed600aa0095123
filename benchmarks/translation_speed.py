"""How fast does a model translate, beside Hugging Face `generate`, plain `translate_batch` and Marian?

    uv run benchmarks/translation_speed.py                                the quickstart's student, rule-made sentences
    uv run benchmarks/translation_speed.py --quick                        one short round, under two minutes
    uv run benchmarks/translation_speed.py --model-dir outputs/mine --input-file english.txt

Every way translates the same file with the same weights and beam. The ways take turns, round after round, each in a
process of its own; what is printed is the median of the rounds. Loading is not counted.
"""

import json
import os
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median, quantiles

from machine import machine, title
from marian_model import run_marian, write_marian_model
from processes import in_a_process

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.files import write_json
from marian_distill.languages import DIRECTIONS, TAGS

WAYS = {
    "hf_generate": "Hugging Face generate,\nbatches of 32, fp32",
    "plain_translate_batch": "translate_batch,\nfile order, int8",
    "marian": "Marian 1.12,\nfp32",
    "marian_int8": "Marian 1.12,\nint8",
    "engine": "the engine alone: pieces\nin, pieces out, int8",
    "ours": "ours, int8",
    "ours_avx2": "ours, int8,\nAVX2 alone",
    "ours_no_mkl": "ours, int8,\nwithout MKL",
    "ours_mkl": "ours, int8,\nwith MKL",
}
# Other processors' ways through the engine: older ones', AMD's (which it gives no MKL), Intel's.
SETTINGS = {
    "ours_avx2": {"CT2_FORCE_CPU_ISA": "AVX2"},
    "ours_no_mkl": {"CT2_USE_MKL": "0"},
    "ours_mkl": {"CT2_USE_MKL": "1"},
}
PLAIN_BATCH = 32
MOST_TOKENS = 96


def parse_arguments() -> Namespace:
    parser = command_parser(__doc__)
    parser.add_argument(
        "--model-dir",
        type=Path,
        default=Path("outputs/quickstart/student-ft-money-coffee"),
        help="Hugging Face folder",
    )
    parser.add_argument("--direction", choices=DIRECTIONS, default="en-zh")
    parser.add_argument("--input-file", type=Path, help="one sentence a line; default: rule-made sentences")
    parser.add_argument("--sentences", type=at_least(20), default=2000)
    parser.add_argument("--beam-size", type=at_least(1), default=1)
    parser.add_argument("--rounds", type=at_least(1), default=5)
    parser.add_argument("--threads", type=at_least(1), default=os.cpu_count() or 1)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--quick", action="store_true", help="one round of 200 sentences")
    parser.add_argument("--output-dir", type=Path, default=Path("outputs/benchmarks"))
    parser.add_argument("--json", type=Path, help="default: translation_speed.json in --output-dir")
    parser.add_argument("--way", choices=[*WAYS, "latency"], help="one round in this process, its JSON on stdout")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.sentences = 1, 200
    arguments.json = arguments.json or arguments.output_dir / "translation_speed.json"
    arguments.work = arguments.output_dir / f"translation-{arguments.model_dir.name}"
    return arguments


def main() -> None:
    arguments = parse_arguments()
    if arguments.way:
        print(json.dumps(one_round(arguments)))
        return
    prepare(arguments)
    rounds: dict[str, list[dict]] = {way: [] for way in arguments.ways}
    for number in range(arguments.rounds):
        for way in arguments.ways:
            rounds[way].append(in_a_process(way, "--way", way, settings=SETTINGS.get(way)))
            speed = rounds[way][-1]["sentences_per_second"]
            print(f"round {number + 1}, {way}: {speed:.0f} sentences/s", file=sys.stderr)
    report = summary(rounds, in_a_process("latency", "--way", "latency"), arguments)
    write_json(arguments.json, report)
    draw(report, arguments.json.with_suffix(".png"))
    print(table(report))


# What all ways share


def one_round(arguments: Namespace) -> dict:
    """One way, once; its translations go to a file, so that they can be held against those of the others."""
    measured = RUN[arguments.way](arguments)
    if "translations" in measured:
        lines = measured.pop("translations")
        (arguments.work / f"{arguments.way}.json").write_text(json.dumps(lines), encoding="utf-8")
    return measured


def prepare(arguments: Namespace) -> None:
    """The sentences, the int8 folder, and the same weights for Marian."""
    from marian_distill.augment import examples
    from marian_distill.export.ctranslate2 import export_model

    if arguments.input_file:
        lines = [line.strip() for line in arguments.input_file.read_text(encoding="utf-8").splitlines()]
        lines = [line for line in lines if line]
    else:
        per_domain = arguments.sentences // 3 + 1
        domains = ("money", "coffee", "travel")
        found = [list(examples(domain, "train", per_domain, seed=1)) for domain in domains]
        language = arguments.direction.partition("-")[0]
        lines = [getattr(example, language) for trio in zip(*found, strict=True) for example in trio]
    if len(lines) < arguments.sentences:
        raise UserError(f"{arguments.input_file}: {len(lines)} sentences; give --sentences {len(lines)}")
    arguments.work.mkdir(parents=True, exist_ok=True)
    sentence_file(arguments).write_text("\n".join(lines[: arguments.sentences]) + "\n", encoding="utf-8")
    if not (arguments.work / "ct2-int8" / "model.bin").is_file():
        export_model(arguments.model_dir, arguments.work / "ct2-int8", "int8", [])
    if {"marian", "marian_int8"}.intersection(arguments.ways) and not (arguments.work / "marian.int8.bin").is_file():
        write_marian_model(arguments.model_dir, arguments.work)


def sentence_file(arguments: Namespace) -> Path:
    return arguments.work / f"sentences-{arguments.sentences}.txt"


def read_sentences(arguments: Namespace) -> list[str]:
    return sentence_file(arguments).read_text(encoding="utf-8").splitlines()


def timed(translate: Callable[[], list[str]]) -> dict:
    start = time.perf_counter()
    translations = translate()
    seconds = time.perf_counter() - start
    return {"sentences_per_second": len(translations) / seconds, "translations": translations}


# The ways


def ours(arguments: Namespace) -> dict:
    translator = our_translator(arguments, arguments.threads)
    from marian_distill.runtime.memory import peak_memory_mb
    from marian_distill.runtime.translator import translate_corpus

    measured = timed(lambda: list(translate_corpus(translator, read_sentences(arguments))))
    return {**measured, "peak_memory_mb": peak_memory_mb(), "compute_type": translator.compute_type}


def our_translator(arguments: Namespace, threads: int):
    from marian_distill.runtime.ctranslate2 import CTranslate2Translator

    folder = arguments.work / "ct2-int8"
    return CTranslate2Translator(
        folder, arguments.direction, beam_size=arguments.beam_size, inter_threads=threads, intra_threads=1
    )


def plain_translate_batch(arguments: Namespace) -> dict:
    """What the engine's documentation shows: batches as they come, the engine's own choice of threads."""
    import ctranslate2

    from marian_distill.pieces import SentencePieceTokenizer

    folder = arguments.work / "ct2-int8"
    engine = ctranslate2.Translator(str(folder), intra_threads=arguments.threads)
    pieces, tag = SentencePieceTokenizer(folder), source_tag(arguments)

    def translate() -> list[str]:
        translations = []
        for batch in in_batches(read_sentences(arguments)):
            results = engine.translate_batch(
                pieces.source_pieces(batch, tag), beam_size=arguments.beam_size, max_decoding_length=MOST_TOKENS
            )
            translations += [pieces.decode(result.hypotheses[0]) for result in results]
        return translations

    return timed(translate)


def source_tag(arguments: Namespace) -> str | None:
    return TAGS["zh"] if arguments.direction == "en-zh" else None


def in_batches(sentences: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(sentences), PLAIN_BATCH):
        yield sentences[start : start + PLAIN_BATCH]


def engine(arguments: Namespace) -> dict:
    """All sentences in one call, cut into pieces before the clock runs: what no corpus translation can beat."""
    from marian_distill.runtime.ctranslate2 import BATCH_TOKENS

    translator = our_translator(arguments, arguments.threads)
    sources = translator.pieces.source_pieces(read_sentences(arguments), source_tag(arguments))

    def translate() -> list[str]:
        results = translator.engine.translate_batch(
            sources,
            max_batch_size=BATCH_TOKENS["cpu"],
            batch_type="tokens",
            beam_size=arguments.beam_size,
            max_input_length=0,
            max_decoding_length=MOST_TOKENS,
        )
        return [" ".join(result.hypotheses[0]) for result in results]

    return timed(translate)


def hf_generate(arguments: Namespace) -> dict:
    import torch
    from transformers import MarianMTModel, MarianTokenizer

    torch.set_num_threads(arguments.threads)
    tokenizer = MarianTokenizer.from_pretrained(arguments.model_dir)
    model = MarianMTModel.from_pretrained(arguments.model_dir, use_safetensors=True, dtype=torch.float32).eval()
    tag = source_tag(arguments)
    sentences = [f"{tag} {sentence}" if tag else sentence for sentence in read_sentences(arguments)]

    def translate() -> list[str]:
        translations = []
        for batch in in_batches(sentences):
            inputs = tokenizer(batch, return_tensors="pt", padding=True)
            generated = model.generate(
                **inputs, num_beams=arguments.beam_size, do_sample=False, max_new_tokens=MOST_TOKENS
            )
            translations += tokenizer.batch_decode(generated, skip_special_tokens=True)
        return translations

    return timed(translate)


def marian(arguments: Namespace, model: str = "marian.npz") -> dict:
    """Marian's own decoder: sentences sorted by length, a thread a batch. The time is what its log says."""
    spm = arguments.model_dir / "source.spm"
    options = [
        "--models", arguments.work / model, "--vocabs", spm, spm, "--input", sentence_file(arguments),
        "--cpu-threads", arguments.threads, "--beam-size", arguments.beam_size, "--workspace", 500, "--skip-cost",
        "--mini-batch", 64, "--maxi-batch", 100, "--maxi-batch-sort", "src", "--max-length", 200,
    ]  # fmt: skip
    done = run_marian("decode", options)
    seconds = float(done.stderr.rpartition("Total time: ")[2].split("s")[0])
    lines = done.stdout.splitlines()
    return {"sentences_per_second": len(lines) / seconds, "translations": lines}


def marian_int8(arguments: Namespace) -> dict:
    """The same from 8-bit weights, packed for this kind of processor."""
    return marian(arguments, "marian.int8.bin")


def latency(arguments: Namespace) -> dict:
    """Milliseconds for one sentence of about ten words, on one thread, greedy and with a beam of 4."""
    sentences = [line for line in read_sentences(arguments) if 9 <= len(line.split()) <= 11][:200]
    if not sentences:
        return {}
    report = {}
    for name, beam_size in (("greedy", 1), ("beam_4", 4)):
        arguments.beam_size = beam_size
        translator = our_translator(arguments, 1)
        for sentence in sentences[:5]:
            translator.translate([sentence])
        times = []
        for sentence in sentences:
            start = time.perf_counter()
            translator.translate([sentence])
            times.append(1000 * (time.perf_counter() - start))
        cuts = quantiles(times, n=20)
        report[name] = {"p50": cuts[9], "p95": cuts[18], "sentences": len(times)}
    return report


RUN = {
    "ours": ours,
    "ours_avx2": ours,
    "ours_no_mkl": ours,
    "ours_mkl": ours,
    "plain_translate_batch": plain_translate_batch,
    "hf_generate": hf_generate,
    "marian": marian,
    "marian_int8": marian_int8,
    "engine": engine,
    "latency": latency,
}


# The report


def summary(rounds: dict[str, list[dict]], delays: dict, arguments: Namespace) -> dict:
    speeds = {way: [one["sentences_per_second"] for one in measured] for way, measured in rounds.items()}
    report: dict = {
        "sentences_per_second": {way: median(values) for way, values in speeds.items()},
        "ratios": {},
        "machine": machine(),
        "latency_ms": delays,
        "model": str(arguments.model_dir),
        "sentences": arguments.sentences,
        "beam_size": arguments.beam_size,
        "threads": arguments.threads,
        "rounds": rounds,
    }
    if "ours" in rounds:
        report["peak_memory_mb"] = max(one["peak_memory_mb"] for one in rounds["ours"])
        for way in speeds:
            if way != "ours":
                pairs = zip(speeds["ours"], speeds[way], strict=True)
                report["ratios"][way] = median(mine / theirs for mine, theirs in pairs)
        report["same_text"] = {way: same_text(arguments, way) for way in speeds if way not in ("ours", "engine")}
    return report


def same_text(arguments: Namespace, way: str) -> float:
    """Share of the sentences that a way translates as ours does."""
    mine, theirs = (json.loads((arguments.work / f"{one}.json").read_text(encoding="utf-8")) for one in ("ours", way))
    return sum(left == right for left, right in zip(mine, theirs, strict=True)) / len(mine)


def table(report: dict) -> str:
    lines = [title(report["machine"]), f"{'way':24} {'sentences/s':>11} {'ours is':>8} {'same text':>10}"]
    for way, speed in report["sentences_per_second"].items():
        ratio = report["ratios"].get(way)
        same = report.get("same_text", {}).get(way)
        told = (f"{ratio:.2f} ×" if ratio else "", "" if same is None else f"{same:.1%}")
        lines.append(f"{way:24} {speed:11.0f} {told[0]:>8} {told[1]:>10}".rstrip())
    for name, delay in report["latency_ms"].items():
        lines.append(
            f"one sentence of ten words, one thread, {name}: {delay['p50']:.1f} ms, p95 {delay['p95']:.1f} ms"
        )
    if "peak_memory_mb" in report:
        lines.append(f"peak memory of ours: {report['peak_memory_mb']:.0f} MB")
    return "\n".join(lines)


def draw(report: dict, path: Path) -> None:
    from charts import bars

    speeds = {WAYS[way]: [one["sentences_per_second"] for one in rounds] for way, rounds in report["rounds"].items()}
    label = f"sentences a second, {report['threads']} threads, beam {report['beam_size']}"
    bars(speeds, label, path, title(report["machine"]))


if __name__ == "__main__":
    run_command(main)

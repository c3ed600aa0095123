"""How do time and memory grow with vocabulary, width, sentence length and corpus?

    uv run benchmarks/scaling.py                     curves and JSON in outputs/benchmarks
    uv run benchmarks/scaling.py --quick             two small sizes each, under two minutes
    uv run benchmarks/scaling.py --corpus-sizes 10000 100000 1000000 10000000

Each point is a process of its own, so that its peak memory is its own. What is trained on is random ids, what is
translated 256 sentences whose length is forced, so that random weights do. The corpus is invented text in a TSV,
loaded, cleaned, tokenised and cut into batches.
"""

import json
import os
import time
from argparse import Namespace
from pathlib import Path
from statistics import median

from machine import machine, title
from processes import in_a_process

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import run_command
from marian_distill.files import atomic_writer, write_json

BASE = {"vocabulary": 16_000, "width": 320, "length": 16}
SIZES = {
    "vocabulary": (4_000, 8_000, 16_000, 32_000, 65_000),
    "width": (128, 192, 256, 320, 512),
    "length": (8, 16, 32, 64, 128),
}


def parse_arguments() -> Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--toy", action="store_true", help="one small size each, to see that it runs")
    parser.add_argument("--corpus-sizes", nargs="+", type=at_least(1000), default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--threads", type=at_least(1), default=os.cpu_count() or 1)
    parser.add_argument("--tokens-per-batch", type=at_least(256), default=4096, help="half source, half target")
    parser.add_argument("--steps", type=at_least(3), default=10, help="training steps a point, after three to warm up")
    parser.add_argument("--output-dir", type=Path, default=Path("outputs/benchmarks"))
    parser.add_argument("--json", type=Path, help="default: scaling.json in --output-dir")
    parser.add_argument("--point", type=json.loads, help="measure one point in this process, its JSON on stdout")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.corpus_sizes, arguments.steps = [1000, 4000], 3
    if arguments.toy:
        arguments.corpus_sizes, arguments.steps = [1000], 3
    arguments.json = arguments.json or arguments.output_dir / "scaling.json"
    return arguments


def main() -> None:
    arguments = parse_arguments()
    if arguments.point:
        from marian_distill.runtime.memory import peak_memory_mb

        measured = MEASURE[arguments.point.pop("what")](arguments, **arguments.point)
        print(json.dumps({**measured, "peak_memory_mb": peak_memory_mb()}))
        return
    report: dict[str, list[dict]] = {}
    chosen = slice(0, 1) if arguments.toy else slice(1, 3) if arguments.quick else slice(None)
    asked, base = SIZES, BASE
    if arguments.toy:
        asked, base = {"length": SIZES["length"]}, {name: sizes[0] for name, sizes in SIZES.items()}
    for what in ("training", "translation"):
        for name, sizes in asked.items():
            for size in sizes[chosen]:
                report.setdefault(f"{what} by {name}", []).append(point(what, {**base, name: size}, name, size))
    for pairs in arguments.corpus_sizes:
        report.setdefault("corpus by pairs", []).append(point("corpus", {"pairs": pairs}, "pairs", pairs))
    described = machine()
    write_json(arguments.json, {"machine": described, "curves": report})
    draw(report, arguments.json.with_suffix(".png"), title(described))


def point(what: str, sizes: dict[str, int], name: str, size: int) -> dict:
    if what == "translation":
        measured_alone("engine", sizes)
    measured = {name: size, **measured_alone(what, sizes)}
    print(
        f"{what:12} {name} {size:>10,}: {measured['seconds']:8.3f} s, {measured['peak_memory_mb']:6.0f} MB", flush=True
    )
    return measured


def measured_alone(what: str, sizes: dict[str, int]) -> dict:
    return in_a_process(f"{what} {sizes}", "--point", json.dumps({"what": what, **sizes}))


def new_model(vocabulary: int, width: int):
    from marian_distill.students.marian.config import student_config
    from marian_distill.students.marian.model import new_student

    layers = {"encoder_layers": 5, "decoder_layers": 2, "attention_heads": 8}
    return new_student(student_config(d_model=width, ffn_dim=4 * width, vocab_size=vocabulary + 1, **layers))


def training(arguments: Namespace, vocabulary: int, width: int, length: int) -> dict:
    """Seconds of a step: forward, backward, optimizer."""
    from marian_distill.training.memory import keep_freed_memory, limit_kernel_caches

    limit_kernel_caches()
    keep_freed_memory()
    from functools import partial

    import torch

    from marian_distill.students.packing import PairCollator
    from marian_distill.training.losses import DistillationLoss, projection_loss
    from marian_distill.training.speed import median_time

    torch.set_num_threads(arguments.threads)
    model = new_model(vocabulary, width).train()
    model.set_attn_implementation("eager")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    ids = torch.randint(1, vocabulary, (arguments.tokens_per_batch // 2 // length, length)).tolist()
    batch = PairCollator(vocabulary)([{"input_ids": row, "labels": row} for row in ids])
    objective = partial(projection_loss, DistillationLoss())

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            sums = model(**batch, objective=objective)
        (sums.loss / arguments.tokens_per_batch).backward()
        optimizer.step()
        optimizer.zero_grad()

    return {"seconds": median_time(step, arguments.steps, warm_up=3)}


def translation(arguments: Namespace, vocabulary: int, width: int, length: int) -> dict:
    """Seconds for 256 sentences, int8, greedy. Without torch, so that the peak is the engine's."""
    import ctranslate2

    folder = engine_folder(arguments, vocabulary, width)
    engine = ctranslate2.Translator(str(folder), inter_threads=arguments.threads, intra_threads=1)
    sources = [[f"piece{2 + (7 * row + column) % (vocabulary - 2)}" for column in range(length)] for row in range(256)]

    def translate() -> float:
        start = time.perf_counter()
        engine.translate_batch(
            sources,
            max_batch_size=512,
            batch_type="tokens",
            beam_size=1,
            min_decoding_length=length,
            max_decoding_length=length,
            max_input_length=0,
        )
        return time.perf_counter() - start

    translate()  # warms up
    return {"seconds": median(translate() for _ in range(arguments.steps))}


def engine_folder(arguments: Namespace, vocabulary: int, width: int) -> Path:
    return arguments.output_dir / f"scaling-{vocabulary}-{width}"


def write_engine(arguments: Namespace, vocabulary: int, width: int, length: int) -> dict:
    """An int8 CTranslate2 folder with random weights, for any length."""
    import shutil
    import tempfile

    from ctranslate2.converters import TransformersConverter

    folder = engine_folder(arguments, vocabulary, width)
    if not (folder / "model.bin").is_file():
        with tempfile.TemporaryDirectory() as directory:
            shutil.copytree(small_workload(arguments) / "tokenizer", directory, dirs_exist_ok=True)
            new_model(vocabulary, width).save_pretrained(directory)
            pieces = ["</s>", "<unk>", *(f"piece{index}" for index in range(2, vocabulary)), "<pad>"]
            write_json(Path(directory, "vocab.json"), {piece: index for index, piece in enumerate(pieces)})
            TransformersConverter(directory).convert(str(folder), quantization="int8", force=True)
    return {}


def small_workload(arguments: Namespace) -> Path:
    from workload import make_workload

    folder = arguments.output_dir / "text-8000-4000"
    make_workload(folder, pairs=8000, pieces=4000)
    return folder


def corpus(arguments: Namespace, pairs: int) -> dict:
    """Seconds to load, clean, tokenise and cut into batches; each part alone too."""
    from workload import invented_pairs

    from marian_distill.pieces import SentencePieceTokenizer
    from marian_distill.text.batching import LengthBatchSampler
    from marian_distill.text.cleaning import clean
    from marian_distill.text.corpus import CorpusSource, load_parallel
    from marian_distill.text.tokenization import tokenize_parallel

    tokenizer = small_workload(arguments) / "tokenizer"  # made before the clock runs
    path = arguments.output_dir / f"scaling-{pairs}.tsv"
    if not path.is_file():
        distinct = list(invented_pairs(min(pairs, 200_000), seed=7))
        with atomic_writer(path) as stream:  # repeated text, made distinct by a number so that it is not deduplicated
            stream.writelines(
                f"{distinct[row % len(distinct)][0][:-1]} {row}.\t{distinct[row % len(distinct)][1][:-1]}{row}。\n"
                for row in range(pairs)
            )
    seconds, marks = {}, [time.perf_counter()]

    def done(name: str) -> None:
        marks.append(time.perf_counter())
        seconds[name] = marks[-1] - marks[-2]

    loaded = load_parallel(CorpusSource(str(path)))
    done("load")
    cleaned, _ = clean(loaded)
    done("clean")
    tokenized = tokenize_parallel(cleaned, SentencePieceTokenizer(tokenizer), "en-zh")
    done("tokenise")
    lengths = tokenized.with_format("numpy")
    sampler = LengthBatchSampler(
        lengths["source_length"][:], lengths["target_length"][:], tokens=arguments.tokens_per_batch
    )
    batches = len(sampler)
    done("batch")
    return {"seconds": marks[-1] - marks[0], "parts": seconds, "examples": len(tokenized), "batches": batches}


MEASURE = {"training": training, "engine": write_engine, "translation": translation, "corpus": corpus}


def draw(report: dict[str, list[dict]], path: Path, title: str) -> None:
    """Seconds and memory against size, a panel a question."""
    from charts import curves

    curves({name: [(next(iter(one.values())), one["seconds"], one["peak_memory_mb"]) for one in points]
            for name, points in report.items()}, path, title)  # fmt: skip


if __name__ == "__main__":
    run_command(main)

"""From nothing to a plan: is all there, 100 sentences end to end, and what the whole run would take on this machine.

    uv run -s scripts/quick_start.py --mode test     no weights, no download: a tiny random teacher, made-up sentences
    uv run -s scripts/quick_start.py --mode small    the teacher and the first 100 rows of the corpus of --config
    uv run -s scripts/quick_start.py --mode full     the same, then the whole run (scripts/coordinate_distill.py)

One YAML holds the whole run: teacher, prompt, corpus, shards, tokenizer, labels, logits, training, export
(docs/coordinator.md). Each mode goes through all of it, to an exported int8 model.
"""

import argparse
import logging
import shutil
from importlib.metadata import version
from pathlib import Path

from marian_distill.command_line import command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.locks import folder_lock
from marian_distill.processor import describe_processor
from marian_distill.signals import stop_request
from marian_distill.training.log import TrainingLog, hush_libraries

DEFAULT_CONFIG = Path("recipes/coordinated/qwen.yaml")
SENTENCES = {"en-zh": "A cup of coffee, please.", "zh-en": "请给我一杯咖啡。"}


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--mode", choices=("test", "small", "full"), required=True)
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help=f"default: {DEFAULT_CONFIG}")
    parser.add_argument(
        "--output-dir", type=Path, default=Path("outputs/quick_start"), help="of the 100 rows (default: %(default)s)"
    )
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    from marian_distill.coordinate.settings import read_settings

    settings = read_settings(arguments.config)
    folder = check_ours(arguments.output_dir)
    with TrainingLog():
        check_environment(arguments.output_dir)
        from marian_distill.coordinate.coordinator import EXPORT, planned, run
        from marian_distill.coordinate.estimate import CORPUS_ROWS, gpu_lines, plan_lines, size
        from marian_distill.coordinate.sample import run_sample, sample_settings, translated

        hush_libraries(bars=False)
        tiny = arguments.mode == "test"
        with folder_lock(arguments.output_dir):
            sample = sample_settings(settings, folder, tiny=tiny)
            measured = run_sample(sample)
        text = SENTENCES["zh-en" if sample.direction == "zh-en" else "en-zh"]
        print(f"exported {sample.output_dir / EXPORT}, {size(measured.export_bytes)}")
        print(f"{text} → {translated(sample, text)}")
        rows = CORPUS_ROWS if tiny else planned(settings).rows_in_all
        print(*plan_lines(measured, rows, settings.shards["rows"]), sep="\n")
        print(*gpu_lines(rows), sep="\n")
        if tiny:
            print("the teacher was a tiny random one: times are its own, and what the student says is noise")
        if arguments.mode == "full":
            stop_request.how_to_go_on = lambda: f"go on with scripts/coordinate_distill.py {arguments.config}"
            with folder_lock(settings.output_dir):
                print(f"wrote {run(settings)}")


def check_ours(folder: Path) -> Path:
    """The folder, if it may be emptied: it is not there, or empty, or a run of this command."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "run.yaml").is_file():
        raise UserError(f"--output-dir {folder}: not empty, and no run of this command; choose another")
    return folder


def check_environment(folder: Path) -> None:
    """Say what is here; a package that is missing has been told by its import."""
    import psutil
    import torch

    names = ("torch", "transformers", "datasets", "ctranslate2", "tokenizers")
    logging.info("%s", describe_processor())
    logging.info("%s", ", ".join(f"{name} {version(name)}" for name in names))
    gpus = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
    logging.info("GPU: %s", ", ".join(f"{gpu.name}, {gpu.total_memory / 1e9:.0f} GB" for gpu in gpus) or "none")
    memory = psutil.virtual_memory()
    place = next(parent for parent in (folder.resolve(), *folder.resolve().parents) if parent.is_dir())
    logging.info(
        "memory: %.1f GB free of %.1f; disk: %.1f GB free",
        memory.available / 1e9, memory.total / 1e9, shutil.disk_usage(place).free / 1e9,
    )  # fmt: skip


if __name__ == "__main__":
    run_command(main)

"""Export a trained model, Marian or liquid, for a Rockchip NPU, held against the trained one in a simulator.

    uv run -s scripts/export_rknn.py outputs/quickstart/student --target rv1126b --dtype fp16 \\
        --output-dir outputs/quickstart/rv1126b-fp16
    uv run -s scripts/export_rknn.py outputs/student --target rv1126b --dtype w8a8 --kv-cache \\
        --calibration-file data/dev.tsv --parity-file data/test.tsv --output-dir outputs/student-rv1126b-w8a8

The first time, uv fetches rknn-toolkit2 into an environment of its own (550 MB). The folder appears whole or not at
all: what would leave the NPU (rv1126b), or loses too much, is refused. Translations, and what they lose, are those of
the toolkit's simulator: no board has run them.
"""

import argparse
import sys
from pathlib import Path

from marian_distill.command_line import add_model_dir, at_least, between, command_parser
from marian_distill.errors import run_command
from marian_distill.export.parity import SENTENCES
from marian_distill.export.rknn import DTYPES, TARGETS, export_rknn
from marian_distill.export.rknn_parity import parity_table
from marian_distill.files import read_json_object
from marian_distill.text.formats import read_rows


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add_model_dir(parser, "Hugging Face folder of a Marian or a liquid model")
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--target", default="rv1126b", help=f"{', '.join(TARGETS)} (default: rv1126b)")
    parser.add_argument(
        "--dtype",
        "--quantization",
        default="fp16",
        choices=DTYPES,
        help="hybrid: fp16, projection w8a8 (default: fp16)",
    )
    parser.add_argument("--source-length", type=at_least(12), default=64, help="source tokens at most (default: 64)")
    parser.add_argument("--target-length", type=at_least(12), default=64, help="target tokens at most (default: 64)")
    parser.add_argument(
        "--kv-cache",
        action="store_true",
        help="the decoder takes keys and values of earlier tokens; a liquid one keeps its state either way",
    )
    parser.add_argument(
        "--calibration-file", type=Path, help="parallel text (default: the dev set that the model was trained with)"
    )
    parser.add_argument("--parity-file", type=Path, help="parallel text to measure on (default: as for calibration)")
    parser.add_argument("--parity-sentences", type=at_least(1), default=500, help="at most so many (default: 500)")
    parser.add_argument("--max-chrf-lost", type=between(-100, 100), help="chrF++ (default: by type)")
    parser.add_argument("--overwrite", action="store_true", help="replace a bundle exported to the same folder before")
    return parser.parse_args()


def read_pairs(path: Path | None, model_dir: Path) -> list[tuple[str, str]]:
    """(English, Chinese) of a file, else of the dev set that the model's run names, else the built-in sentences."""
    options = model_dir / "options.json"
    if path is None and options.is_file() and (named := read_json_object(options).get("eval_dataset")):
        path = Path(named) if Path(named).is_file() else None
    if path is None:
        print("no dev set at hand: using the 30 built-in sentences", file=sys.stderr)
        return list(zip(SENTENCES["en"], SENTENCES["zh"], strict=True))
    return [(english, chinese) for english, chinese, _ in read_rows(path)]


def main() -> None:
    arguments = parse_arguments()
    calibration_pairs = read_pairs(arguments.calibration_file, arguments.model_dir)
    pairs = read_pairs(arguments.parity_file, arguments.model_dir) if arguments.parity_file else calibration_pairs
    bundle, report, builds = export_rknn(
        arguments.model_dir,
        arguments.output_dir,
        arguments.target,
        arguments.dtype,
        pairs[: arguments.parity_sentences],
        calibration_pairs,
        arguments.source_length,
        arguments.target_length,
        arguments.kv_cache,
        arguments.max_chrf_lost,
        arguments.overwrite,
    )
    print(parity_table(report))
    for name, build in builds.items():
        megabytes = bundle["files"][f"{name}.rknn"]["bytes"] / 1e6
        print(f"{name}: {megabytes:.1f} MB, {build.cycles:,} NPU cycles a call by the toolkit's estimate")
        for operator in build.off_npu:
            print(f"  not on the NPU: {operator}")
    print(f"wrote {arguments.output_dir}")


if __name__ == "__main__":
    run_command(main)

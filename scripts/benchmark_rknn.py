"""Time a bundle where this runs, a Rockchip board above all, and write figures to send back.

    python benchmark_rknn.py --json board.json
    uv run -s scripts/benchmark_rknn.py --model-dir outputs/student-onnx --json onnx.json --repeats 5

Memory is the process's own: what the NPU's driver holds besides (weights, buffers) shows on the board as free memory
before and after.
"""

from pathlib import Path

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.files import write_json
from marian_distill.runtime.benchmark import benchmark
from marian_distill.runtime.console import read_lines
from marian_distill.runtime.translator import MAX_BEAM_SIZE


def main() -> None:
    parser = command_parser(__doc__)
    parser.add_argument("--model-dir", type=Path, default=Path("bundle"), help="the bundle folder (default: bundle)")
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    parser.add_argument("--input-file", type=Path, help="UTF-8 text, one source a line (default: eight sentences)")
    parser.add_argument("--repeats", type=at_least(1), default=10, help="rounds over all of them (default: 10)")
    parser.add_argument(
        "--beam-size",
        "--num-beams",
        type=at_least(1, MAX_BEAM_SIZE),
        default=1,
        help="default: 1, greedy, which scripts/estimate_rknn.py reckons with",
    )
    parser.add_argument("--threads", type=at_least(1), default=1, help="of ONNX Runtime (default: 1)")
    arguments = parser.parse_args()
    texts = []
    if arguments.input_file:
        if not arguments.input_file.is_file():
            raise UserError(f"{arguments.input_file}: no such file")
        with arguments.input_file.open("rb") as stream:
            texts = [line for line in read_lines(stream, str(arguments.input_file)) if line.strip()]
    report = benchmark(arguments.model_dir, texts, arguments.repeats, arguments.beam_size, arguments.threads)
    write_json(arguments.json, report)
    print(f"{report['target']} {report['dtype']} on {report['machine']}")
    for name in ("encoder", "decoder", "projection", "sentence"):
        if times := report.get(f"{name}_ms"):
            print(f"{name:<11}{times['p50']:9.2f} ms median {times['p95']:9.2f} ms 95th percentile")
    print(f"{report['decoder_calls_a_sentence']} decoder calls a sentence, {report['peak_memory_mb']} MB at the peak")


if __name__ == "__main__":
    run_command(main)

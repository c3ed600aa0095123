"""The options of scripts/cache_teacher_logits.py, apart from what they bring to work: --help needs no torch."""

from pathlib import Path

from marian_distill.command_line import CommandParser, at_least, between, command_parser


def caching_parser(description: str | None) -> CommandParser:
    """The teacher, its corpora, what is kept of a token, how it computes."""
    parser = command_parser(description)
    parser.add_argument("--teacher-model", required=True, help="a folder, or a model's name on the hub")
    parser.add_argument("--tokenizer-dir", help="the student's tokenizer (default: the teacher's)")
    parser.add_argument("--dataset", nargs="+", required=True, help="parallel text as in training; files of text")
    parser.add_argument("--dataset-config", default="en-zh")
    parser.add_argument("--direction", choices=("en-zh", "zh-en", "both", "none"), default="en-zh")
    parser.add_argument("--samples", choices=("lines", "documents"), default="lines", help="of plain text")
    parser.add_argument(
        "--untagged", action="store_true", help="sources without their language tag, as the teacher is"
    )
    parser.add_argument(
        "--prompt-file", type=Path, help="what a language model gets: a .yaml as in prompts/, or a text with {source}"
    )
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--kind", choices=("random", "top-k"), default="random", help="default: %(default)s")
    parser.add_argument("--k", type=at_least(1), default=9, help="pieces a token (default: %(default)s)")
    parser.add_argument("--exact", type=at_least(0), default=3, help="of these not drawn (default: %(default)s)")
    parser.add_argument(
        "--temperature", type=between(0.01, 100), default=2.0, help="default: %(default)s, as training"
    )
    parser.add_argument("--seed", type=at_least(0, 2**31), default=42, help="of the draws")
    parser.add_argument("--batch-size", type=at_least(1), default=32, help="examples (default: %(default)s)")
    parser.add_argument(
        "--max-seq-len",
        type=at_least(2, 4096),
        default=64,
        help="most tokens of a source and of a target, or of a language model's row; longer examples are left out",
    )
    parser.add_argument("--start-from", type=at_least(0), default=0, help="leave out so many examples at the start")
    parser.add_argument("--max-samples", type=at_least(1), help="cache at most so many examples")
    parser.add_argument("--shard-size", type=at_least(1), default=5_000, help="examples a file: what a kill may cost")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--teacher-dtype", choices=("float32", "bfloat16", "float16"), default="float32")
    parser.add_argument("--compile", action="store_true", help="run the teacher through torch.compile")
    parser.add_argument("--int8", action="store_true", help="keep the teacher's weights in eight bits: less memory")
    return parser

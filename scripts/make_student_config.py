"""Make a student config of any kind: a JSON file for --student-config, its parameter count printed.

    uv run -s scripts/make_student_config.py --output student_configs/320d_5x2_32k.json \\
        --d-model 320 --encoder-layers 5 --decoder-layers 2 --attention-heads 8 --ffn-dim 1280 --vocab-size 32001
    uv run -s scripts/make_student_config.py --teacher-model Helsinki-NLP/opus-mt-en-zh \\
        --output student_configs/mine.json --decoder-layers 2
    uv run -s scripts/make_student_config.py --model-type liquid --teacher-model outputs/teacher \\
        --output student_configs/liquid.json --decoder-layers 1 --cell gru --units 144
    uv run -s scripts/make_student_config.py --model-type qwen3 --output student_configs/writer.json \\
        --d-model 384 --decoder-layers 6 --attention-heads 6 --key-value-heads 2 --ffn-dim 1024 --vocab-size 8000

What is left out comes from the teacher's config. `--vocab-size` counts `<pad>`: 32,001 for 32,000 pieces; a language
model (qwen3) has none.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from marian_distill.command_line import at_least, command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.files import write_json

NEEDED = ("d_model", "encoder_layers", "decoder_layers", "attention_heads", "ffn_dim", "vocab_size")


def parse_arguments() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--output", type=Path, required=True, help="the JSON file to write")
    parser.add_argument("--model-type", help="marian, liquid or qwen3 (default: the teacher's, or marian)")
    parser.add_argument("--teacher-model", help="folder or hub name whose config fills in what is not given")
    parser.add_argument("--d-model", type=int, help="width; must be even and a multiple of the heads")
    parser.add_argument("--encoder-layers", type=int)
    parser.add_argument("--decoder-layers", type=int, help="of a language model all")
    parser.add_argument("--attention-heads", type=int)
    parser.add_argument("--ffn-dim", type=int, help="width of the feed-forward layers")
    parser.add_argument("--vocab-size", type=int, help="pieces of the tokenizer and <pad>")
    parser.add_argument("--dropout", type=float, help="(default: 0.1)")
    parser.add_argument("--cell", help="of a liquid decoder: cfc, ltc, gru or ssru (default: cfc)")
    parser.add_argument("--units", type=at_least(1), help="of its cell (default: as its width)")
    parser.add_argument("--motor-units", type=at_least(1), help="of these, read by its layer (default: three tenths)")
    parser.add_argument("--key-value-heads", type=at_least(1), help="of a language model (default: as many as heads)")
    return parser.parse_args()


def main() -> None:
    options = parse_arguments()
    from marian_distill.students.kind import kind_of, parameter_count
    from marian_distill.students.loading import read_model_config

    teacher_kind, teacher = read_model_config(options.teacher_model) if options.teacher_model else (None, None)
    kind = kind_of(options.model_type, "--model-type") if options.model_type else teacher_kind or kind_of("marian")
    sizes: dict[str, Any] = {}
    if teacher_kind is not None:
        fields = {name: field for name, field in teacher_kind.sizes.items() if name in kind.sizes and name in NEEDED}
        sizes = {name: getattr(teacher, field) for name, field in fields.items()}
    beyond = ("dropout", "cell", "units", "motor_units", "key_value_heads")
    given = {name: value for name in (*NEEDED, *beyond) if (value := getattr(options, name)) is not None}
    if unknown := [name for name in given if name not in kind.sizes]:
        its_own = " ".join(map(flag, kind.sizes))
        raise UserError(f"{flag(unknown[0])}: a {kind.name} student has none; it has {its_own}")
    sizes |= given
    if missing := [name for name in NEEDED if name in kind.sizes and name not in sizes]:
        raise UserError(f"{flag(missing[0])} is missing: give it, or --teacher-model to take it from")
    config = kind.new_config(sizes, teacher if teacher_kind and teacher_kind.name == kind.name else None)
    write_json(options.output, config.to_diff_dict() | {"model_type": config.model_type})
    print(f"{options.output}: {parameter_count(config):,} parameters", file=sys.stderr)


def flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


if __name__ == "__main__":
    run_command(main)

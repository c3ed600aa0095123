"""Make a student config: a MarianConfig JSON with `<pad>` last, its parameter count printed.

    uv run -s scripts/make_student_config.py --output student_configs/320d_5x2_32k.json \\
        --d-model 320 --encoder-layers 5 --decoder-layers 2 --attention-heads 8 --ffn-dim 1280 --vocab-size 32001
    uv run -s scripts/make_student_config.py --teacher-model Helsinki-NLP/opus-mt-en-zh \\
        --output student_configs/mine.json --decoder-layers 2

What is left out comes from the teacher's config. `--vocab-size` counts `<pad>`: 32,001 for 32,000 pieces.
"""

import sys
from pathlib import Path

from marian_distill.command_line import command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.files import write_json


def main() -> None:
    parser = command_parser(__doc__)
    parser.add_argument("--output", type=Path, required=True, help="the JSON file to write")
    parser.add_argument("--teacher-model", help="folder or hub name whose config fills in what is not given")
    parser.add_argument("--d-model", type=int, help="width; must be even and a multiple of the heads")
    parser.add_argument("--encoder-layers", type=int)
    parser.add_argument("--decoder-layers", type=int)
    parser.add_argument("--attention-heads", type=int)
    parser.add_argument("--ffn-dim", type=int, help="width of the feed-forward layers")
    parser.add_argument("--vocab-size", type=int, help="pieces of the tokenizer and <pad>")
    parser.add_argument("--dropout", type=float, default=0.1)
    options = parser.parse_args()

    from transformers import MarianConfig

    from marian_distill.students.marian.config import parameter_count, student_config

    teacher = None
    if options.teacher_model:
        try:
            teacher = MarianConfig.from_pretrained(options.teacher_model)
        except OSError as error:
            raise UserError(f"{options.teacher_model}: no config there ({str(error).splitlines()[0]})") from error
    sizes = {
        "d_model": (options.d_model, "d_model"),
        "encoder_layers": (options.encoder_layers, "encoder_layers"),
        "decoder_layers": (options.decoder_layers, "decoder_layers"),
        "attention_heads": (options.attention_heads, "encoder_attention_heads"),
        "ffn_dim": (options.ffn_dim, "encoder_ffn_dim"),
        "vocab_size": (options.vocab_size, "vocab_size"),
    }
    missing = [name for name, (value, _) in sizes.items() if value is None and teacher is None]
    if missing:
        raise UserError(f"--{missing[0].replace('_', '-')} is missing: give it, or --teacher-model to take it from")
    chosen = {name: getattr(teacher, field) if value is None else value for name, (value, field) in sizes.items()}
    config = student_config(**chosen, dropout=options.dropout, like=teacher)
    write_json(options.output, config.to_diff_dict() | {"model_type": "marian"})
    print(f"{options.output}: {parameter_count(config):,} parameters", file=sys.stderr)


if __name__ == "__main__":
    run_command(main)

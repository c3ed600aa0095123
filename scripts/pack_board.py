"""Pack a bundle for a board: one archive with the bundle, the modules that run it, and an install script.

    uv run -s scripts/pack_board.py outputs/student-rv1126b-w8a8 --output student-rv1126b.tar.gz

On the board: `tar xzf student-rv1126b.tar.gz`, `sh student-rv1126b/install.sh`, then in that folder
`.venv/bin/python translate_rknn.py`. A bundle of scripts/export_onnx.py is packed likewise, for ONNX Runtime.
"""

from pathlib import Path

from marian_distill.command_line import add_model_dir, command_parser
from marian_distill.errors import run_command
from marian_distill.export.pack import pack_board


def main() -> None:
    parser = command_parser(__doc__)
    add_model_dir(parser, "a folder of export_rknn.py or export_onnx.py")
    parser.add_argument("--output", type=Path, required=True, help="the archive, NAME.tar.gz")
    arguments = parser.parse_args()
    members = pack_board(arguments.model_dir, Path(__file__).parent, arguments.output)
    print(f"wrote {arguments.output}: {len(members)} files, {arguments.output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    run_command(main)

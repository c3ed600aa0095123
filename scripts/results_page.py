"""Write docs/results.md and its pictures from the figures in docs/results.

    uv run -s scripts/results_page.py
    uv run -s scripts/results_page.py --take comparison.md.json --name peers --title "Beside public systems" \\
        --about "Outputs of seven public systems on FLORES and WMT21."
    uv run -s scripts/results_page.py --check

--take keeps the figures of a comparison that scripts/compare_models.py wrote as docs/results/NAME.json; its sentences
are not kept. --check writes nothing and ends with exit code 1 where page or pictures are stale.
"""

import sys
from pathlib import Path

from marian_distill.command_line import command_parser
from marian_distill.errors import UserError, run_command
from marian_distill.files import atomic_writer, write_json
from marian_distill.schema import read_shaped


def main() -> None:
    parser = command_parser(__doc__)
    parser.add_argument(
        "--results", type=Path, default=Path("docs/results"), help="folder of the figures and pictures"
    )
    parser.add_argument("--output", type=Path, default=Path("docs/results.md"), help="the page")
    parser.add_argument("--take", type=Path, metavar="JSON", help="a comparison to keep")
    parser.add_argument("--name", help="what --take is kept as")
    parser.add_argument("--title", help="heading of what --take keeps")
    parser.add_argument("--about", help="a sentence or two about it")
    parser.add_argument("--check", action="store_true", help="only say what is stale")
    arguments = parser.parse_args()
    from marian_distill.evaluation.report.results import ComparisonFile, Kept, kept_figures, results_page, stale_files

    if arguments.take:
        if not (arguments.name and arguments.title and arguments.about):
            raise UserError("--take: give --name, --title and --about as well")
        kept = kept_figures(read_shaped(arguments.take, ComparisonFile), arguments.title, arguments.about)
        write_json(arguments.results / f"{arguments.name}.json", kept)
    comparisons = {path.stem: read_shaped(path, Kept) for path in sorted(arguments.results.glob("*.json"))}
    if not comparisons:
        raise UserError(f"{arguments.results}: no figures there; keep some with --take")
    page, pictures = results_page(comparisons)
    stale = stale_files(arguments.results, page, pictures, arguments.output)
    if arguments.check:
        print(*(f"stale: {path}" for path in stale), sep="\n", end="\n" if stale else "")
        sys.exit(bool(stale))
    for path in stale:
        if path.name in pictures or path == arguments.output:
            with atomic_writer(path) as stream:
                stream.write(pictures.get(path.name, page))
        else:
            path.unlink()
    print(f"wrote {arguments.output}")


if __name__ == "__main__":
    run_command(main)

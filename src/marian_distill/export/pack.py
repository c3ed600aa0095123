"""One archive that a board needs and nothing else: the bundle, the few modules that run it, an install script."""

import io
import tarfile
from importlib.metadata import version
from pathlib import Path

import marian_distill
from marian_distill.errors import UserError
from marian_distill.files import atomic_writer
from marian_distill.runtime.bundle import BUNDLE_FILE, BundleConfig, read_bundle

PACKAGE = Path(marian_distill.__file__).parent
SCRIPTS = ("translate_rknn.py", "benchmark_rknn.py")
MODULES = (
    "__init__.py",
    "command_line.py",
    "errors.py",
    "files.py",
    "languages.py",
    "pieces.py",
    "schema.py",
    "signals.py",
    "temporary.py",
    "runtime/__init__.py",
    "runtime/attempts.py",
    "runtime/benchmark.py",
    "runtime/bundle.py",
    "runtime/bundle_translator.py",
    "runtime/console.py",
    "runtime/html_text.py",
    "runtime/memory.py",
    "runtime/prompt.py",
    "runtime/protection.py",
    "runtime/segmentation.py",
    "runtime/sessions.py",
    "runtime/spans.py",
    "runtime/stand_ins.py",
    "runtime/static.py",
    "runtime/translator.py",
    "text/__init__.py",
    "text/numbers.py",
    "text/numerals.py",
)
INSTALL = """#!/bin/sh
# Makes .venv beside this file and puts into it what requirements.txt lists. PYTHON=… names another interpreter.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, NEWEST))'; then
    echo "error: $("$python" --version) is not 3.11 to 3.NEWEST; try PYTHON=/path/to/python3.11 sh install.sh" >&2
    exit 2
fi
"$python" -m venv .venv
.venv/bin/python -m pip install --quiet -r requirements.txt
LIBRARY
echo 'ready: .venv/bin/python translate_rknn.py --text "give me a cup of latte"'
"""
LIBRARY = """if [ ! -e /usr/lib/librknnrt.so ]; then
    echo "warning: /usr/lib/librknnrt.so is missing: install the RKNN runtime of the board's image" >&2
fi
"""


def requirements(bundle: BundleConfig) -> list[str]:
    """What pip installs for a bundle's engine."""
    pieces = f"sentencepiece=={version('sentencepiece')}"
    if bundle["engine"] == "onnx":
        return [f"numpy=={version('numpy')}", pieces, f"onnxruntime=={version('onnxruntime')}"]
    # The toolkit's wheels are built against the numpy that it pins.
    return ["numpy<=1.26.4", pieces, f"rknn-toolkit-lite2=={bundle['toolkit'].split()[-1]}"]


def pack_board(bundle_dir: str | Path, scripts_dir: str | Path, output: str | Path) -> list[str]:
    """Write the archive NAME.tar.gz, whose one folder is NAME; the names of what it holds.

    Args:
        bundle_dir: a bundle folder, checked before.
        scripts_dir: where `SCRIPTS` are.
        output: the archive; it appears whole or not at all.
    """
    bundle_dir, output = Path(bundle_dir), Path(output)
    if not output.name.endswith(".tar.gz"):
        raise UserError(f"{output}: expected a name that ends in .tar.gz")
    bundle = read_bundle(bundle_dir)
    name = output.name.removesuffix(".tar.gz")
    is_board = bundle["engine"] == "rknn"
    install = INSTALL.replace("NEWEST", "12" if is_board else "14").replace("LIBRARY\n", LIBRARY if is_board else "")
    texts = {"install.sh": install, "requirements.txt": "\n".join(requirements(bundle)) + "\n"}
    files = {f"bundle/{file}": bundle_dir / file for file in (BUNDLE_FILE, *bundle["files"])}
    files |= {module: PACKAGE.parent / module for module in (f"{PACKAGE.name}/{path}" for path in MODULES)}
    files |= {script: Path(scripts_dir) / script for script in SCRIPTS}
    output.parent.mkdir(parents=True, exist_ok=True)
    with atomic_writer(output) as stream, tarfile.open(fileobj=stream.buffer, mode="w:gz") as archive:  # pyright: ignore
        for member, path in sorted(files.items()):
            archive.add(path, f"{name}/{member}", filter=_plain)
        for member, text in texts.items():
            content = text.encode("utf-8")
            info = tarfile.TarInfo(f"{name}/{member}")
            info.size, info.mode = len(content), 0o644
            archive.addfile(info, io.BytesIO(content))
    return sorted([*files, *texts])


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without the owner, time and mode of this machine."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member

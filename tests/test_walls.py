"""The two walls: what translates imports neither torch nor transformers; text/ and runtime/ import no other wing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import marian_distill

PACKAGE = Path(marian_distill.__file__).parent
WINGS = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
HEAVY = ("torch", "transformers", "datasets")
TRANSLATING = [wing for wing in ("runtime", "serving") if (PACKAGE / wing).is_dir()]


def modules(wing: str) -> list[Path]:
    return sorted((PACKAGE / wing).rglob("*.py"))


def imported_wings(path: Path) -> set[str]:
    """Wings of this package that a file imports, at its top or inside a function."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    parts = [name.split(".") for name in names if name.startswith("marian_distill.")]
    return {part[1] for part in parts if part[1] in WINGS}


@pytest.mark.parametrize("wing", TRANSLATING)
def test_translating_imports_nothing_heavy(wing):
    names = [f"marian_distill.{wing}.{path.stem}" for path in modules(wing) if path.stem != "__init__"]
    code = f"import sys, {', '.join(names)}; print(*[name for name in {HEAVY} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""


@pytest.mark.parametrize("wing", TRANSLATING)
def test_translating_holds_no_heavy_import_anywhere(wing):
    for path in modules(wing):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            imported += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in imported if name.split(".")[0] in HEAVY], path


@pytest.mark.parametrize("wing", ["text", "runtime"])
def test_the_lowest_wings_import_no_other_wing(wing):
    assert modules(wing)
    for path in modules(wing):
        assert imported_wings(path) <= {wing}, path

"""The walls: what translates imports neither torch nor transformers; text/ and runtime/ import no other wing.

A kind of student is known in its own folder alone. And the one way that imports point: from the last wings that text
flows through to the first, with no circle.
"""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import marian_distill

PACKAGE = Path(marian_distill.__file__).parent
WINGS = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
HEAVY = ("torch", "transformers", "datasets")
TRANSLATING = ("runtime", "serving")


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
def test_translating_imports_nothing_that_windows_lacks(wing):
    names = [f"marian_distill.{wing}.{path.stem}" for path in modules(wing) if path.stem != "__init__"]
    missing = ("readline", "resource", "fcntl", "termios", "pwd", "grp")
    code = f"import sys; sys.modules.update(dict.fromkeys({missing})); import {', '.join(names)}"
    subprocess.run([sys.executable, "-c", code], check=True)


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


# From where imports start to where they end; within a line a wing may import another, but not in a circle.
LAYERS = [
    {"coordinate"},
    {"serving", "evaluation", "export", "training"},
    {"teachers", "augment", "students"},
    {"runtime", "text"},
]


def imports_of_wings() -> dict[str, set[str]]:
    """Wing → the other wings that it imports."""
    return {wing: set().union(*map(imported_wings, modules(wing))) - {wing} for wing in WINGS}


def test_wings_import_each_other_in_no_circle():
    TopologicalSorter(imports_of_wings()).prepare()  # raises CycleError, which names the circle


def test_imports_point_one_way():
    rank = {wing: number for number, layer in enumerate(LAYERS) for wing in layer}
    assert set(rank) >= WINGS
    backwards = [(a, b) for a, wings in imports_of_wings().items() for b in wings if rank[b] < rank[a]]
    assert backwards == []


def test_what_every_wing_shares_imports_no_wing():
    for path in PACKAGE.glob("*.py"):
        assert imported_wings(path) == set(), path


# What transformers and this project call the parts of a kind; what would import them.
KINDS = {
    "marian": re.compile(r"\bMarian(Config|MTModel|Student|Encoder|Decoder|Attention)|models\.marian\b"),
    "liquid": re.compile(r"\bLiquid(Config|Model|Student|For)|\bncps\b"),
    "causal": re.compile(r"\bQwen3(Config|ForCausalLM|Model)|\bCausalStudent\b|models\.qwen3\b"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_student_is_known_in_its_own_folder_alone(kind):
    own, seam = PACKAGE / "students" / kind, PACKAGE / "students" / "kinds.py"
    assert modules(f"students/{kind}")
    for path in {*PACKAGE.rglob("*.py")} - {*own.rglob("*.py")}:
        text = path.read_text(encoding="utf-8")
        assert not KINDS[kind].search(text), path
        assert path == seam or f"students.{kind}" not in text, path

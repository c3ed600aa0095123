# What the recipes share: words that the shell takes as they are, and a name for each test file.
import re
import shlex
from pathlib import Path


def quoted(*words):
    """Words for a rule's `shell`, whatever is in them: quoted for the shell, braces doubled for Snakemake."""
    return shlex.join(map(str, words)).replace("{", "{{").replace("}", "}}")


def one_of(name, *values):
    """A setting of the recipe that has few values."""
    if config[name] not in values:
        raise WorkflowError(f"{name}: {config[name]!r}; expected {' or '.join(values)}")
    return config[name]


def by_name(paths):
    """Test files by a name for files and tables: the stem, with its folder's name before it where two have the same."""
    stems = [Path(path).stem for path in paths]
    named = {}
    for path, stem in zip(paths, stems, strict=True):
        name = stem if stems.count(stem) == 1 else f"{Path(path).parent.name}-{stem}"
        name = re.sub(r"[^\w-]+", "_", name)
        if name in named or name == "slices":
            raise WorkflowError(f"tests: {path} would be called {name!r}, which is taken; rename it or its folder")
        named[name] = path
    return named

import subprocess
import sys
from pathlib import Path

from marian_distill.files import read_json

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "protection.py"


def test_all_is_kept_whatever_the_model(tmp_path, toy_ct2_dir):
    options = ["--model-dir", toy_ct2_dir, "--output-dir", tmp_path, "--sentences", 62, "--rounds", 1]
    done = subprocess.run(
        list(map(str, [sys.executable, SCRIPT, *options])), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    report = read_json(tmp_path / f"protection-{toy_ct2_dir.name}.json")
    kinds = {kind: told for kind, told in report["kinds"].items() if kind != "amount"}
    assert len(kinds) == 13
    assert {kind: told["kept"] for kind, told in kinds.items()} == {
        kind: told["sentences"] for kind, told in kinds.items()
    }
    assert report["cost"]["plain"] > 0

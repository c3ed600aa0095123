"""A local Ray cluster of several workers, one of which dies: every part is made."""

import pytest

from marian_distill.coordinate.plan import Plan, ShardFolder

pytest.importorskip("ray", reason="uv sync --extra ray")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_worker_that_dies_costs_nothing(tmp_path):
    from marian_distill.coordinate.ray_workers import RayMaker, cluster

    corpora = [{"name": "corpus", "rows": 60, "fingerprint": "f"}]
    plan = Plan({"corpora": corpora, "shard_rows": 60, "part_rows": 10, "passes": 1, "made_with": {}})
    shards, died, seen = ShardFolder(tmp_path / "shards", plan), tmp_path / "died", tmp_path / "seen"

    def load():
        import os
        import signal
        import time

        def make(part, folder):
            if part.number == 3 and not died.exists():
                died.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(0.2)
            with seen.open("a") as stream:
                stream.write(f"{os.getpid()}\n")
            (folder / "rows.txt").write_text(f"{part.first}+{part.rows}")

        return make

    with cluster(None, workers=3):
        maker = RayMaker(shards, load, workers=3, gpus=0)
        maker.begin(0)
        maker.finish(0)
    assert died.exists()
    assert shards.missing(0) == []
    assert [(path / "rows.txt").read_text() for path in shards.part_folders(0)] == [
        f"{n}+10" for n in range(0, 60, 10)
    ]
    assert len(set((tmp_path / "seen").read_text().split())) > 1

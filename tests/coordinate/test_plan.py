"""How a corpus is cut, and the bookkeeping of 26 million pairs with a fake teacher and a fake student."""

import time

import numpy as np
import pytest

from marian_distill.coordinate.coordinator import coordinate
from marian_distill.coordinate.making import Between
from marian_distill.coordinate.plan import Plan, ShardFolder, keep_plan
from marian_distill.errors import UserError
from marian_distill.files import read_json, write_json


def record(rows: int, shard_rows: int, part_rows: int, passes: int = 1):
    corpora = [{"name": "corpus", "rows": rows, "fingerprint": "f"}]
    cut = {"shard_rows": shard_rows, "part_rows": part_rows, "passes": passes}
    return {"corpora": corpora, **cut, "made_with": {"direction": "en-zh"}}


@pytest.mark.parametrize("cut", [(103, 20, 7, 1), (100, 50, 50, 3), (5, 20, 20, 2)])
def test_each_row_is_in_one_part_of_each_pass(cut):
    plan = Plan(record(*cut))
    found = [row for number in range(plan.shards) for part in plan.parts(number) for row in range(*ends(part))]
    assert found == list(range(cut[0])) * cut[3]
    assert [plan.rows_through(number) for number in range(plan.shards)][-1] == plan.rows_in_all == cut[0] * cut[3]


def ends(part):
    return part.first, part.first + part.rows


def test_a_run_keeps_the_plan_that_it_began_with(tmp_path):
    keep_plan(tmp_path / "plan.json", record(103, 20, 7))
    keep_plan(tmp_path / "plan.json", record(103, 20, 7))
    with pytest.raises(UserError, match="shard_rows is 20 there, 21 now"):
        keep_plan(tmp_path / "plan.json", record(103, 21, 7))


class FakeStudent:
    """Counts how often each row was learnt from; its checkpoint is a file, and now and then it dies."""

    def __init__(self, folder, rows, dies_at=()):
        self.file, self.learnt, self.dies_at = folder / "cursor.json", np.zeros(rows, np.uint8), set(dies_at)
        self.most_on_disk = 0

    def next_shard(self):
        return read_json(self.file)["done"] if self.file.is_file() else 0

    def train(self, number, folders):
        self.most_on_disk = max(self.most_on_disk, len(list(folders[0].parents[1].iterdir())))
        if number in self.dies_at:
            self.dies_at.remove(number)
            raise KeyboardInterrupt
        for folder in folders:
            self.learnt[np.load(folder / "rows.npy")] += 1
        write_json(self.file, {"done": number + 1})
        return True


def fake_labels(part, folder):
    np.save(folder / "rows.npy", np.arange(*ends(part), dtype=np.int32))


def test_bookkeeping_of_26_million_pairs(tmp_path):
    plan = Plan(record(26_000_000, 200_000, 200_000))
    shards, student = ShardFolder(tmp_path / "shards", plan), FakeStudent(tmp_path, plan.rows, {3, 77, 129})
    maker = Between(shards, fake_labels)
    begun, runs = time.process_time(), 0
    while student.next_shard() < plan.shards:
        runs += 1
        try:
            coordinate(shards, maker, student, lambda number: None)
        except KeyboardInterrupt:
            assert len(shards.on_disk()) == 1
    seconds = time.process_time() - begun
    print(f"{plan.shards} shards, {plan.rows:,} pairs, {runs} runs: {seconds:.1f} s of the processor")
    assert runs == 4
    assert (student.learnt == 1).all()
    assert shards.on_disk() == []
    assert student.most_on_disk <= 2
    assert seconds < 30

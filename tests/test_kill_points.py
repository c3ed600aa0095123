"""A sample of `kill_points.py`, which runs them all."""

import pytest

import kill_points
from kill_points import KillPoints


@pytest.fixture(autouse=True)
def warmed_up(datasets_cache):
    with kill_points.warmed_up():
        yield


def test_a_stage_killed_anywhere_ends_with_the_weights_of_an_undisturbed_run(toy_stage, tmp_path):
    points = KillPoints(toy_stage, tmp_path, **kill_points.PLAIN)
    last = points.operations
    # While options.json is written; within checkpoints; between the last one and run.json; at run.json itself.
    for point in (2, 3, last // 2, 3 * last // 4, last - 12, last - 4, last):
        assert points.problem(point) is None

import json
from pathlib import Path

import numpy as np
import pytest

from marian_distill.errors import UserError
from marian_distill.files import read_json, write_json
from marian_distill.teachers.cache import (
    MANIFEST,
    Example,
    ShardContent,
    TeacherCache,
    packed_ids,
    row_keys,
    uniform_numbers,
    unpacked_ids,
    vocabulary_hash,
    write_cache,
)

VOCABULARY, K = 1000, 3


def some_examples(count: int, seed: int = 0) -> list[Example]:
    draw = np.random.default_rng(seed)
    return [
        Example(*(draw.integers(VOCABULARY, size=draw.integers(1, 9), dtype=np.int32) for _ in range(2)))
        for _ in range(count)
    ]


def settings(**changes) -> dict:
    values = {
        "kind": "top-k",
        "k": K,
        "exact": 0,
        "temperature": 2.0,
        "seed": 1,
        "vocabulary": VOCABULARY,
        "vocabulary_sha256": "v",
        "teacher": "teacher",
        "teacher_sha256": "t",
        "prompt": "",
        "direction": "en-zh",
        "data": {"text": "f"},
        "start_from": 0,
        "max_samples": None,
        "max_seq_len": 64,
        "shard_rows": 4,
    }
    return {**values, **changes}


def said_of(example: Example) -> tuple[np.ndarray, np.ndarray]:
    """Ids and values that hang on the target alone."""
    ids = (example.target[:, None].astype(np.int64) + np.arange(K)) % VOCABULARY
    return ids, -(ids % 7).astype(np.float16)[:, [0, 1, 2, 0]]


class Parrot:
    """A teacher whose words are known; counts the shards that it was asked for, and may die."""

    def __init__(self, dies_at: int = 0) -> None:
        self.shards, self.dies_at = 0, dies_at

    def __call__(self, examples) -> ShardContent:
        self.shards += 1
        if self.shards == self.dies_at:
            raise KeyboardInterrupt
        ids, values = zip(*map(said_of, examples), strict=True)
        targets = [one.target for one in examples]
        return ShardContent(
            row_keys([one.source for one in examples], targets),
            np.array([len(target) for target in targets], dtype=np.int32),
            np.concatenate(ids),
            np.concatenate(values),
            0.5,
        )


def write(folder: Path, examples, **changes) -> Path:
    write_cache(folder, settings(**changes), examples, Parrot())
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("vocabulary", [2, 3, 8001, 65536, 151_936])
def test_ids_come_back_from_as_few_bits_as_they_need(vocabulary):
    ids = np.random.default_rng(0).integers(vocabulary, size=(50, 7))
    ids[0] = vocabulary - 1
    packed = packed_ids(ids, vocabulary)
    assert packed.shape[1] == -(-7 * (vocabulary - 1).bit_length() // 8)
    assert (unpacked_ids(packed, 7, vocabulary) == ids).all()


def test_a_rows_key_hangs_on_every_id_its_place_and_its_side():
    def key(source, target):
        return row_keys([np.array(source)], [np.array(target)])[0]

    pairs = [
        ([1, 2], [3]),
        ([2, 1], [3]),
        ([1], [2, 3]),
        ([1, 2, 3], []),
        ([3], [1, 2]),
        ([1, 2], [3, 0]),
        ([1, 2], [4]),
    ]
    assert len({key(*pair) for pair in pairs}) == len(pairs)
    both = row_keys([np.array([1, 2]), np.array([5])], [np.array([3]), np.array([6, 7])])
    assert both.tolist() == [key([1, 2], [3]), key([5], [6, 7])]
    many = some_examples(5000)
    assert len(set(row_keys(*zip(*((one.source, one.target) for one in many), strict=True)).tolist())) > 4900


def test_the_numbers_of_draws_are_even_and_hang_on_the_row_alone():
    keys, lengths = np.arange(4000, dtype=np.uint64), np.full(4000, 5)
    numbers = uniform_numbers(keys, lengths, seed=3)
    assert np.histogram(numbers, bins=10, range=(0, 1))[0] == pytest.approx(np.full(10, 2000), rel=0.1)
    assert (uniform_numbers(keys[7:8], lengths[7:8], 3) == numbers[35:40]).all()
    assert not (uniform_numbers(keys, lengths, 4) == numbers).any()


def test_every_row_is_found_in_any_order_and_tells_what_was_said(tmp_path):
    examples = some_examples(11)
    cache = TeacherCache([write(tmp_path / "cache", examples)])
    assert len(cache) == 11
    order = np.random.default_rng(1).permutation(11)
    shuffled = [examples[index] for index in order]
    strangers = some_examples(3, seed=9)
    asked = [*shuffled[:4], strangers[0], *shuffled[4:], *strangers[1:]]
    rows = cache.locate(row_keys([one.source for one in asked], [one.target for one in asked]))
    assert (rows < 0).nonzero()[0].tolist() == [4, 12, 13]
    ids, values, taught = cache.read(rows, np.array([len(one.target) for one in asked]))
    place = 0
    for number, one in enumerate(asked):
        tokens = slice(place, place + len(one.target))
        known = number not in (4, 12, 13)
        assert (taught[tokens] == known).all()
        if known:
            expected_ids, expected_values = said_of(one)
            assert (ids[tokens] == expected_ids).all()
            assert (values[tokens] == expected_values).all()
        place += len(one.target)
    assert place == len(ids)


def test_several_folders_are_one_cache(tmp_path):
    examples = some_examples(11)
    parts = [write(tmp_path / "a", examples[:5]), write(tmp_path / "b", examples[5:], data={"text": "g"})]
    cache = TeacherCache(parts)
    rows = cache.locate(row_keys([one.source for one in examples], [one.target for one in examples]))
    assert sorted(rows) == list(range(11))
    ids, _, _ = cache.read(rows, np.array([len(one.target) for one in examples]))
    assert (ids == np.concatenate([said_of(one)[0] for one in examples])).all()


@pytest.mark.parametrize("dies_at", [1, 2, 3])
def test_stopped_at_any_shard_it_ends_as_if_undisturbed(tmp_path, dies_at):
    examples, undisturbed = some_examples(11), write(tmp_path / "undisturbed", some_examples(11))
    with pytest.raises(KeyboardInterrupt):
        write_cache(tmp_path / "cache", settings(), examples, Parrot(dies_at))
    assert not (tmp_path / "cache").exists()
    parrot, done = Parrot(), []
    write_cache(tmp_path / "cache", settings(), examples, parrot, done.append)
    assert parrot.shards == 4 - dies_at
    assert sum(done) == 11
    assert contents(tmp_path / "cache") == contents(undisturbed)


def test_it_does_not_go_on_with_other_options(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        write_cache(tmp_path / "cache", settings(), some_examples(11), Parrot(2))
    with pytest.raises(UserError, match="other options"):
        write_cache(tmp_path / "cache", settings(temperature=1.0), some_examples(11), Parrot())
    with pytest.raises(UserError, match="is not finished"):
        TeacherCache([tmp_path / "cache"])


def test_nothing_is_written_over(tmp_path):
    write(tmp_path / "cache", some_examples(3))
    with pytest.raises(UserError, match="exists"):
        write(tmp_path / "cache", some_examples(3))
    with pytest.raises(UserError, match="no examples"):
        write(tmp_path / "empty", [])


def damage_a_bit(folder: Path) -> None:
    shard = folder / "shard-00001.safetensors"
    content = bytearray(shard.read_bytes())
    content[-3] ^= 1
    shard.write_bytes(content)


def change_manifest(folder: Path, **changes) -> None:
    write_json(folder / MANIFEST, {**read_json(folder / MANIFEST), **changes})


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (damage_a_bit, "shard-00001.safetensors: is damaged"),
        (lambda folder: (folder / "shard-00002.safetensors").unlink(), "shard-00002.safetensors: no such file"),
        (lambda folder: (folder / MANIFEST).unlink(), "no teacher cache"),
        (lambda folder: (folder / MANIFEST).write_text("{"), "not valid JSON"),
        (lambda folder: change_manifest(folder, schema=99), "schema 99, expected 1"),
        (lambda folder: change_manifest(folder, k="x"), "k is 'x', expected a whole number"),
    ],
)
def test_a_cache_that_is_not_whole_is_one_line(tmp_path, harm, message):
    folder = write(tmp_path / "cache", some_examples(11))
    harm(folder)
    with pytest.raises(UserError, match=message):
        TeacherCache([folder])


def test_folders_of_different_kinds_are_not_one(tmp_path):
    write(tmp_path / "a", some_examples(3))
    write(tmp_path / "b", some_examples(3), teacher_sha256="another")
    with pytest.raises(UserError, match="its teacher_sha256 is 'another'"):
        TeacherCache([tmp_path / "a", tmp_path / "b"])


def test_a_row_of_another_length_is_never_cut_to_fit(tmp_path):
    cache = TeacherCache([write(tmp_path / "cache", some_examples(3))])
    length = len(some_examples(3)[0].target)
    with pytest.raises(RuntimeError, match="target tokens"):
        cache.read(np.array([0]), np.array([length + 1]))


def test_a_vocabularys_hash_is_of_pieces_and_ids():
    assert vocabulary_hash({"a": 0, "b": 1}) == vocabulary_hash(json.loads('{"b": 1, "a": 0}'))
    assert vocabulary_hash({"a": 0, "b": 1}) != vocabulary_hash({"a": 1, "b": 0})

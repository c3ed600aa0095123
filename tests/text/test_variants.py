from itertools import product

import pytest

from marian_distill.languages import TAGS
from marian_distill.text.batching import LengthBatchSampler
from marian_distill.text.tokenization import tokenize_parallel
from marian_distill.text.variants import EpochBatches, Variation, VariedExamples

ALL = Variation(tag_share=0.5, final_stop_share=0.3, source_noise=0.3, seed=7)
TIDY = Variation(tag_share=1.0)


@pytest.fixture
def vary(make_parallel, pieces):
    """Builds varied examples of pairs, in one direction or both."""

    def build(pairs, variation: Variation, direction: str = "en-zh") -> VariedExamples:
        rows = tokenize_parallel(make_parallel(pairs), pieces, direction, tagged=variation.tagged)
        return VariedExamples(rows, pieces, variation)

    return build


def ids(examples: VariedExamples, epoch: int, rows=None) -> list[tuple[list[int], list[int]]]:
    batch = examples.__getitems__([(epoch, row) for row in (rows or range(len(examples)))])
    return [(list(map(int, example["input_ids"])), list(map(int, example["labels"]))) for example in batch]


def text_of(pieces, row: list[int]) -> str:
    return pieces.decode([pieces.pieces[one] for one in row])


def test_an_example_is_another_one_in_other_epochs_and_the_same_in_the_same(vary, pairs):
    examples = vary(pairs, ALL)
    first, second = ids(examples, 0), ids(examples, 1)
    changed = sum(one != other for one, other in zip(first, second, strict=True))
    assert 0.5 < changed / len(pairs) < 0.9
    assert ids(vary(pairs, ALL), 1) == second  # without the first epoch, as a resumed run
    one_by_one = [ids(examples, 1, [row])[0] for row in reversed(range(len(pairs)))]
    assert one_by_one[::-1] == second  # in whichever batch, of whichever process
    assert ids(vary(pairs, Variation(tag_share=0.5, final_stop_share=0.3, source_noise=0.3, seed=8)), 0) != first


def test_shares_of_tags_stops_and_noise_are_kept_in_each_epoch(vary, pieces):
    pairs = [("I left my key at the hotel.", "我把钥匙忘在酒店了。")] * 1000
    tag = pieces.vocabulary[TAGS["zh"]]
    examples = vary(pairs, ALL)
    for epoch in (0, 1, 2):
        batch = ids(examples, epoch)
        assert sum(source[0] == tag for source, _ in batch) == pytest.approx(500, abs=60)
        assert sum(not text_of(pieces, target).endswith("。") for _, target in batch) == pytest.approx(300, abs=60)
        tidy = [pairs[0][0].removesuffix("."), pairs[0][0]]
        untidy = sum(text_of(pieces, source) not in tidy for source, _ in batch)
        assert 150 < untidy < 320  # an untidy sentence may lack its stop alone
        assert not any(text_of(pieces, source).startswith(TAGS["zh"]) for source, _ in batch)


def test_what_does_not_change_is_as_it_was_tokenised(vary, pieces, pairs):
    examples = vary(pairs, TIDY)
    expected = [
        (pieces.ids(source), pieces.ids(target))
        for source, target in zip(
            pieces.source_pieces([english for english, _ in pairs], TAGS["zh"]),
            pieces.target_pieces([chinese for _, chinese in pairs]),
            strict=True,
        )
    ]
    assert ids(examples, 0) == ids(examples, 5) == expected


@pytest.mark.parametrize("direction", ["en-zh", "zh-en", "both"])
def test_a_pair_has_its_stop_on_both_sides_or_on_neither(direction, vary, pieces):
    pairs = [("I left my key at the hotel.", "我把钥匙忘在酒店了。")] * 20
    examples = vary(pairs, Variation(tag_share=1.0, final_stop_share=0.5), direction)
    stops = set()
    for epoch in range(3):
        for source, target in ids(examples, epoch):
            ends = [text_of(pieces, side).endswith((".", "。")) for side in (source, target)]
            assert ends[0] == ends[1]
            stops.add(ends[0])
    assert stops == {True, False}


def test_an_example_that_would_grow_too_long_stays_as_it_is(vary, pieces):
    pairs = [("I left my key at the hotel", "我把钥匙忘在酒店了")] * 50
    (source, target), *_ = ids(vary(pairs, TIDY), 0)
    options = {"tag_share": 1.0, "final_stop_share": 0.5, "source_noise": 0.5}
    limits = {"max_source_length": len(source), "max_target_length": len(target)}
    batch = ids(vary(pairs, Variation(**options, **limits)), 0)
    assert max(len(one) for one, _ in batch) <= len(source)
    assert {tuple(one) for _, one in batch} == {tuple(target)}
    assert max(len(one) for one, _ in ids(vary(pairs, Variation(**options)), 0)) > len(source)


def test_epochs_have_as_many_batches_of_every_example(pairs):
    lengths = [len(english) for english, _ in pairs], [len(chinese) for _, chinese in pairs]
    batches = EpochBatches(LengthBatchSampler(*lengths, tokens=200))
    counts = set()
    for epoch in range(3):
        batches.set_epoch(epoch)
        keys = [key for batch in batches for key in batch]
        assert sorted(keys) == list(product([epoch], range(len(pairs))))
        counts.add(len(batches))
    assert len(counts) == 1


SAMPLED = Variation(tag_share=1.0, subword_sampling=0.5, subword_alpha=0.3, seed=7)


def test_pieces_drawn_by_chance_spell_the_same_text_and_hang_on_epoch_and_example_alone(vary, pieces, pairs):
    tidy, examples = vary(pairs, TIDY), vary(pairs, SAMPLED)
    plain, first, second = ids(tidy, 0), ids(examples, 0), ids(examples, 1)
    for row, (source, target) in enumerate(first):
        assert text_of(pieces, source) == text_of(pieces, plain[row][0])
        assert text_of(pieces, target) == text_of(pieces, plain[row][1])
        assert source[0] == plain[row][0][0]  # the tag
    changed = sum(one != other for one, other in zip(first, plain, strict=True))
    assert 0.25 < changed / len(pairs) <= 0.65
    assert first != second
    assert ids(vary(pairs, SAMPLED), 1) == second
    one_by_one = [ids(examples, 1, [row])[0] for row in reversed(range(len(pairs)))]
    assert one_by_one[::-1] == second


def test_drawing_pieces_leaves_the_other_draws_as_they_were():
    other = Variation(tag_share=0.5, final_stop_share=0.3, source_noise=0.3, subword_sampling=1.0, seed=7)
    for example in range(50):
        assert other.draw(2, example)[:3] == ALL.draw(2, example)[:3]

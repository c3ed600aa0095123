import pytest

from marian_distill.training.arguments import DataArguments
from marian_distill.training.data import variation


@pytest.mark.parametrize(
    ("options", "share"),
    [
        ({"direction": "en-zh"}, 0.5),
        ({"direction": "zh-en"}, 0.0),
        ({"direction": "both", "tag_share": 0.3}, 1.0),  # the tag is what steers it
        ({"direction": "zh-en", "tag_share": 0.3}, 0.3),
    ],
)
def test_the_share_of_tags(options, share, pieces):
    drawn = variation(DataArguments(**options), pieces, seed=1)
    assert drawn.tag_share == share
    assert drawn.tagged is (share > 0)

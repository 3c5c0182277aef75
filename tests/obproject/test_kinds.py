"""The words for the two kinds of assets."""

import pytest

from obproject.kinds import COLLECTION_OF, COLLECTIONS, KIND_OF, KINDS, find_kind


@pytest.mark.parametrize(
    ("word", "kind"), [("data", "data"), ("model", "model"), ("models", "model"), ("modelz", None), ("", None)]
)
def test_a_kind_is_meant_in_the_singular_and_in_the_plural(word, kind):
    assert find_kind(word) == kind


def test_every_kind_has_one_collection():
    assert [COLLECTION_OF[kind] for kind in KINDS] == list(COLLECTIONS)
    assert [KIND_OF[collection] for collection in COLLECTIONS] == list(KINDS)

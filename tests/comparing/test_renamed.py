"""Which assets may be one under two names: `comparing.pairs.renamed`."""

import time

from comparing.branch_rows import LONGEST_BLOBS, AssetRow
from comparing.pairs import Pair, renamed

NOTHING_OF = dict.fromkeys(AssetRow._fields)


def row(name, pk, **said):
    about = {"kind": "data", "asset_id": name, "name": "", "ready_pk": pk, "ready_number": 1, "producer_kind": "flow"}
    return AssetRow(**{**NOTHING_OF, **about, **said})


def lost(name, pk, *, is_gone=False, **said):
    base = row(name, pk, **said)
    return Pair(base.key, base, None, is_gone=is_gone)


def new(name, pk, **said):
    head = row(name, pk, **said)
    return Pair(head.key, None, head)


def said_of(*pairs):
    return [str(pair.renamed) for pair in renamed(pairs)]


def test_content_comes_before_files_and_files_before_makers():
    one = {"digest": "a", "blobs": '["x"]', "producer": "F"}
    assert said_of(lost("old", 1, is_gone=True, **one), new("young", 2, **one)) == [
        "perhaps renamed to young: same content",
        "perhaps renamed from old: same content",
    ]
    files = said_of(lost("old", 1, is_gone=True, **one), new("young", 2, **one | {"digest": "b"}))
    assert files[1] == "perhaps renamed from old: same files"
    maker = said_of(lost("old", 1, is_gone=True, producer="F"), new("young", 2, producer="F"))
    assert maker[1] == "perhaps renamed from old: both made by F"
    assert said_of(lost("old", 1, producer="F"), new("young", 2, producer="F")) == ["", ""]


def test_a_copy_has_the_content_of_its_origin():
    assert said_of(lost("old", 1), new("young", 2, origin=1))[1] == "perhaps renamed from old: same content"
    assert said_of(lost("old", 1, origin=7), new("young", 2, origin=7))[1] == "perhaps renamed from old: same content"


def test_of_several_that_are_alike_and_of_another_kind_nothing_is_said():
    assert said_of(lost("a", 1, digest="x"), lost("b", 2, digest="x"), new("young", 3, digest="x")) == ["", "", ""]
    assert said_of(lost("old", 1, digest="x"), new("young", 2, kind="models", digest="x")) == ["", ""]


def test_lists_of_files_that_were_read_in_part_are_not_the_same():
    part = {"blobs": "[" + '"x", ' * LONGEST_BLOBS}
    cut = {"blobs": part["blobs"][:LONGEST_BLOBS]}
    assert said_of(lost("old", 1, **cut), new("young", 2, **cut)) == ["", ""]


def test_thousands_on_either_side_cost_no_more_than_there_are():
    pairs = [lost(f"old{at}", at, is_gone=True, digest=f"a{at}", producer="F") for at in range(1_500)]
    pairs += [new(f"young{at}", 9_000 + at, digest=f"b{at}", producer="F") for at in range(1_500)]
    began = time.process_time()
    assert not any(pair.renamed for pair in renamed(pairs))
    assert time.process_time() - began < 5

"""The text of `of=`: what is asked for, and what is said of what asks for nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparing.references import LONGEST, MOST, AssetName, asked_in, parse_wanted, written
from obproject.branches import branch_key
from obproject.references import parse_reference


@pytest.mark.parametrize(
    ("text", "reference", "places"),
    [
        ("v3", "v3", []),
        ("latest", "latest", []),
        ("latest-2", "latest-2", []),
        ("@production", "@production", []),
        ("@eu:west", "@eu:west", []),  # an alias alone may have a colon
        ("i_0a0a", "i_0a0a", []),
        ("d_0a0a", "d_0a0a", []),
        ("models/m:v2", "v2", [("", "", "models", "m")]),
        ("data/a:b:v2", "v2", [("", "", "data", "a:b")]),  # the last colon counts
        ("data/a:@b:v2", "v2", [("", "", "data", "a:@b")]),
        ("models/m:@production", "@production", [("", "", "models", "m")]),
        ("models/m:i_0a0a", "i_0a0a", [("", "", "models", "m")]),
        ("feature_x/models/m:v2", "v2", [("", "feature_x", "models", "m")]),
        ("Feature-X/models/m:v2", "v2", [("", "feature_x", "models", "m")]),
        ("churn/main/models/m:v2", "v2", [("churn", "main", "models", "m"), ("", "churn_main", "models", "m")]),
        ("feature/x/y/data/m:v2", "v2", [("feature", "x_y", "data", "m"), ("", "feature_x_y", "data", "m")]),
        ("été/x/data/m:v2", "v2", [("", branch_key("été/x"), "data", "m")]),  # no project is called so
        ("data/models/m:v2", "v2", [("", "data", "models", "m")]),
        ("feature_x:v2", "v2", [("", "feature_x", "", "")]),  # the same asset on another branch
        ("feature/x:v2", "v2", [("feature", "x", "", ""), ("", "feature_x", "", "")]),
        ("models:v2", "v2", [("", "models", "", "")]),
    ],
)
def test_an_entry_says_which_version_of_which_asset(text, reference, places):
    found = parse_wanted(text)
    assert (found.text, str(found.reference)) == (text, reference)
    assert list(found.places) == [AssetName(*place) for place in places]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("models/churn_model", "It does not say which version is meant: write models/churn_model:v3"),
        ("a:b/models/m", "It does not say which version is meant"),
        ("@a/b", "It does not say which version is meant"),
        (":v3", "Nothing stands before its colon"),
        ("models/m:", "The instance reference is empty"),
        ("v0", "'v0' is no instance reference"),
        ("v" + "9" * 20, "too large"),
        ("latest-x", "'latest-x' is no instance reference"),
        ("@", "The alias is empty"),
        ("models/:v3", "The asset id is empty"),
        ("models/a b:v3", "The asset id 'a b' can't stand in an address"),
        ("//models/m:v3", "has no letter and no digit"),
        ("--:v3", "has no letter and no digit"),
        ("v3\x00", "a character that can't be shown"),
        ("x" * (LONGEST + 1), "It has 1,025 characters"),
    ],
)
def test_what_says_nothing_is_named_with_a_reason(text, part):
    (mistake,) = asked_in([text]).mistakes
    assert part in mistake.sentence
    assert mistake.sentence.endswith(".")
    assert len(mistake.text) <= LONGEST
    assert text.startswith(mistake.text)


def test_entries_stand_between_commas_and_in_repeated_values_and_each_counts_once():
    asked = asked_in(["v3, v7,,", "v3", "models/m:v2", " ", ",v0"])
    assert [one.text for one in asked.wanted] == ["v3", "v7", "models/m:v2"]
    assert [one.text for one in asked.mistakes] == ["v0"]
    assert asked.more == 0


def test_what_is_too_much_is_counted():
    asked = asked_in([",".join(f"v{number}" for number in range(1, MOST + 6))])
    assert len(asked.wanted) == MOST
    assert asked.more == 5
    assert asked_in(["v1," * 100_000]).more == 0


@given(st.lists(st.text(max_size=60), max_size=30))
def test_any_text_is_read_or_refused(values):
    asked = asked_in(values)
    assert len(asked.wanted) + len(asked.mistakes) <= MOST


NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.@+:~-]{0,12}", fullmatch=True)
KEYS = st.from_regex(r"[a-z0-9]+(_[a-z0-9]+)?", fullmatch=True)


@given(KEYS, KEYS, st.sampled_from(["data", "models"]), NAMES, st.integers(1, 99))
def test_what_is_written_is_read_as_it_was_meant(project, key, kind, asset_id, number):
    found = parse_wanted(written(f"v{number}", project=project, key=key, kind=kind, asset_id=asset_id))
    assert found.places[0] == AssetName(project, key, kind, asset_id)
    assert found.reference == parse_reference(f"v{number}")
    near = parse_wanted(written(f"v{number}", key=key, kind=kind, asset_id=asset_id))
    assert near.places == (AssetName("", key, kind, asset_id),)
    assert parse_wanted(written("v1", kind=kind, asset_id=asset_id)).places == (AssetName("", "", kind, asset_id),)
    assert parse_wanted(written("v1")).places == ()

"""What needs attention, as lines: one for each cause, in words that say what it is and what to do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from catalog.attention import Attended, Needed
from catalog.pages.attended import MANY, attention_of, lines_of, text_of
from catalog.states import AttentionKind

NOW = datetime(2026, 11, 30, 15, tzinfo=UTC)
VIEWER = SimpleNamespace(may=lambda perimeter, role, names: perimeter == "alpha")
BRANCH = "/alpha/churn/main"


def needed(kind=AttentionKind.LATE, pk=1, name="customers", hours=11, facts=None, **more):
    due = NOW - timedelta(hours=hours)
    said = {
        "kind": kind,
        "subject": f"asset:{pk}",
        "since": due + timedelta(hours=6),
        "until": None,
        "facts": facts or {},
        "perimeter": "alpha",
        "perimeter_id": 1,
        "project": "churn",
        "branch_id": 1,
        "branch_key": "main",
        "branch_name": "main",
        "asset_pk": pk,
        "asset_kind": "data",
        "asset_id": name,
        "usual": 86_400,
        "due_at": due,
    }
    return Needed(**said | more)


def behind(pk, hours, root=1, name="customers"):
    given = {"asset": root, "kind": "data", "asset_id": name, "branch": "main", "project": "churn"}
    cause = {"kind": "input", "input": given | {"due_at": (NOW - timedelta(hours=11)).isoformat()}}
    return needed(pk=pk, name=f"asset_{pk}", hours=hours, facts={"cause": cause})


def told(rows, **how):
    return lines_of(VIEWER, Attended(rows, len(rows)), now=NOW, **how)


def test_what_is_late_behind_another_is_on_its_line():
    why = {"kind": "not run", "maker": "DatasetFlow", "maker_kind": "flow", "since": "2026-11-29T03:50:00+00:00"}
    rows = [behind(3, 9), behind(2, 10), needed(facts={"cause": why})]
    (line,) = told(rows)
    assert text_of(line.said) == "customers is 11 h late, and with it asset_2 and asset_3"
    assert text_of(line.why) == "DatasetFlow has not run for 2026-11-29 03:50 UTC; usually daily"
    assert [(one.label, one.url) for one in line.actions] == [
        ("Runs", f"{BRANCH}/flows/DatasetFlow"),
        ("Impact", f"{BRANCH}/data/customers/lineage?view=impact"),
    ]
    assert line.subjects == ["late asset:1", "late asset:2", "late asset:3"]
    assert line.may_dismiss


def test_what_is_behind_something_that_is_not_in_the_list_names_it():
    (line,) = told([behind(2, 10), behind(3, 9)])
    assert text_of(line.said) == "asset_2 is 10 h late, and with it asset_3"
    assert text_of(line.why) == "its input customers is 11 h late; usually daily"
    assert f"{BRANCH}/data/customers" in {part.url for part in line.why}


def test_many_late_ones_are_one_line_where_there_is_little_room():
    roots = [needed(pk=pk, name=f"root_{pk}") for pk in (1, 2, 3, 4)]
    rows = [*roots, *(behind(10 + pk, 9, root=1) for pk in range(MANY)), behind(99, 9, root=2)]
    (line,) = told(rows, few=True)
    assert text_of(line.said) == (
        f"{MANY + 1} assets are late behind 4 that are: root_1 ({MANY}), root_2 (1), root_3 and 1 more"
    )
    assert [(one.label, one.url) for one in line.actions] == [("All late ones", f"{BRANCH}/assets?late=yes&sort=-late")]
    assert len(told(rows)) == 4
    elsewhere = replace(roots[0], branch_key="feature", branch_name="feature", asset_pk=77)
    (line,) = told([*rows, elsewhere], few=True)
    assert (line.actions, line.branch) == ([], "")


def test_what_was_not_looked_at_is_counted(monkeypatch):
    rows = [*(needed(pk=pk, name=f"root_{pk}") for pk in range(1, MANY)), behind(99, 9, root=1)]
    found = Attended(rows, 1_000)
    (line,) = lines_of(VIEWER, found, few=True, now=NOW)
    assert text_of(line.said).startswith(f"At least 1 asset is late behind {MANY - 1} that are: root_1 (1), ")
    monkeypatch.setattr("catalog.pages.attended.needs_attention", lambda viewer, **asked: found)
    monkeypatch.setattr("catalog.pages.attended.asked_of", lambda viewer: [])
    listed = attention_of(VIEWER)
    assert (listed.total, len(listed.lines), listed.more) == (1_000, 1, 1_000 - MANY)


def test_all_of_them_are_in_some_line():
    rows = [needed(pk=1), behind(2, 10), behind(3, 9, root=77), behind(4, 9, root=3), needed(pk=5, name="alone")]
    named = {row.asset_pk for line in told(rows) for row in line.rows}
    assert named == {1, 2, 3, 4, 5}


SENTENCES = {
    AttentionKind.UNUSUAL: (
        {"number": 31, "reasons": {"share": "0.52, far above the last 30 values", "rows": "missing"}},
        "customers v31: share is 0.52, far above the last 30 values; rows is missing",
        f"{BRANCH}/data/customers/metrics",
    ),
    AttentionKind.REFUSED: (
        {"alias": "production", "version": 14, "said": ["auc 0.0013 short", "age"], "count": 3, "actor": "ada"},
        "customers v14 did not become @production: auc 0.0013 short; and 1 more",
        f"{BRANCH}/data/customers/aliases/production",
    ),
    AttentionKind.DEPRECATED: (
        {"component": "ScoreFlow", "component_kind": "flow", "component_project": "churn", "version": 9, "by": "ann"},
        "ScoreFlow still reads customers v9, deprecated by ann",
        f"{BRANCH}/data/customers#used-by",
    ),
    AttentionKind.MISSED: (
        {"waiting": 2, "stuck": 0, "task": "TrainFlow/223/train/1"},
        "2 writes of TrainFlow/223/train/1 and others did not reach the catalogue",
        None,
    ),
    AttentionKind.DELIVERY: (
        {"name": "hooks.example.org", "why": "A message could not be delivered for an hour.", "webhook": 7},
        "hooks.example.org: A message could not be delivered for an hour.",
        "/alpha/~webhooks/7",
    ),
}


@pytest.mark.parametrize(("kind", "facts", "sentence", "url"), [(kind, *told) for kind, told in SENTENCES.items()])
def test_each_kind_has_a_sentence_and_something_to_do(kind, facts, sentence, url):
    (line,) = told([needed(kind, facts=facts)])
    assert text_of(line.said).replace("deprecated  by", "deprecated by") == sentence
    assert (line.actions[0].url if line.actions else None) == url


@pytest.mark.parametrize("kind", AttentionKind)
def test_a_row_that_says_nothing_more_is_a_line_all_the_same(kind):
    bare = replace(needed(kind), asset_pk=None, asset_kind="", asset_id="", usual=None, due_at=None)
    for row in (bare, needed(kind)):
        assert text_of(told([row])[0].said)


def test_a_branch_on_which_nothing_comes_is_one_line():
    row = replace(needed(facts={"refreshed_at": "2026-11-11T15:00:00+00:00"}), asset_pk=None, subject="branch:1")
    (line,) = told([row])
    assert text_of(line.said) == "Nothing has been written on main for 2026-11-11 15:00 UTC"
    assert (line.word, line.icon) == ("dormant", "dormant")


def test_who_may_not_edit_is_offered_nothing_of_it():
    (line,) = told([needed(AttentionKind.UNUSUAL, facts={"reasons": {"a": "b"}}, perimeter="beta")])
    assert not line.may_dismiss
    assert [one.label for one in line.actions] == ["Chart"]

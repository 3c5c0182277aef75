"""What holds for any two branches: the Markdown keeps its form and its limits, and a...b mirrors b...a."""

import json
import re
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from mdit_py_plugins.gfm import gfm_plugin

from access.models import Perimeter
from catalog.models import Branch, Project, SpecVersion
from comparing.arrows import arrows_between
from comparing.branch_rows import ArrowRow, AssetRow, DefinitionRow
from comparing.branch_shape import shape_of
from comparing.branch_words import LOOKS, facts_of, lede_of, limits_said
from comparing.branches import BranchComparison, Moved
from comparing.definitions import definition_of
from comparing.markdown import MOST_BYTES, MOST_LINES, html, markdown_of, text
from comparing.pairs import Fate, judged, pairs_of, renamed, roughly
from comparing.sameness import End
from comparing.sentences import Name, Sentence
from tests.comparing.made import inputs, read

SITE = "https://assets.example.org"
NOW = datetime(2026, 11, 29, 20, 17, tzinfo=UTC)
ATTACKS = [
    *("<script>alert(1)</script>", "</details>", "| a | b |", "**bold", "`code", "```", "[a](http://evil.example)"),
    *("@somebody", "a@b.example", "#12", "!7", "http://evil.example", "www.evil.example", "x\n\n# y", "-->", "\\"),
    *("~~x~~", "$x$", "[all]: http://evil.example", "<!-- -->", "&lt;b&gt;", "_x_", "*", "a\x00b", "\u202eabc"),
    *("3f9c1ab2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6", "GH-1", ":smile:", "![x](y)", "é" * 200, "x" * 500, " ", "|" * 90),
]
ODD = "|*_<>[]()`@#&~!\\ \n:/.-$\u05de\u202e\U0001f98aé"
NUMBERS = [None, 0, 0.1, 0.25, 0.8, "0.5", "NaN", "n/a", True, 10**400, "1e3"]
ROLES, DIRECTIONS = [None, "evaluation"], ["consumes", "produces"]


class Draw(Random):
    """Draws the parts of a world."""

    def name(self):
        if self.random() < 0.5:
            return self.choice(ATTACKS)
        return "".join(self.choice(ODD + "abc") for _ in range(self.randrange(20)))

    def some(self, make, most):
        return [make() for _ in range(self.randrange(most + 1))]

    def asset_id(self):
        return f"asset_{self.randrange(8)}"

    def metrics(self):
        names = self.some(lambda: self.choice(["auc", "log_loss", "rows", "seconds", self.name()]), 8)
        return {name: self.choice([*NUMBERS, self.random(), self.name()]) for name in names}

    def declared(self):
        def entry(name):
            said = {"better": self.choice(["higher", "lower", "none"]), "headline": self.random() < 0.5}
            said["unit"] = self.choice(["s", self.name()])
            return {"name": name} | {key: value for key, value in said.items() if self.random() < 0.5}

        return [entry(name) for name in self.sample(["auc", "log_loss", "rows"], self.randrange(4))]

    def definition(self):
        said = {name: self.name() for name in ("name", "description", "icon", "readme")}
        said |= {name: dict(self.some(lambda: (self.name(), self.name()), 3)) for name in ("properties", "tags")}
        said |= {name: self.some(self.name, 3) for name in ("blobs", "not_compared")}
        return said | {"metrics": self.declared()}

    def arrow(self):
        side, asset = self.choice([1, 2]), self.asset_id()
        made = (f"branch_{side}", "flow", self.name(), self.choice(DIRECTIONS), self.choice(ROLES), "data", asset)
        return ArrowRow(*made, self.name(), "main", "churn", 1, "alpha", self.choice([None, 1, 5]), NOW)

    def asset(self, side):
        built, number = self.random() < 0.7, self.randrange(1, 9)
        values = json.dumps(self.metrics()) if built else None
        return AssetRow(
            branch=side,
            is_gone=False,
            pk=self.randrange(10_000),
            kind=self.choice(["data", "models"]),
            asset_id=self.asset_id(),
            name=self.name(),
            is_declared=self.random() < 0.5,
            declared_by="ci",
            declared_metrics=json.dumps(self.declared()),
            newest_number=number,
            newest_state=self.choice(["ready", "pending", "failed"]),
            ready_pk=self.randrange(40) + side * 1000 if built else None,
            ready_number=number if built else None,
            ready_at=NOW - timedelta(hours=self.randrange(99)) if built else None,
            digest=self.choice([None, None, "a", "b"]),
            origin=self.choice([None, None, 7]) if built else None,
            annotations=values,
            blobs=self.choice([None, "[]", '["x"]']),
            producer_kind="flow",
            producer=self.choice("AB") if built else None,
            moved=self.randrange(4),
        )


def branch(pk, name, at, version="3f9c1ab2"):
    project = Project(pk=1, name="churn", title=name, perimeter=Perimeter(pk=1, name="alpha"))
    found = Branch(pk=pk, project=project, key=f"branch_{pk}", git_name=name or "x", created_at=at)
    found.spec = SpecVersion(pk=pk, version_id=version, at=at, actor=name, document="{}")
    return found


def keyed(rows):
    return {row.key: row for row in rows}


INPUTS = [
    inputs(),
    inputs(read("holdout", "v4", "evaluation")),
    inputs(read("holdout", "v2", "evaluation"), read("a")),
]


def world_of(seed):
    """Both sides of two branches, and what is between them."""
    draw = Draw(seed)
    return SimpleNamespace(
        base=keyed(draw.some(lambda: draw.asset(1), 12)),
        head=keyed(draw.some(lambda: draw.asset(2), 12)),
        gone=set(draw.some(lambda: (draw.choice(["data", "models"]), draw.asset_id()), 3)),
        arrows=draw.some(draw.arrow, 20),
        definitions=draw.some(
            lambda: DefinitionRow("data", draw.asset_id(), draw.name(), draw.definition(), draw.definition()), 5
        ),
        names=(draw.name(), draw.name()),
        inputs=(draw.choice(INPUTS), draw.choice(INPUTS)),
        many=draw.choice([1, 1, 40]),
    )


def comparison(world, *, turned=False):
    base, head = branch(1, world.names[0], NOW), branch(2, world.names[1], NOW)
    sides, branches, made = [world.base, world.head], [base, head], list(world.inputs)
    if turned:
        sides, branches, made = sides[::-1], branches[::-1], made[::-1]
    pairs = roughly(pairs_of(*sides, set() if turned else world.gone))
    ends = End("on base", "base"), End("here", "this")
    pairs = [
        judged(pair, dict(zip((pair.base.ready_pk, pair.head.ready_pk), made, strict=True)), {}, *ends)
        if pair.deltas
        else pair
        for pair in pairs
    ]
    moved = Moved(3, ["x"], NOW, is_since_deploy=True)
    definitions = [definition_of(row) for row in world.definitions] * world.many
    arrows = arrows_between(world.arrows, branches[0].key, branches[1].key, {1})
    pairs = renamed(pairs) * world.many
    return BranchComparison(*branches, NOW, pairs, definitions, len(definitions) * 2, arrows, moved)


GFM = MarkdownIt("commonmark", {"html": True}).use(gfm_plugin)
WORLDS = st.integers(0, 2**32).map(world_of)
ANY = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ALLOWED = re.compile(r"</?(code|sub)>")
FOLDED = re.compile(r"<details><summary>[^<>]*</summary>(?:[^<>]|<a href=\"[^\"<>]*\">[^<>]*</a>)*</details>\n?")


@ANY
@given(WORLDS)
def test_the_markdown_is_well_formed_and_within_its_limits(world):
    found = comparison(world)
    said = markdown_of(found, SITE)
    assert said.count("\n") <= MOST_LINES
    assert len(said.encode()) <= MOST_BYTES
    tokens = GFM.parse(said)
    kinds = [token.type for token in tokens]
    assert kinds.count("heading_open") == 1
    assert not {"fence", "code_block", "hr", "bullet_list_open", "ordered_list_open", "blockquote_open"} & set(kinds)
    assert kinds.count("table_open") == (said.count("|---|--:|--:|---|"))
    rows = kinds.count("tr_open")
    assert kinds.count("td_open") + kinds.count("th_open") == 4 * rows
    folds = [token.content for token in tokens if token.type == "html_block"]
    assert all(FOLDED.fullmatch(fold) for fold in folds), folds
    inline = [child for token in tokens for child in token.children or ()]
    assert all(ALLOWED.fullmatch(one.content) for one in inline if one.type == "html_inline")
    links = [one.attrs["href"] for one in inline if one.type == "link_open"]
    assert all(link.startswith(f"{SITE}/alpha/churn/") for link in links), links
    assert not any(one.type == "image" for one in inline)
    plain = [one.content for one in inline if one.type == "text"]
    assert not any(re.search(r"(?<![\w`])@\w|#\d|https?://|www\.", one) for one in plain), plain
    openings = [one.type for one in inline if one.type in ("strong_open", "strong_close")]
    assert openings.count("strong_open") == openings.count("strong_close")


@ANY
@given(WORLDS)
def test_all_that_is_said_can_be_said_of_any_world(world):
    found = comparison(world)
    assert str(found.sentence)
    assert all(str(fact.label) and fact.value and str(fact.under) for fact in facts_of(found))
    assert [lede_of(found), *limits_said(found)]
    shape = shape_of(found)
    assert shape["differences"] == len(found.differences)
    assert len(shape["models"]) + len(shape["data"]) <= 100
    assert {pair.fate for pair in found.pairs} <= LOOKS.keys()


@ANY
@given(WORLDS)
def test_seen_from_the_other_side_everything_turns_around(world):
    """Noise, per cent and "gone" belong to the base; here nothing has noise."""
    world.gone = set()
    one, other = comparison(world), comparison(world, turned=True)
    turned = {pair.key: pair for pair in other.pairs}
    opposite = {Fate.BETTER: Fate.WORSE, Fate.WORSE: Fate.BETTER, Fate.NEWER: Fate.OLDER, Fate.OLDER: Fate.NEWER}
    for pair in one.pairs:
        mirrored = turned[pair.key]
        assert {delta.name for delta in pair.deltas} == {delta.name for delta in mirrored.deltas}
        changes = {delta.name: delta for delta in mirrored.deltas}
        for delta in pair.deltas:
            back = changes[delta.name]
            assert (delta.change is None) == (back.change is None)
            assert delta.change is None or delta.change == -back.change
            assert (delta.wanted, delta.comparability.data) == (back.wanted, back.comparability.data)
        if pair.both_built or pair.fate == Fate.SAME:
            assert mirrored.fate == opposite.get(pair.fate, pair.fate)
        else:
            assert {pair.fate, mirrored.fate} <= {Fate.NEW, Fate.NOT_BUILT}
        assert (pair.fate == Fate.NEW) == (mirrored.fate == Fate.NOT_BUILT)
    added = {arrow.key for arrow in one.arrows.added}
    assert added == {arrow.key for arrow in (*other.arrows.removed, *other.arrows.resting)}
    assert {arrow.key for arrow in one.arrows.common} == {arrow.key for arrow in other.arrows.common}
    lines = [definition_of(row).lines for row in world.definitions]
    back = [definition_of(row._replace(base=row.head, head=row.base)).lines for row in world.definitions]
    assert lines == [pair[::-1] for pair in back]


@pytest.mark.parametrize("name", ATTACKS)
def test_what_users_wrote_is_text(name):
    (token,) = (one for one in GFM.parse(f"x {text(name)} y") if one.type == "inline")
    assert {child.type for child in token.children} <= {"text", "text_special"}
    assert "<" not in html(name)


def test_a_sentence_has_its_names_in_isolation():
    assert Sentence(Name("a"), " b").parts == [("a", True), (" b", False)]

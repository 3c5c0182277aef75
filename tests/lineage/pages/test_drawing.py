"""Drawings of hand-made answers: what is gathered, how each kind looks, what fits, how much it weighs."""

import gzip
import random
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.template.loader import render_to_string

from lineage.answers import Answer, More, Question
from lineage.drawing import WIDEST, PageBranch, picture_of, whole, with_members
from lineage.drawing.grouping import MOST_NODES, OPENED, SHOWN_SIBLINGS
from lineage.drawing.shapes import WORDS, look_of
from lineage.drawing.text import fitted, width_of
from lineage.graph import Kind, Link, Node, Relation, graph_of

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
PAGE_BRANCH = PageBranch("churn", "main")


def node(uid, kind=Kind.FLOW, **known):
    return Node(id=uid, kind=kind, **{"name": uid, "project": "churn", "branch": "main", "at": NOW} | known)


def answer(nodes, pairs, **known):
    links = [Link(a, b, Relation.CONSUMES, NOW, NOW, 1) for a, b in pairs]
    return Answer(Question.AROUND, graph_of(nodes, links), NOW, found=len(nodes), **known)


def picture(*answers, **known):
    return picture_of(answers, own=PAGE_BRANCH, now=NOW, open_url=lambda name: f"?open={name}", **known)


def ids(drawn):
    return {one.node.id for one in drawn.nodes}


def fan(size, **known):
    """A data asset that so many flows read."""
    flows = [node(f"f{number:03}", at=NOW - timedelta(minutes=number)) for number in range(size)]
    return answer([node("data", Kind.DATA), *flows], [("data", flow.id) for flow in flows], focus=("data",), **known)


def test_few_siblings_are_all_drawn():
    assert len(picture(fan(60)).nodes) == 61


def test_many_siblings_are_gathered_but_for_those_last_active():
    drawn = picture(fan(90))
    group = next(one for one in drawn.nodes if one.node.kind == Kind.GROUP)
    assert group.node.name == "+70 more flows"
    assert group.url == f"?open={group.node.id}"
    assert {"data", *(f"f{number:03}" for number in range(SHOWN_SIBLINGS))} == ids(drawn) - {group.node.id}
    assert with_members(drawn) == set(fan(90).graph)
    assert sum(link.link.count for link in drawn.links) == 90


def test_a_group_that_is_opened_shows_more_of_it_each_time():
    once = picture(fan(150))
    group = next(iter(once.members))
    twice = picture(fan(150), opened=[group])
    assert len(twice.nodes) == len(once.nodes) + OPENED
    whole = picture(fan(150), opened=[group, group])
    assert not whole.members
    assert ids(whole) == set(fan(150).graph)


@pytest.mark.parametrize("opened", [(), ("all",)])
@pytest.mark.parametrize("branches", [1, 7, 300])
def test_a_drawing_never_has_more_nodes_than_can_be_read(opened, branches):
    rng = random.Random(7)
    nodes = [
        node(f"n{number}", rng.choice([Kind.DATA, Kind.FLOW]), branch=f"b{number % branches}")
        for number in range(1_500)
    ]
    pairs = [(f"n{rng.randrange(1_500)}", f"n{rng.randrange(1_500)}") for _ in range(2_200)]
    drawn = picture(answer(nodes, pairs, focus=("n7",)))
    if opened:
        drawn = picture(answer(nodes, pairs, focus=("n7",)), opened=[*drawn.members] * 4)
    assert len(drawn.nodes) <= MOST_NODES
    assert "n7" in ids(drawn)
    assert with_members(drawn) == {one.id for one in nodes}


def test_each_kind_is_told_by_shape_icon_and_word():
    kinds = [kind for kind in Kind if kind != Kind.GROUP]
    looks = {kind: look_of(node("thing", kind), NOW) for kind in kinds}
    assert len({look.icon for look in looks.values()}) == len(kinds)
    shapes = {kind: re.sub(r"\d+", "", look.outline) for kind, look in looks.items()}
    assert shapes[Kind.DATA] == shapes[Kind.MODEL]  # both are assets
    others = [kind for kind in kinds if kind != Kind.MODEL]
    assert len({shapes[kind] for kind in others}) == len(others)
    for kind, look in looks.items():
        said = look.name + look.under
        assert WORDS[kind] in said


def test_what_is_hidden_is_neither_named_nor_timed():
    hidden = Node("x_1", Kind.HIDDEN, "")
    look = look_of(hidden, NOW)
    assert (look.name, look.under) == ("hidden", "you may not see it")
    assert whole(hidden) == "Something that you may not see"


def test_a_card_says_id_version_and_freshness():
    known = {"key": "churn_model", "version": "v12", "state": "ready", "at": NOW - timedelta(hours=2)}
    card = node("Churn classifier", Kind.MODEL, **known)
    look = look_of(card, NOW)
    assert (look.name, look.under) == ("Churn classifier", "churn_model · v12")
    assert (look.ago, look.on) == (" · 2 h ago", " · 2026-03-04")
    assert whole(card) == "model Churn classifier, churn_model, on main of churn, v12, 2026-03-04 10:00:00 UTC"


def test_of_a_long_id_the_version_and_freshness_stay():
    look = look_of(node("A model", Kind.MODEL, key="k" * 128, version="v12"), NOW)
    assert re.fullmatch(r"k+…k+ · v12 · just now", look.under + look.ago)


@pytest.mark.parametrize(
    "name", ["W" * 500, "i" * 500, "漢字" * 100, "👩‍👩‍👧‍👦" * 30, "a" * 30 + "\u0301" * 400, "", " "]
)
@pytest.mark.parametrize("kind", list(Kind))
def test_text_stays_in_its_box(name, kind):
    look = look_of(node(name, kind, key=name, version="v123456", state="pending"), NOW)
    assert 36 + width_of(look.name, 13, bold=True) <= look.width - 8
    assert 36 + width_of(look.under, 11) <= look.width - 8
    assert look.width <= 240


def test_a_cut_never_splits_a_letter_from_its_marks():
    for room in range(20, 120, 7):
        head, tail = fitted("e\u0301" * 40, 13, room).split("…")
        assert head == "e\u0301" * (len(head) // 2)
        assert tail == "e\u0301" * (len(tail) // 2)


def test_a_name_is_cut_in_its_middle():
    assert fitted("TrainChurnModelWeekly/17", 13, 140, bold=True) == "TrainChur…ekly/17"
    assert fitted("short", 13, 140) == "short"


@pytest.mark.parametrize(
    "names",
    [
        [f"TrainChurnModelOnCustomerLifetimeFeatures{end}" for end in ("WeeklyEurope", "WeeklyAsia", "MonthlyAsia")],
        [f"ScoreEveryCustomerOf{land}WithTheNewestChurnModelDaily" for land in ("Europe", "Eurasia", "Africa", "Asia")],
        [f"{letter}{'x' * 80}{other}{'y' * 80}" for letter in "ab" for other in "cde"],
        ["n" * 60, "n" * 61, "n" * 62],
    ],
)
def test_long_names_that_differ_do_not_look_alike(names):
    drawn = picture(answer([node(name, key=name) for name in names], []))
    assert len({one.look.name for one in drawn.nodes}) == len(names)
    assert sorted(drawn.cut_names) == sorted((one.look.name, one.node.name) for one in drawn.nodes)
    assert {one.whole.split(",")[0] for one in drawn.nodes} == {f"flow {name}" for name in names}
    for one in drawn.nodes:
        assert 36 + width_of(one.look.name, 13, bold=True) <= one.look.width - 8


def test_long_ids_that_differ_do_not_look_alike():
    ids = [f"features_of_all_customers_of_{land}_since_they_are_customers" for land in ("europe", "asia", "africa")]
    drawn = picture(answer([node(name, Kind.DATA, name="Features", key=name) for name in ids], []))
    assert len({one.look.under for one in drawn.nodes}) == 3


def svg(drawn):
    """As it stands in a page."""
    context = {"picture": drawn, "label": "", "symbols": [], "heads": ["plain"], "style": "", "base_url": ""}
    return render_to_string("lineage/_drawing.html", context)


def test_characters_that_no_page_can_hold_are_replaced():
    drawn = picture(answer([node("bad\x00\x0b\ud800name", branch="b\x01", branch_name="b\x01")], []))
    text = svg(drawn)
    assert "\ufffd" in text
    assert not re.search(
        r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]", text.replace('data-node="bad\x00\x0b\ud800name"', "")
    )


def test_lanes_begin_with_the_branch_of_the_page_and_name_other_projects():
    nodes = [
        node("a"),
        node("b", branch="a_first", branch_name="A/first"),
        node("c", branch="main", project="other"),
        Node("x_1", Kind.HIDDEN, ""),
    ]
    drawn = picture(answer(nodes, [("a", "b"), ("a", "c"), ("b", "x_1")]))
    assert [lane.name for lane in drawn.lanes] == ["main", "A/first", "other / main"]
    hidden = next(one for one in drawn.nodes if one.node.kind == Kind.HIDDEN)
    assert drawn.lanes[1].y < hidden.box.y < drawn.lanes[1].y + drawn.lanes[1].height


def test_who_acts_from_an_unknown_branch_has_a_lane_for_that():
    drawn = picture(answer([node("a"), node("app", Kind.DEPLOYMENT, branch="")], [("a", "app")]))
    assert [lane.name for lane in drawn.lanes] == ["main", "branch not known"]


def test_a_single_branch_needs_no_lane():
    assert not picture(answer([node("a"), node("b")], [("a", "b")])).lanes


def test_neighbours_that_are_not_shown_have_a_badge_that_opens_them():
    drawn = picture(answer([node("a"), Node("x_1", Kind.HIDDEN, "")], [("a", "x_1")], more={"a": More(2, 37)}))
    assert [(badge.count, badge.url) for badge in drawn.badges] == [(2, "?open=a"), (37, "?open=a")]
    assert drawn.badges[1].whole == "Show 37 more downstream of a"


def test_the_keyboard_goes_from_left_to_right():
    drawn = picture(answer([node("z"), node("m"), node("a")], [("z", "m"), ("m", "a")]))
    assert [one.node.id for one in drawn.nodes] == ["z", "m", "a"]


def test_the_same_graph_gives_the_same_drawing():
    assert picture(fan(30)) == picture(fan(30))


def test_a_drawing_of_200_nodes_is_light():
    rng = random.Random(3)
    nodes = [node(f"d_{rng.getrandbits(80):020x}", rng.choice([Kind.DATA, Kind.FLOW, Kind.MODEL])) for _ in range(200)]
    pairs = [(rng.choice(nodes).id, rng.choice(nodes).id) for _ in range(300)]
    assert len(gzip.compress(svg(picture(answer(nodes, pairs))).encode())) < 40_000


def test_opening_moves_nothing_that_was_drawn():
    few = fan(5)
    nodes = [*few.nodes, *(node(f"made{number}", Kind.DATA) for number in range(6))]
    more = answer(
        nodes,
        [*few.graph.edges, *(("f000", f"made{number}") for number in range(6)), ("made0", "f003"), ("f004", "made5")],
        focus=("data",),
    )

    def apart(drawn):
        boxes = {one.node.id: one.box for one in drawn.nodes}
        return {name: (boxes[name].x - boxes["data"].x, boxes[name].y - boxes["data"].y) for name in few.graph}

    assert apart(picture(few, more)) == apart(picture(few))
    assert apart(picture(more)) != apart(picture(few))  # drawn anew, it would have moved


def chain(size):
    names = [f"n{number:02}" for number in range(size)]
    return answer([node(name, Kind.DATA) for name in names], list(pairwise(names)))


def test_a_long_chain_is_as_wide_as_a_page():
    drawn = picture(chain(40))
    assert drawn.width <= WIDEST
    assert drawn.height < drawn.width


def test_lanes_leave_margins_to_what_leads_from_row_to_row():
    nodes = [*chain(12).nodes, node("tried", branch="x")]
    drawn = picture(answer(nodes, [*chain(12).graph.edges, ("n03", "tried")]))
    left, right = drawn.band[0], sum(drawn.band)
    folded = [link.route for link in drawn.links if link.route.fold]
    assert folded
    for route in folded:
        first, last = route.fold
        upright = {x for (x, y), (other, down) in pairwise(route.points[first : last + 1]) if x == other and y != down}
        assert len(upright) == 2
        assert min(upright) < left
        assert max(upright) > right


def test_a_small_drawing_begins_at_its_corner_and_a_large_one_at_its_focus():
    assert picture(fan(3)).start == (0, 0)
    drawn = picture(fan(58))
    data = next(one for one in drawn.nodes if one.is_focus)
    assert drawn.start[1] < data.box.y < drawn.start[1] + 400

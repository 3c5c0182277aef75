"""What needs attention: raised, settled, dismissed, and the one question what needs it now."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from access.errors import BadRequest
from access.identity import Viewer
from access.models import Membership, Perimeter, Role
from catalog.attention import (
    bring_back,
    dismiss,
    find_needed,
    forget_over,
    needs_attention,
    of_asset,
    raise_attention,
    settle_attention,
)
from catalog.models import Asset, Attention, Branch, Project
from catalog.states import AttentionKind

pytestmark = pytest.mark.both

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UNUSUAL, LATE, REFUSED = AttentionKind.UNUSUAL, AttentionKind.LATE, AttentionKind.REFUSED


class World:
    def __init__(self, name: str) -> None:
        self.perimeter = Perimeter.objects.create(name=name)
        self.project = Project.objects.create(perimeter=self.perimeter, name="churn", created_at=NOW)
        self.main, self.side = self.branch("main"), self.branch("side")
        self.viewer = self.member(Role.VIEWER)
        self.admin = self.member(Role.ADMIN)

    def branch(self, key: str) -> Branch:
        return Branch.objects.create(project=self.project, key=key, git_name=key, created_at=NOW)

    def member(self, role: Role) -> Viewer:
        user = User.objects.create(username=f"{role.value}-of-{self.perimeter.name}")
        Membership.objects.create(user=user, perimeter=self.perimeter, role=role)
        return Viewer(user)

    def asset(self, asset_id: str, branch: Branch | None = None, **columns: object) -> Asset:
        branch = branch or self.main
        return Asset.objects.create(branch=branch, kind="data", asset_id=asset_id, created_at=NOW, **columns)

    def late(self, asset_id: str, since: timedelta = HOUR, branch: Branch | None = None, **columns: object) -> Asset:
        at = {"due_at": NOW - since - HOUR, "late_at": NOW - since, "dormant_at": NOW + 14 * DAY}
        return self.asset(asset_id, branch, watch="learned", usual=86400, **at | columns)

    def unusual(self, asset: Asset, **said: object) -> None:
        about = {"perimeter_id": self.perimeter.pk, "branch_id": asset.branch_id, "asset_id": asset.pk}
        raise_attention(UNUSUAL, of_asset(asset.pk), **about, **{"since": NOW - DAY, "facts": {"version": 1}} | said)

    def needed(self, **asked: object) -> list[tuple[str, str]]:
        found = needs_attention(self.viewer, now=NOW, **asked)
        return [(row.kind.value, row.asset_id) for row in found.rows]


@pytest.fixture
def alpha(db, settings) -> World:
    settings.MODE, settings.LOCAL_MODE = "team", False
    return World("alpha")


def test_all_that_needs_attention_is_one_question_newest_first(alpha, django_assert_num_queries):
    beta = World("beta")
    beta.late("theirs")
    alpha.unusual(alpha.asset("odd"))
    alpha.late("overdue", name="Customers")
    viewer = alpha.viewer
    assert viewer.grants
    with django_assert_num_queries(1):
        found = needs_attention(viewer, now=NOW)
        late, odd = found.rows
        assert (late.asset_url, late.title) == ("/alpha/churn/main/data/overdue", "Customers")
        assert (late.since, late.usual, late.pk) == (NOW - HOUR, 86400, None)
        assert (late.due_at, late.until) == (NOW - 2 * HOUR, NOW + 14 * DAY)
        assert (odd.facts, odd.since, odd.branch_url) == ({"version": 1}, NOW - DAY, "/alpha/churn/main")
    assert (found.total, found.more) == (2, 0)
    assert needs_attention(Viewer(User.objects.create(username="eve")), now=NOW).total == 0


def test_some_are_shown_and_all_are_counted(alpha):
    for number in range(5):
        alpha.late(f"a{number}", number * HOUR)
    found = needs_attention(alpha.viewer, now=NOW, most=2, start=1)
    assert ([row.asset_id for row in found.rows], found.total, found.more) == (["a1", "a2"], 5, 3)


def test_of_a_perimeter_and_of_a_branch(alpha):
    alpha.late("here")
    aside = alpha.asset("aside", alpha.side)
    about = {"perimeter_id": alpha.perimeter.pk, "branch_id": alpha.side.pk, "asset_id": aside.pk}
    raise_attention(AttentionKind.REFUSED, "alias", **about, since=NOW - DAY, facts={})
    alpha.unusual(aside)  # nobody deployed this branch
    assert alpha.needed(perimeter="alpha") == [("late", "here"), ("refused", "aside")]
    assert alpha.needed(perimeter="beta") == []
    assert alpha.needed(branch=alpha.side) == [("refused", "aside")]
    assert alpha.needed(branch=alpha.main) == [("late", "here")]


def test_late_is_what_is_late_now_and_was_not_told_on_branches_that_alarm(alpha):
    alpha.late("soon", -HOUR)
    alpha.late("dormant", dormant_at=NOW)
    alpha.late("told", late_told_at=NOW)
    alpha.late("deleted", deleted_at=NOW)
    alpha.late("aside", branch=alpha.side)
    assert alpha.needed() == []
    alpha.late("just_now", 0 * HOUR)
    assert alpha.needed() == [("late", "just_now")]


def raise_late(alpha: World, asset: Asset, **said: object) -> None:
    about = {"perimeter_id": alpha.perimeter.pk, "branch_id": asset.branch_id, "asset_id": asset.pk}
    raise_attention(LATE, of_asset(asset.pk), **about, **{"since": asset.late_at, "facts": {}} | said)
    Asset.objects.filter(pk=asset.pk).update(late_told_at=NOW)


def test_what_was_told_late_is_there_once_and_only_while_its_branch_alarms(alpha):
    asset = alpha.late("xkcd")
    raise_late(alpha, asset)
    assert alpha.needed() == [("late", "xkcd")]
    Branch.objects.filter(pk=alpha.main.pk).update(key="retired", git_name="retired")
    assert alpha.needed() == []


def test_with_its_asset_it_goes_and_comes_back(alpha):
    asset = alpha.asset("odd")
    alpha.unusual(asset)
    Asset.objects.filter(pk=asset.pk).update(deleted_at=NOW)
    assert alpha.needed() == []
    Asset.objects.filter(pk=asset.pk).update(deleted_at=None)
    assert alpha.needed() == [("unusual", "odd")]


def test_it_begins_at_its_moment_and_ends_at_another(alpha):
    alpha.unusual(alpha.asset("to_come"), since=NOW + HOUR)
    alpha.unusual(alpha.asset("over"), until=NOW)
    alpha.unusual(alpha.asset("still"), until=NOW + HOUR)
    assert alpha.needed() == [("unusual", "still")]


def test_what_fails_to_be_delivered_is_for_admins(alpha):
    raise_attention(AttentionKind.DELIVERY, "webhook:1", perimeter_id=alpha.perimeter.pk, since=NOW - HOUR, facts={})
    assert alpha.needed() == []
    (found,) = needs_attention(alpha.admin, now=NOW).rows
    assert (found.kind, found.branch_url, found.asset_url, found.perimeter) == ("delivery", "", "", "alpha")


def seen(alpha: World) -> tuple[str, int | None]:
    row = Attention.objects.get()
    return row.dismissed_why, row.changed


def test_the_same_again_stays_as_it_is_and_other_facts_bring_it_back(alpha):
    asset = alpha.asset("odd")
    alpha.unusual(asset)
    (needed,) = needs_attention(alpha.viewer, now=NOW).rows
    dismiss(needed, viewer=alpha.viewer, why=" We know. ", now=NOW)
    before = seen(alpha)
    alpha.unusual(asset, since=NOW)
    assert (seen(alpha), before[0]) == (before, "We know.")
    assert alpha.needed() == []
    (gone,) = needs_attention(alpha.viewer, now=NOW, dismissed=True).rows
    assert (gone.dismissed_why, gone.dismissed_by, gone.dismissed_at) == ("We know.", "viewer-of-alpha", NOW)
    assert alpha.needed(dismissed=None) == [("unusual", "odd")]
    alpha.unusual(asset, since=NOW, facts={"version": 2})
    (again,) = needs_attention(alpha.viewer, now=NOW).rows
    assert (again.since, again.facts) == (NOW, {"version": 2})
    assert Attention.objects.get().user is None


def test_facts_that_do_not_matter_are_told_and_bring_nothing_back(alpha):
    asset = alpha.asset("odd")
    alpha.unusual(asset, facts={"version": 1, "read": 1}, matter=["version"])
    (needed,) = needs_attention(alpha.viewer, now=NOW).rows
    dismiss(needed, viewer=alpha.viewer, why="We know.")
    alpha.unusual(asset, facts={"version": 1, "read": 2}, matter=["version"], since=NOW, until=NOW + DAY)
    (gone,) = needs_attention(alpha.viewer, now=NOW, dismissed=True).rows
    assert (gone.facts["read"], gone.since, gone.until) == (2, NOW - DAY, NOW + DAY)
    bring_back(gone, alpha.viewer)
    assert alpha.needed() == [("unusual", "odd")]


def test_what_is_settled_is_over_and_the_same_after_it_is_new(alpha):
    asset = alpha.asset("odd")
    alpha.unusual(asset)
    dismiss(needs_attention(alpha.viewer, now=NOW).rows[0], viewer=alpha.viewer, why="We know.")
    settle_attention(UNUSUAL, of_asset(asset.pk), "asset:0", now=NOW)
    assert alpha.needed(dismissed=None) == []
    settle_attention(UNUSUAL, of_asset(asset.pk), now=NOW + HOUR)
    assert Attention.objects.get().until == NOW
    alpha.unusual(asset, since=NOW)
    (again,) = needs_attention(alpha.viewer, now=NOW).rows
    assert (again.since, again.dismissed_why) == (NOW, "")


def test_what_is_late_can_be_dismissed_before_it_was_told_of(alpha):
    asset = alpha.late("xkcd")
    (needed,) = needs_attention(alpha.viewer, now=NOW).rows
    dismiss(needed, viewer=alpha.viewer, why="We know.", now=NOW)
    assert alpha.needed() == []
    assert alpha.needed(dismissed=True) == [("late", "xkcd")]
    raise_late(alpha, asset, facts={"cause": "its run failed"})
    assert alpha.needed() == []
    later = {"late_at": NOW - HOUR / 2, "late_told_at": None}
    Asset.objects.filter(pk=asset.pk).update(**later)
    settle_attention(LATE, of_asset(asset.pk), now=NOW)
    assert alpha.needed() == [("late", "xkcd")]
    asset.refresh_from_db()
    raise_late(alpha, asset)
    assert alpha.needed() == [("late", "xkcd")]


@pytest.mark.parametrize("why", [" ", "x" * 100_000, "a\x00b"])
def test_a_reason_is_needed(alpha, why):
    alpha.late("xkcd")
    with pytest.raises(BadRequest, match=r"needs no attention|A reason is text"):
        dismiss(needs_attention(alpha.viewer, now=NOW).rows[0], viewer=alpha.viewer, why=why)
    assert not Attention.objects.exists()


def test_one_is_found_by_its_kind_and_subject(alpha):
    beta, late, odd = World("beta"), alpha.late("late"), alpha.asset("odd")
    alpha.unusual(odd)
    for kind, asset in ((LATE, late), (UNUSUAL, odd)):
        found = find_needed(alpha.viewer, kind, of_asset(asset.pk), now=NOW)
        assert found
        assert (found.kind, found.asset_pk) == (kind, asset.pk)
        assert find_needed(beta.viewer, kind, of_asset(asset.pk), now=NOW) is None
    assert find_needed(alpha.viewer, REFUSED, of_asset(odd.pk), now=NOW) is None


def test_what_is_long_over_is_deleted(alpha):
    alpha.unusual(alpha.asset("old"), until=NOW - 91 * DAY)
    alpha.unusual(alpha.asset("still"))
    assert forget_over(NOW - 90 * DAY) == 1
    assert alpha.needed() == [("unusual", "still")]

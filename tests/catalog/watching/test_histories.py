"""Random histories: how it stands with assets equals a reading of all their versions, at any moment."""

import random
from itertools import pairwise

import pytest

from catalog import recording
from catalog.alarming import alarms
from catalog.attention import SETTLED
from catalog.entities import Entity
from catalog.freshness.declared import Declared
from catalog.freshness.learning import LAST, Expectation, learn
from catalog.freshness.state import freshness_of, sql_state
from catalog.models import Asset, Attention, Branch, Instance, Message, Project
from catalog.recording import BranchAddress, Declaration
from catalog.recording.expecting import start_anew
from catalog.states import EventKind, Watch
from catalog.watching.lates import tell_lates
from catalog.watching.looking import look
from tests.catalog.watching.worlds import DAY, HOUR, MINUTE, World
from tests.lanes import worlds

pytestmark = [pytest.mark.both, pytest.mark.django_db]
NAMES = ("raw", "xkcd")
PLACES = [(name, branch) for name in NAMES for branch in ("main", "trial")]
CI = Entity("ci", "deploy")


class History(World):
    """Writes of all kinds, by a clock that mostly goes on, and the passes of the background in between."""

    def __init__(self, seed):
        super().__init__()
        self.chance = random.Random(seed)
        self.pending = []
        often = [self.arrive] * 20 + [self.wait] * 10 + [self.pass_] * 5
        seldom = [self.begin, self.end, self.step_back, self.reconcile, self.by_hand, self.copy, self.withdraw]
        self.acts = often + seldom + [self.declare, self.anew, self.delete_and_recover, self.deploy_or_tear_down]

    def any_place(self):
        return self.chance.choice(PLACES)

    def any_asset(self):
        found = [*Asset.objects.filter(deleted_at=None).order_by("pk")]
        return self.chance.choice(found) if found else None

    def arrive(self):
        name, branch = self.any_place()
        self.now += self.chance.choice([DAY, DAY, DAY, 6 * HOUR]) / 4
        self.make(name, f"{name}Flow", branch=branch, annotations={"auc": self.chance.choice([0.9, 0.91, 900])})

    def wait(self):
        self.now += self.chance.choice([MINUTE, HOUR, 9 * HOUR, DAY, 2 * DAY, 15 * DAY])

    def step_back(self):
        self.now -= self.chance.choice([MINUTE, 3 * HOUR, 2 * DAY])

    def begin(self):
        name, branch = self.any_place()
        self.pending.append(self.make(name, f"{name}Flow", branch=branch, state="pending"))

    def end(self):
        if self.pending:
            self.settle(self.pending.pop(0), self.chance.choice(["ready", "failed"]))

    def reconcile(self):
        name, branch = self.any_place()
        self.make(name, f"{name}Flow", branch=branch, when=self.now - self.chance.random() * 9 * DAY)

    def by_hand(self):
        name, branch = self.any_place()
        self.make(name, by=Entity("user", "ada"), branch=branch)

    def copy(self):
        name, branch = self.any_place()
        self.make(name, f"{name}Flow", branch=branch, annotations={"promoted_from_instance": "i_elsewhere"})

    def withdraw(self):
        if (asset := self.any_asset()) and asset.newest_ready_id:
            uid = Instance.objects.get(pk=asset.newest_ready_id).uid
            task = self.task("Flow")
            recording.deprecate(actor="ada", asset=asset, target_uid=uid, reason="wrong", entity=task)

    def declare(self):
        name, branch = self.any_place()
        said = self.chance.choice([{"every": "1d"}, {"every": "12h", "grace": "1h"}, {"off": True}, {}, {}])
        recording.deploy(
            actor="ada",
            at=BranchAddress(self.perimeter, "churn", branch, branch),
            entity=CI,
            version_id="1",
            spec={},
            definitions={("data", name): Declaration({}, declared_freshness=said)},
        )

    def anew(self):
        if asset := self.any_asset():
            start_anew(actor="ada", asset=asset)

    def delete_and_recover(self):
        if asset := self.any_asset():
            recording.delete_asset(actor="ada", asset=asset)
            if self.chance.random() < 0.7:
                self.chance.choice([look, tell_lates])()
                recording.recover_asset(actor="ada", here=Asset.objects.filter(pk=asset.pk))

    def deploy_or_tear_down(self):
        branch = Branch.objects.filter(key="trial").first()
        if branch is None or branch.spec_id is None:
            self.deploy("trial")
        else:
            Branch.objects.filter(pk=branch.pk).update(spec=None)

    def pass_(self):
        self.chance.choice([look, tell_lates])()


def by_history(asset, now):
    """What is expected of an asset by all its versions. While the clock is behind one of them, that counts as now."""
    declared = Declared.of(asset.declared_freshness)
    came = [
        row.settled_at
        for row in Instance.objects.filter(asset=asset, state="ready", producer_kind="task")
        if not row.is_copy
        and (declared.says_when or asset.normal_since is None or row.settled_at >= asset.normal_since)
    ]
    if not came and not declared.off and not declared.says_when:
        return Expectation(Watch.OFF)
    assert len(came) < LAST
    return learn(came, now=now if asset.to_look_at else max([now, *came]), declared=declared)


def read_state(expected, now):
    """As the words of the rule have it."""
    if expected.watch == "learning":
        return "learning"
    if expected.watch == "off" or expected.due_at is None:
        return "off"
    reached = [name for name in ("due", "late", "dormant") if now >= getattr(expected, f"{name}_at")]
    return reached[-1] if reached else "fresh"


def assert_states_are_right(history):
    """After a look, at this moment and at others."""
    moments = [history.now, *(history.now + history.chance.random() * 40 * DAY for _ in range(2))]
    for asset in Asset.objects.filter(deleted_at=None):
        expected = by_history(asset, history.now)
        for now in moments:
            read = read_state(expected, now)
            assert freshness_of(asset.watch, asset.due_at, asset.late_at, asset.dormant_at, now) == read
            assert Asset.objects.annotate(state=sql_state(now)).get(pk=asset.pk).state == read


def assert_lates_are_told(history):
    """After lates were told: each that is late where that alarms, and nothing else."""
    now = history.now
    told = {
        row.subject for row in Attention.objects.filter(kind="late", asset__isnull=False).exclude(fingerprint=SETTLED)
    }
    branches = set(
        Attention.objects.filter(kind="late", asset=None).exclude(fingerprint=SETTLED).values_list("branch", flat=True)
    )
    for asset in Asset.objects.select_related("branch"):
        read = read_state(by_history(asset, now), now)
        counts = asset.deleted_at is None and alarms(asset.branch)
        is_late = counts and read == "late"
        its = f"asset:{asset.pk}"
        assert (asset.late_told_at is not None) >= is_late
        assert not counts or asset.late_told_at is None or read in ("late", "dormant")
        if is_late:
            assert (its in told) != (asset.branch_id in branches and its not in told)
        elif its in told:
            assert Attention.objects.get(kind="late", subject=its).until <= now  # dormant


def assert_each_was_told_once():
    """Between two messages that an asset is late, one says that it is not."""
    for asset in Asset.objects.all():
        kinds = Message.objects.filter(asset=asset, kind__in=["asset.late", "asset.fresh"]).order_by("pk")
        told = [*kinds.values_list("kind", flat=True)]
        assert ("asset.late", "asset.late") not in {*pairwise(told)}, told


@pytest.mark.parametrize("seed", worlds(range(60)))
def test_how_it_stands_is_as_a_reading_of_all_versions_says(seed):
    history = History(seed)
    with history.clock():
        for name, branch in PLACES:
            times = [history.now + number * DAY for number in range(20)]
            history.history(name, times, branch=branch, flow=f"{name}Flow")
            history.now = times[0]
        history.now = times[-1]
        Project.objects.update(heard=f"{EventKind.LATE.value} {EventKind.FRESH_AGAIN.value}")
        for _ in range(40):
            history.chance.choice(history.acts)()
            if history.chance.random() < 0.4:
                look()
                assert_states_are_right(history)
                if history.chance.random() < 0.5:
                    tell_lates()
                    assert_lates_are_told(history)
    assert_each_was_told_once()

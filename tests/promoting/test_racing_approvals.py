"""Of approvals that come at once one makes the move, and none is lost."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from catalog import recording
from catalog.entities import Entity
from catalog.models import AliasMove, Approval, Asset, PromotionRequest
from catalog.recording import AssetAddress, Declaration, Registration
from catalog.recording.approving import NotOpen, approve, ask_for_promotion, withdraw
from catalog.states import RequestState
from promoting.pages.request import _copy as made_by_copying
from tests.conftest import POSTGRES
from tests.promoting.desk import ONE, TWO, Desk
from tests.promoting.desk import desk as desk

CI = Entity("ci", "obproject-deploy")
pytestmark = [pytest.mark.both, pytest.mark.slow, pytest.mark.django_db(transaction=POSTGRES)]


def at_once(*acts: Callable[[], object]) -> list[str]:
    """What became of each; on SQLite, which has one writer at a time, they come one after the other."""
    barrier, became = threading.Barrier(len(acts)), [""] * len(acts)

    def do(place: int) -> None:
        if POSTGRES:
            barrier.wait(20)
        try:
            became[place] = str(getattr(acts[place](), "state", ""))
        except Exception as refused:
            became[place] = type(refused).__name__
        finally:
            if POSTGRES:
                connection.close()

    if not POSTGRES:
        for place in range(len(acts)):
            do(place)
        return became
    threads = [threading.Thread(target=do, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return became


@pytest.mark.parametrize(("gates", "approvals"), [(ONE, 1), (TWO, 2)])
def test_one_of_them_makes_the_move(desk: Desk, gates, approvals):
    desk.declare(gates)
    request = desk.ask()
    moves = AliasMove.objects.count()
    became = at_once(*(lambda who=who: desk.approve(who, request) for who in ("ann", "bob", "vic")))
    assert sorted(became) == sorted(["done", *["open"] * (approvals - 1), *["NotOpen"] * (3 - approvals)])
    assert AliasMove.objects.count() == moves + 1
    assert Approval.objects.count() == approvals
    assert (PromotionRequest.objects.get().state, desk.holder) == (RequestState.DONE, "v2")


def test_what_is_withdrawn_at_the_same_time_is_either_moved_or_withdrawn(desk: Desk):
    desk.declare(ONE)
    request = desk.ask()
    became = at_once(lambda: withdraw(viewer=desk.viewer("ada"), request=request), lambda: desk.approve("ann", request))
    assert NotOpen.__name__ in became
    assert PromotionRequest.objects.get().state in ("withdrawn", "done")
    assert (desk.holder == "v2") is (PromotionRequest.objects.get().state == "done")


def test_the_same_asked_for_at_once_is_one_request(desk: Desk):
    became = at_once(lambda: desk.ask("ada"), lambda: desk.ask("eve"))
    assert sorted(became) == ["AlreadyAsked", "open"]
    assert PromotionRequest.objects.count() == 1


def test_approvals_that_make_the_first_version_of_an_asset_and_who_deletes_and_recovers_it_wait_for_each_other(desk):
    """On PostgreSQL none of them is stopped as a deadlock."""
    gates = {"into branch": {"approvals": 1}}
    to, away = (AssetAddress(desk.world.branch(name), "models", "new_model") for name in ("main", "feature"))
    recording.declare(actor="ci", at=to, entity=CI, declaration=Declaration({}, gates=gates))
    recording.delete_asset(actor="ci", asset=desk.world.asset("models/new_model"))
    for _ in range(5):
        what = Registration("artifact", annotations={"auc": 0.9})
        source = recording.register(actor="ci-bot", at=away, entity=Entity("task", "F/1/train/1"), what=what)
        asked = {"viewer": desk.viewer("ada"), "at": to, "source": source}
        request = at_once(lambda: ask_for_promotion(**asked), lambda: ask_for_promotion(**asked))  # noqa: B023
        assert sorted(request) == ["AlreadyAsked", "open"]
        row = PromotionRequest.objects.latest("pk")
        here = Asset.objects.ever_at(to.branch, to.kind, to.asset_id)
        became = at_once(
            lambda: approve(viewer=desk.viewer("ann"), request=row, make=made_by_copying),  # noqa: B023
            lambda: approve(viewer=desk.viewer("bob"), request=row, make=made_by_copying),  # noqa: B023
            lambda: transaction.atomic(recording.recover_asset)(actor="ci", here=here),  # noqa: B023
        )
        assert became[:2].count("done") == 1
        assert set(became) <= {"done", "NotOpen", "", "NameInUse", "NotDeleted"}
        recording.delete_asset(actor="ci", asset=desk.world.asset("models/new_model"))

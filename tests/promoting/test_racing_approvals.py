"""Of approvals that come at once one makes the move, and none is lost."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from access.errors import SiteError
from catalog.models import AliasMove, Approval, PromotionRequest
from catalog.recording.approving import NotOpen, withdraw
from catalog.states import RequestState
from tests.conftest import POSTGRES
from tests.promoting.desk import ONE, TWO, Desk
from tests.promoting.desk import desk as desk

pytestmark = [pytest.mark.both, pytest.mark.slow, pytest.mark.django_db(transaction=POSTGRES)]


def at_once(*acts: Callable[[], object]) -> list[str]:
    """What became of each; on SQLite, which has one writer at a time, they come one after the other."""
    barrier, became = threading.Barrier(len(acts)), [""] * len(acts)

    def do(place: int) -> None:
        if POSTGRES:
            barrier.wait(20)
        try:
            became[place] = str(getattr(acts[place](), "state", ""))
        except SiteError as refused:
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

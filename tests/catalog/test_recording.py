"""Writes below the API: what a repeated request meets when its twin is faster."""

import pytest

from access.errors import Conflict, NotFound
from catalog.recording import Once, once, repeats

REQUEST = Once.of(caller="token 1", method="PUT", path="/v1/x", key="k", body={})
ANSWER = (200, {"done": True})


@pytest.mark.django_db
@pytest.mark.parametrize("refusal", [Conflict("The alias moved."), NotFound("It is gone.")])
def test_a_repeat_that_finds_its_work_done_gets_the_first_answer(monkeypatch, refusal):
    once(REQUEST, lambda: ANSWER)
    look, looks = repeats._answered, iter([None])
    # its first look came before the twin had committed
    monkeypatch.setattr(repeats, "_answered", lambda request: next(looks, look(request)))

    def act():
        raise refusal

    assert once(REQUEST, act) == ANSWER


@pytest.mark.django_db
def test_a_refusal_of_a_request_that_was_never_answered_is_its_own():
    def act():
        raise NotFound("It was never there.")

    with pytest.raises(NotFound):
        once(REQUEST, act)

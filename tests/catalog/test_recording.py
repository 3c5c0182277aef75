"""Writes below the API: what a repeated request meets when its twin is faster."""

from datetime import timedelta

import pytest
from django.utils import timezone

from access.errors import Conflict, NotFound
from access.models import Perimeter
from catalog.models import IdempotencyKey
from catalog.recording import Once, once
from catalog.recording.repeats import KEPT_FOR

pytestmark = pytest.mark.both

REQUEST = Once.of(caller="token 1", method="PUT", path="/v1/x", key="k", body={})
ANSWER = (200, {"done": True})


@pytest.mark.django_db
@pytest.mark.parametrize("refusal", [Conflict("The alias moved."), NotFound("It is gone.")])
def test_a_repeat_that_finds_its_work_done_gets_the_first_answer(refusal):
    once(REQUEST, lambda: ANSWER)

    def act():
        raise refusal

    assert once(REQUEST, act) == ANSWER


@pytest.mark.django_db
def test_a_refusal_of_a_request_that_was_never_answered_is_its_own():
    def act():
        raise NotFound("It was never there.")

    with pytest.raises(NotFound):
        once(REQUEST, act)


@pytest.mark.django_db
def test_a_repeat_leaves_nothing_of_what_it_did():
    perimeter = Perimeter.objects.create(name="lab")
    once(REQUEST, lambda: ANSWER)

    def act():
        Perimeter.objects.filter(pk=perimeter.pk).update(name="other")
        return 200, {"done": "again"}

    assert once(REQUEST, act) == ANSWER
    assert Perimeter.objects.get().name == "lab"


@pytest.mark.django_db
def test_an_answer_that_is_too_old_is_forgotten_and_the_request_done_anew():
    once(REQUEST, lambda: ANSWER)
    IdempotencyKey.objects.update(created_at=timezone.now() - KEPT_FOR - timedelta(minutes=1))
    assert once(REQUEST, lambda: (200, {"done": "anew"})) == (200, {"done": "anew"})
    assert once(REQUEST, lambda: ANSWER) == (200, {"done": "anew"})

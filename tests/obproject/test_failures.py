"""Whether a step failed, and why, as the catalogue is told it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from obproject.task.failures import catches, is_successful, reason_of


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


TIMEOUT = "Step start timed out after 0 hours, 0 minutes, 2 seconds\nStack when the timeout was raised:\n  sort(key=id)"


@pytest.mark.parametrize(
    ("exception", "said"),
    [
        (RuntimeError("out of memory in epoch 2"), "RuntimeError: out of memory in epoch 2"),
        (RuntimeError(), "RuntimeError"),
        (Mute(), "Mute"),
        (OSError(TIMEOUT), "OSError: Step start timed out after 0 hours, 0 minutes, 2 seconds"),
        (OSError("postgres://ada:pw@db is away"), "OSError: its message is not told, as it may hold a secret"),
        (ValueError("\n a\0b\ud800\tc "), "ValueError: abc"),
        (ValueError("x" * 1_000), f"ValueError: {'x' * 300}…"),
    ],
)
def test_a_reason_is_the_type_and_the_first_line_of_the_message(exception: Exception, said: str) -> None:
    assert reason_of(exception, is_caught=False) == f"the step raised {said}"
    assert reason_of(exception, is_caught=True) == f"the step raised {said}, caught by @catch"


@pytest.mark.parametrize(
    ("task_ok", "success", "expected"),
    [(True, True, True), (True, False, False), (False, True, False), (None, False, False)],
)
def test_successful_is_what_metaflow_counts_so(task_ok: bool | None, success: bool, expected: bool) -> None:
    assert is_successful(SimpleNamespace(_success=success), task_ok) is expected


@pytest.mark.parametrize(("attempt", "expected"), [(0, False), (2, True), (3, True)])
def test_catch_handles_the_last_attempt_alone(attempt: int, expected: bool) -> None:
    decorators = [SimpleNamespace(name="retry"), SimpleNamespace(name="catch")]
    assert catches(decorators, attempt, 2) is expected
    assert not catches(decorators[:1], attempt, 2)

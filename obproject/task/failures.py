"""How a step failed: whether Metaflow counts its task as successful, and the reason in a phrase.

A task whose exception a decorator such as ``@catch`` has handled is not successful for Metaflow, though its run goes
on.
"""

from __future__ import annotations

from typing import Any

from obproject.task.run_values import may_hold_secret

_LONGEST = 300
"""Characters of an exception's message; the whole is in the task's own log."""


def is_successful(flow: Any, is_task_ok: Any) -> bool:
    """Say whether Metaflow counts the task of a running flow as successful; ``is_task_ok``: whether the run goes on."""
    return bool(is_task_ok) and getattr(flow, "_success", True) is True


def reason_of(exception: BaseException, *, is_caught: bool) -> str:
    """Return why a step failed: ``the step raised RuntimeError: disk full, caught by @catch``."""
    message = _message_of(exception)
    told = f"the step raised {type(exception).__name__}{message and ': '}{message}"
    return f"{told}, caught by @catch" if is_caught else told


def catches(decorators: Any, retry_count: int, max_user_code_retries: int) -> bool:
    """Say whether ``@catch`` handles an exception of this attempt: only that of the last one."""
    return retry_count >= max_user_code_retries and any(one.name == "catch" for one in decorators)


def _message_of(exception: BaseException) -> str:
    """Return the first line of a message, as it can be sent and stored; if it may hold a secret, only that it may."""
    try:
        first, *_ = str(exception).strip().splitlines() or [""]
    except Exception:
        return ""
    if may_hold_secret(first):
        return "its message is not told, as it may hold a secret"
    line = "".join(filter(str.isprintable, first)).rstrip(" .")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"

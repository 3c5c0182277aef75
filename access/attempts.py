"""Sign-ins as they are counted and written down: django-axes keeps the rows, the wait that grows is ours.

Failures are counted by name and address together, so nobody can lock out a colleague from elsewhere; names that no
account has are counted alike, so the answers tell nothing about which accounts there are.
"""

from datetime import timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from access.addresses import address_of, place_of
from access.identity import Viewer
from access.models import AuditEntry

SHORTEST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
NOBODY_KNOWN = "no account: "
"""What a counted name begins with if no account has it; the digest after it is no password typed in the wrong field."""
AN_UNKNOWN_NAME = "an unknown name"
WRITTEN_DOWN: dict[str, Any] = {"within": timedelta(hours=1), "most": 200}
"""Of failures and of lock-outs, the same is in the audit log once in that time, and no more than so many in all."""


def wait_after(failures: int) -> timedelta:
    """How long nobody may try again after so many failures: a minute, doubled with each one up to an hour."""
    more = failures - settings.AXES_FAILURE_LIMIT
    if more < 0:
        return timedelta(0)
    return min(SHORTEST_WAIT * (1 << min(more, 10)), LONGEST_WAIT)


def counted_place(request: HttpRequest) -> str | None:
    """The address that is counted, as axes wants it."""
    return place_of(request) or None


def counted_name(request: HttpRequest, credentials: dict[str, Any]) -> str:
    """The name that is counted: that of an account, or a digest of what was typed."""
    typed = str(credentials["username"])
    if User.objects.filter(username=typed).exists():
        return typed
    return NOBODY_KNOWN + salted_hmac("access.attempts", typed).hexdigest()


def shown_to_counters(request: HttpRequest) -> HttpRequest:
    """The request with its address alone: no form, no header and no path of it can be kept with an attempt."""
    bare = HttpRequest()
    bare.method = request.method
    said = ("REMOTE_ADDR", "HTTP_X_FORWARDED_FOR")
    bare.META = {name: request.META[name] for name in said if name in request.META}
    return bare


class Attempts(AxesDatabaseHandler):  # type: ignore[misc]
    """Axes' handler; what it counts is one row of its AccessAttempt for each name and address."""

    def is_locked(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        return self.wait(request, credentials) > timedelta(0)

    def wait(self, request: Any, credentials: dict[str, Any] | None) -> timedelta:
        """For how long this name may not be tried from this address."""
        failures, last = self._counted(request, credentials)
        wait = wait_after(failures)
        return wait - (request.axes_attempt_time - last) if wait else wait

    def user_login_failed(self, sender: Any, credentials: dict[str, Any], request: Any = None, **more: Any) -> None:
        """Count it and write it down, in one transaction, so that known and unknown names take the same time.

        Who asks finds the wait in `request.wait`.
        """
        refused = request.axes_locked_out
        with transaction.atomic():
            super().user_login_failed(sender, credentials, request, **more)
            request.wait = self.wait(request, credentials)
            if not refused:
                self._write_down_failure(request, credentials)

    def user_logged_in(self, sender: Any, request: Any, user: User, **more: Any) -> None:
        failures, _ = self._counted(request, {"username": user.get_username()})
        super().user_logged_in(sender, request, user, **more)
        detail = {"address": address_of(request)} | ({"failures": failures} if failures else {})
        AuditEntry.objects.record(
            Viewer(user), action="sign-in", perimeter="", target=user.get_username(), detail=detail
        )

    def user_logged_out(self, sender: Any, request: Any, user: User | None, **more: Any) -> None:
        super().user_logged_out(sender, request, user, **more)
        if user is not None:
            detail = {"address": address_of(request)}
            AuditEntry.objects.record(
                Viewer(user), action="sign-out", perimeter="", target=user.get_username(), detail=detail
            )

    def _counted(self, request: Any, credentials: dict[str, Any] | None) -> tuple[int, Any]:
        attempts: QuerySet[Any]
        (attempts,) = self.get_user_attempts(request, credentials)
        found = attempts.aggregate(failures=Sum("failures_since_start"), last=Max("attempt_time"))
        return found["failures"] or 0, found["last"]

    def _write_down_failure(self, request: Any, credentials: dict[str, Any]) -> None:
        name = counted_name(request, credentials)
        target = AN_UNKNOWN_NAME if name.startswith(NOBODY_KNOWN) else name
        detail: dict[str, Any] = {"address": place_of(request)}
        AuditEntry.objects.record_rarely("sign-in.fail", target, detail, **WRITTEN_DOWN)
        if request.axes_locked_out:
            more = {"failures": request.axes_failures_since_start, "minutes": request.wait // timedelta(minutes=1)}
            AuditEntry.objects.record_rarely("sign-in.lock", target, detail | more, **WRITTEN_DOWN)


def forget_old_attempts() -> int:
    """Drop the rows of failures that no wait depends on any more; answer how many. Each sign-in does so, too."""
    bare = HttpRequest()
    bare.axes_attempt_time = timezone.now()  # type: ignore[attr-defined]
    return int(Attempts().clean_expired_user_attempts(bare))

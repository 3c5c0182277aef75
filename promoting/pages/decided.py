"""What the pages share on which somebody decides: the form that was sent, and the page that is shown again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.http import HttpRequest

from access.errors import BadRequest, SiteError
from catalog.addresses import compare_url
from catalog.limits import COMMENT_LENGTH, UNSTORABLE
from catalog.models import Asset
from catalog.pagekit.editing import checked_comment
from catalog.pagekit.uses import EntityLink
from catalog.reading import Resolved, find_instance
from comparing.sentences import NOTHING, Sentence
from obproject.branches import check_alias

Json = dict[str, Any]
NO_REASON = "Say why: it stays in the history for ever."


@dataclass(frozen=True)
class Sent:
    """What a form said. `problem` and `reason_problem` are what is wrong with the comment, and with the reason."""

    comment: str = ""
    reason: str = ""
    overrides: bool = False
    problem: str = ""
    reason_problem: str = ""
    most: ClassVar[int] = COMMENT_LENGTH

    @classmethod
    def of(cls, request: HttpRequest) -> "Sent":
        said = request.POST
        comment, problem = checked_comment(said.get("comment", ""))
        reason, reason_problem = checked_comment(said.get("reason", ""))
        overrides = "override" in said
        if overrides and not reason:
            reason_problem = NO_REASON
        return cls(comment, reason, overrides, problem, reason_problem if overrides else "")

    @property
    def is_wrong(self) -> bool:
        return bool(self.problem or self.reason_problem)


NOTHING_SENT = Sent()


@dataclass(frozen=True)
class Faster:
    """Somebody moved the alias meanwhile: what was seen, who moved it where and when, and how both compare."""

    saw: str
    now: str
    who: EntityLink | None
    at: datetime | None
    url: str = ""


@dataclass(frozen=True)
class Again:
    """Why the page is shown again, with which status. `refused` says that rules refused what was sent; `error` is any
    other reason, as a sentence."""

    status: int = 200
    sent: Sent = NOTHING_SENT
    faster: Faster | None = None
    refused: Sentence = NOTHING
    error: str = ""

    @property
    def context(self) -> Json:
        names = ("sent", "faster", "refused", "error")
        return {name: getattr(self, name) for name in names}


SHOWN = Again()


def uid_in(request: HttpRequest, name: str) -> str:
    """An id that a form sent along; empty where there was none."""
    text = request.POST.get(name)
    if text is None or UNSTORABLE.search(text):
        what = "is missing" if text is None else "is no id"
        raise BadRequest(f"The form is incomplete: {name} {what}. Go back, reload the page and send it again.")
    return text


def checked_alias(alias: str) -> str:
    try:
        return check_alias(alias)
    except ValueError as error:
        text = str(error)
        raise BadRequest(f"{text[:1].upper()}{text[1:]}.", alias=alias) from None


def named(version: Resolved) -> str:
    """How a sentence calls it."""
    return version.instance.ref if version.instance else "the definition"


def faster_than(asset: Asset, alias: str, expected: str, to: Resolved | None = None) -> Faster:
    """Who moved an alias, and where to, since the page was shown on which it led to `expected`. `to` is where it was
    wanted."""
    last = asset.alias_moves.filter(name=alias).order_by("-pk").first()
    who = EntityLink.of(last.entity_kind, last.entity_id) if last else None
    holder = find_instance(asset, f"@{alias}") if alias in asset.alias_index else None
    url = ""
    if holder and holder.instance and to and to.instance and holder.uid != to.uid:
        url = compare_url(asset, [holder.instance.ref, to.instance.ref], holder.instance.ref)
    return Faster(_saw(asset, expected), named(holder) if holder else "", who, last.at if last else None, url)


def _saw(asset: Asset, uid: str) -> str:
    if not uid:
        return "nothing"
    try:
        return named(find_instance(asset, uid))
    except SiteError:
        return "another version"

"""What Atom feeds have: entries made of what the pages of a branch, an asset and a perimeter tell, and the XML."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from django.http import HttpRequest, HttpResponse
from django.utils.feedgenerator import Atom1Feed

from access.identity import Viewer
from access.models import Perimeter
from catalog.addresses import instance_url
from catalog.models import Asset
from catalog.pages.activity import Happening
from catalog.pages.attended import AttentionLine, text_of
from catalog.pages.audited import FOR_ADMINS, SOURCES, Event
from catalog.states import State

ENTRIES = 50
CONTENT_TYPE = "application/atom+xml; charset=utf-8"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
"""When a feed without entries was updated: the same whenever it is asked for."""
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
NOT_IN_TAG = re.compile(r"[^\w./~:@+-]", re.ASCII)
STATES = {State.READY: "is ready", State.PENDING: "is on its way", State.FAILED: "has failed"}


@dataclass(frozen=True)
class Entry:
    """One entry. `key` tells it apart from all others of the site, together with its day."""

    key: str
    at: datetime
    title: str
    url: str
    by: str = ""
    summary: str = ""


# what is told


def of_activity(happened: Iterable[Happening]) -> list[Entry]:
    """What changed; who read what is no news."""
    return [_happening(one) for one in happened if one.what != "consumed"]


def _happening(one: Happening) -> Entry:
    home = one.home
    what = f"{one.what}/{one.detail}" if one.what in ("alias", "edited") else one.what
    if one.is_pending:
        what = State.PENDING.value  # what becomes of it is an entry of its own
    key = f"{home.project.perimeter.name}/{home.project.name}/{home.key}/{one.kind}/{one.asset_id}/{one.ref}/{what}"
    url = one.deleted_url if one.what == "deleted" else one.url if one.asset_id else _branch_of(one)
    return Entry(f"{key}/{one.at.timestamp():.6f}", one.at, _title(one), url, one.who.name)


def _branch_of(one: Happening) -> str:
    return one.deleted_url.rpartition("/")[0]


def _title(one: Happening) -> str:
    match one.what:
        case "registered":
            return f"{one.asset_id} {one.ref} {STATES.get(State(one.detail), one.detail)}"
        case "alias" if not one.elsewhere:
            return f"@{one.detail} of {one.asset_id} was deleted"
        case "alias":
            return f"@{one.detail} of {one.asset_id} is {one.ref or 'the definition'}"
        case "edited":
            return f"{one.detail} of {one.asset_id} was edited"
        case "deployed":
            return f"{one.home.project.name} was deployed on {one.home.name}: {one.detail}"
    return f"{one.asset_id} was {one.what}"


def of_perimeter(viewer: Viewer, perimeter: Perimeter) -> list[Entry]:
    """What the audit page shows to everybody there, and the newest registration of each asset."""
    events: list[Event] = []
    for name, source in SOURCES.items():
        if name not in FOR_ADMINS:
            rows = source.rows(viewer).filter(**{source.perimeter: perimeter})
            events += [source.event(row) for row in rows.order_by(f"-{source.at}", "-pk")[:ENTRIES]]
    told = [_event(perimeter, event) for event in events]
    return newest([*told, *_registered(viewer, perimeter)])


def _event(perimeter: Perimeter, event: Event) -> Entry:
    where = f" ({event.branch.project.name} on {event.branch.name})" if event.branch else ""
    title = f"{event.subject}: {event.what}{where}"
    summary = "\n".join(filter(None, (event.detail, event.comment)))
    return Entry(f"{perimeter.name}/~{event.kind}/{event.pk}", event.at, title, event.url, event.by, summary)


def _registered(viewer: Viewer, perimeter: Perimeter) -> Iterator[Entry]:
    assets: Any = Asset.objects.visible_to(viewer).filter(branch__project__perimeter=perimeter, deleted_at=None)
    made = assets.filter(newest__isnull=False).select_related("branch__project__perimeter", "newest")
    for asset in made.order_by("-newest")[:ENTRIES]:
        instance, branch = asset.newest, asset.branch
        what = State.PENDING.value if instance.state == State.PENDING else "registered"
        place = f"{perimeter.name}/{branch.project.name}/{branch.key}/{asset.kind}/{asset.asset_id}/{instance.ref}"
        title = f"{asset.asset_id} {instance.ref} {STATES[State(instance.state)]}"
        title += f" ({branch.project.name} on {branch.name})"
        key = f"{place}/{what}/{instance.created_at.timestamp():.6f}"
        yield Entry(key, instance.created_at, title, instance_url(asset, instance), instance.producer_id)


def of_attention(lines: Iterable[AttentionLine]) -> list[Entry]:
    found = []
    for line in lines:
        subjects = " ".join(line.subjects) or next((action.url for action in line.actions), "")
        key = f"{line.perimeter}/~attention/{subjects}/{line.at.timestamp():.6f}"
        url = next((row.asset_url or row.branch_url for row in line.rows), "")
        url = url or next((action.url for action in line.actions), "")
        where = f"{line.project} on {line.branch}" if line.branch else line.project or line.perimeter
        title = f"{line.word}: {text_of(line.said)}"
        found.append(Entry(key, line.at, title, url, summary="\n".join(filter(None, (text_of(line.why), where)))))
    return found


def newest(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (entry.at, entry.key), reverse=True)[:ENTRIES]


# as XML


class Feed(Atom1Feed):
    """Updated when its newest entry was, and not whenever it is asked for."""

    def latest_post_date(self) -> datetime:
        return max((item["updateddate"] for item in self.items), default=BEGIN)


def feed(request: HttpRequest, title: str, page: str, entries: Sequence[Entry]) -> HttpResponse:
    """The answer. `page`: where people read the same; the feed names itself by its plain address."""
    absolute = request.build_absolute_uri
    host = request.get_host().partition(":")[0].strip("[]")
    written = Feed(
        title=clean(title),
        link=absolute(page),
        description="",
        language=None,
        feed_url=absolute(f"{page}.atom"),
        feed_guid=tag(host, BEGIN, page.strip("/") or "home"),
    )
    for entry in newest(entries):
        written.add_item(
            title=clean(entry.title),
            link=absolute(entry.url or page),
            description=escape(clean(entry.summary)),
            unique_id=tag(host, entry.at, entry.key),
            pubdate=entry.at,
            updateddate=entry.at,
            author_name=clean(entry.by) or None,
        )
    return HttpResponse(written.writeString("utf-8"), content_type=CONTENT_TYPE)


def tag(host: str, at: datetime, key: str) -> str:
    """A name that stays the same for ever (RFC 4151)."""
    return f"tag:{host},{at.astimezone(UTC):%Y-%m-%d}:{NOT_IN_TAG.sub(_escaped, key)}"


def _escaped(sign: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in sign[0].encode("utf-8", "surrogatepass"))


def clean(text: str) -> str:
    """Without what no XML may hold."""
    return NOT_IN_XML.sub("", text)

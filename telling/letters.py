"""Mail as it is sent: subject, text, HTML and headers, for some messages of one subscription. No database."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string

from catalog.addresses import asset_url, branch_url, branch_watch_url, watch_url
from catalog.freshness.declared import known_zone
from catalog.models import Message, Subscription
from catalog.news import whole
from catalog.states import EventKind
from telling.groups import in_words
from telling.unsubscribing import unsubscribe_url

LONGEST_SUBJECT = 150
LONGEST_SENTENCE = 1000
SHOWN = 200
"""So many messages are in one mail; it says how many more there are."""
INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""What does not stand in a subject or a line: control characters, what turns the direction of others, surrogates."""


@dataclass(frozen=True)
class Line:
    """A message in a mail."""

    at: str
    kind: str
    sentence: str
    url: str


@dataclass(frozen=True)
class Letter:
    """A mail to one person: `messages` of all `count` that there are."""

    subscription: Subscription
    messages: Sequence[Message]
    count: int

    @property
    def title(self) -> str:
        """What is watched."""
        row = self.subscription
        return one_line(row.asset.title if row.asset else row.branch.name)

    @property
    def subject(self) -> str:
        branch = self.subscription.branch
        where = one_line(f"{branch.project.perimeter.name}/{branch.project.name}")
        if self.count == 1:
            return cut(f"[{where}] {self._lines[0].sentence}", LONGEST_SUBJECT)
        daily = "since yesterday" if self.subscription.daily else "just now"
        return cut(f"[{where}] {self.title}: {self.count:,} events {daily}", LONGEST_SUBJECT)

    @property
    def _lines(self) -> list[Line]:
        zone = ZoneInfo(known_zone(self.subscription.branch.project.timezone))
        return [line_of(message, zone) for message in self.messages]

    @property
    def context(self) -> dict[str, Any]:
        row = self.subscription
        asset = row.asset
        if asset is not None:
            asset.branch = row.branch
        return {
            "lines": self._lines,
            "more": self.count - len(self.messages),
            "title": self.title,
            "place": one_line(f"{row.branch.project.name} on {row.branch.name}"),
            "is_branch": asset is None,
            "told": in_words(row.kinds),
            "page_url": whole(asset_url(asset) if asset else branch_url(row.branch)),
            "change_url": whole(watch_url(asset) if asset else branch_watch_url(row.branch)),
            "stop_url": unsubscribe_url(row),
        }

    @property
    def text(self) -> str:
        told = self.context
        parts = [f"{line.at}  {line.kind}\n{line.sentence}\n{line.url}\n" for line in told["lines"]]
        if told["more"]:
            parts.append(f"And {told['more']:,} more.\n{told['page_url']}\n")
        what = "the branch" if told["is_branch"] else "the asset"
        parts.append(
            f"-- \nYou get this as you watch {what} {told['title']} ({told['place']}): {told['told']}.\n"
            f"Change that: {told['change_url']}\nStop it: {told['stop_url']}\n"
        )
        return "\n".join(parts)

    @property
    def headers(self) -> dict[str, str]:
        """The same message has the same id, should it ever be sent twice."""
        first, last, pk = self.messages[0], self.messages[-1], self.subscription.pk
        address = settings.PUBLIC_ADDRESS
        assert address is not None  # else no mail is sent
        stop = unsubscribe_url(self.subscription)
        one_click = {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"} if address.is_secure else {}  # RFC 8058
        return {
            "Message-ID": f"<{first.uid}.{last.uid}.{pk}@{address.host.strip('[]')}>",
            "Date": format_datetime(max(message.created_at for message in self.messages)),
            "Auto-Submitted": "auto-generated",
            "List-Unsubscribe": f"<{stop}>",
            **one_click,
        }

    def mail(self, connection: BaseEmailBackend | None = None) -> EmailMultiAlternatives:
        to = self.subscription.user.email
        sender = settings.EMAIL_FROM
        mail = EmailMultiAlternatives(
            self.subject, self.text, sender, [to], headers=self.headers, connection=connection
        )
        mail.attach_alternative(render_to_string("telling/mail.html", self.context), "text/html")
        return mail


def line_of(message: Message, zone: ZoneInfo) -> Line:
    body: dict[str, Any] = message.body
    kind = str(EventKind(message.kind).label)
    sentence = cut(one_line(str(body.get("sentence") or kind)), LONGEST_SENTENCE)
    return Line(moment(message.at, zone), kind, sentence, link_of(body))


def link_of(body: dict[str, Any]) -> str:
    """The page that a message is most about, with scheme and host."""
    for part in ("request", "version", "asset", "branch"):
        url = (body.get(part) or {}).get("url")
        if url:
            return whole(url) if url.startswith("/") else str(url)
    return ""


def moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def one_line(text: str) -> str:
    """Text in one line, without what can't be seen."""
    seen = "".join(" " if unicodedata.category(sign) in INVISIBLE else sign for sign in text)
    return re.sub(r"\s+", " ", seen).strip()


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"

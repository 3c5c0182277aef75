"""Webhooks, their deliveries and forms as pages show them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest

from catalog.addresses import webhook_url
from catalog.models import Delivery, DeliveryTry, Webhook
from catalog.outbox import TELLABLE
from catalog.states import DeliveryState, EventKind
from telling.payload import body_of, shown_headers
from telling.webhooks import LENGTHS, Wish
from telling.wire import sentence_of

LOOKS = {
    DeliveryState.WAITING: "",
    DeliveryState.SET_ASIDE: "warn",
    DeliveryState.DELIVERED: "good",
    DeliveryState.GIVEN_UP: "bad",
}


@dataclass(frozen=True)
class ShownTry:
    """One try, with all that was sent but for the signature."""

    at: datetime
    by: str
    sentence: str
    seconds: float | None
    headers: str
    answer: str

    @classmethod
    def of(cls, one: DeliveryTry) -> "ShownTry":
        headers = "\n".join(f"{name}: {value}" for name, value in shown_headers(one.delivery.message, one.at).items())
        return cls(one.at, one.by, sentence_of(one), one.seconds, headers, one.answer)


@dataclass(frozen=True)
class ShownDelivery:
    """A delivery, with the body that is sent and its tries, the newest first."""

    pk: int
    kind: str
    sentence: str
    at: datetime
    words: str
    look: str
    next_at: datetime | None
    can_be_replayed: bool
    uid: str
    body: str
    tries: list[ShownTry]

    @classmethod
    def of(cls, row: Delivery) -> "ShownDelivery":
        message, state = row.message, DeliveryState(row.state)
        return cls(
            pk=row.pk,
            kind=EventKind(message.kind).label,
            sentence=str(message.body.get("sentence", "")),
            at=message.at,
            words=str(state.label),
            look=LOOKS[state],
            next_at=row.next_at if row.done_at is None and row.failing_since else None,
            can_be_replayed=message.kind != EventKind.TEST,
            uid=message.uid,
            body=body_of(message).decode(),
            tries=[ShownTry.of(one) for one in sorted(row.log.all(), key=lambda one: -one.pk)],
        )


@dataclass(frozen=True)
class ShownWebhook:
    """A row of the list."""

    title: str
    address: str
    url: str
    what: str
    words: str
    look: str

    @classmethod
    def of(cls, webhook: Webhook) -> "ShownWebhook":
        words, look = how_it_stands(webhook)
        return cls(
            title=webhook.name or webhook.url,
            address=webhook.url,
            url=webhook_url(webhook.perimeter.name, webhook.pk),
            what=what_it_gets(webhook),
            words=words,
            look=look,
        )


def how_it_stands(webhook: Webhook) -> tuple[str, str]:
    if webhook.off_at is not None:
        return "off", "warn"
    return ("failing", "bad") if webhook.failing_since else ("on", "good")


def what_it_gets(webhook: Webhook) -> str:
    """In a sentence."""
    kinds = ", ".join(EventKind(kind).label for kind in webhook.kinds if kind in TELLABLE) or "everything"
    where = [f"in {webhook.project}" if webhook.project else "", f"on {webhook.branch}" if webhook.branch else ""]
    where.append(f"where {webhook.filters}" if webhook.filters else "")
    return " ".join([kinds, *filter(None, where)])


@dataclass(frozen=True)
class Form:
    """A form as it was typed, and what is wrong with it: a sentence, and the field that it is about."""

    wish: Wish
    problem: str = ""
    field: str = ""

    @property
    def kinds(self) -> list[tuple[str, str, bool]]:
        """Value, words and whether it is chosen, of each kind of event."""
        return [(kind, str(EventKind(kind).label), kind in self.wish.kinds) for kind in TELLABLE]

    def problem_of(self, field: str) -> str:
        return self.problem if self.field == field else ""

    @property
    def other_problem(self) -> str:
        return self.problem if self.field not in ("url", *LENGTHS) else ""


EMPTY = Form(Wish(url=""))


def typed(request: HttpRequest) -> Wish:
    texts = {name: request.POST.get(name, "") for name in ("url", *LENGTHS)}
    return Wish(**texts, kinds=tuple(request.POST.getlist("kinds")))


def deliveries_shown(rows: Iterable[Delivery]) -> list[ShownDelivery]:
    return [ShownDelivery.of(row) for row in rows]

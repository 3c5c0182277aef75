"""Who wants a message: the webhooks of its perimeter, and the subscriptions of people who may still see it."""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache

from django.db import InterfaceError, OperationalError, transaction
from django.http import QueryDict

from access.identity import Viewer
from catalog.filters import FILTERS, TEXT, FiltersAsked, refusal_of_unknown, unknown_parameters
from catalog.models import Asset, Branch, Instance, Message, Subscription, Webhook
from catalog.states import EventKind
from telling.subscriptions import is_mail_on

log = logging.getLogger("catalog.jobs")


def filters_of(text: str) -> FiltersAsked:
    """The filters of a webhook; raises BadRequest for what lists of the catalogue would not take."""
    query = QueryDict(text.removeprefix("?"))
    if unknown := unknown_parameters(query, FILTERS, ()):
        raise refusal_of_unknown(unknown, FILTERS, ())
    return FiltersAsked.of(query)


class Wanting:
    """Who wants some messages, which are asked about together: two queries for all, and one for each filter."""

    def __init__(self, messages: Collection[Message]) -> None:
        self._webhooks: dict[int, list[Webhook]] = defaultdict(list)
        self._subscriptions: dict[int, list[Subscription]] = defaultdict(list)
        told = [message for message in messages if not message.withheld]
        on = Webhook.objects.filter(perimeter__in={one.perimeter_id for one in told}, off_at=None, deleted_at=None)
        for webhook in on.order_by("pk"):
            self._webhooks[webhook.perimeter_id].append(webhook)
        about = {one.branch_id for one in told if one.branch_id} if is_mail_on() else set()
        watched = Subscription.objects.filter(branch__in=about).exclude(user__email="")
        for row in watched.select_related("user", "perimeter").order_by("pk"):
            self._subscriptions[row.branch_id].append(row)
        self._sees = cache(_sees)

    def webhooks(self, message: Message) -> Iterator[Webhook]:
        if not message.withheld:
            yield from (one for one in self._webhooks[message.perimeter_id] if wants(one, message))

    def subscriptions(self, message: Message) -> Iterator[Subscription]:
        """One of each person, that of the asset before that of its branch."""
        if message.withheld or message.branch_id is None:
            return
        told: set[int] = set()
        for row in sorted(self._subscriptions[message.branch_id], key=lambda row: row.asset_id is None):
            about = row.asset_id is None or row.asset_id == message.asset_id
            if row.user_id in told or not about or not _asks_for(row.kinds, row.created_at, message):
                continue
            if self._sees(row):
                told.add(row.user_id)
                yield row


def _sees(row: Subscription) -> bool:
    return Viewer(row.user).can_see(row.perimeter)


def _asks_for(kinds: Collection[str], created_at: object, message: Message) -> bool:
    """What was made after a message does not get it."""
    return (not kinds or message.kind in kinds) and created_at <= message.created_at  # type: ignore[operator]


def wants(webhook: Webhook, message: Message) -> bool:
    if not _asks_for(webhook.kinds, webhook.created_at, message) or message.kind == EventKind.TEST:
        return False
    branch = message.branch
    if webhook.project and (branch is None or branch.project.name != webhook.project):
        return False
    if webhook.branch and (branch is None or not is_meant(webhook.branch, branch)):
        return False
    return not webhook.filters or _found_by(webhook, message)


def is_meant(pattern: str, branch: Branch) -> bool:
    """Whether a branch has the name, or one that the pattern stands for."""
    return any(fnmatchcase(name, pattern) for name in {branch.git_name, branch.key} if name)


def _found_by(webhook: Webhook, message: Message) -> bool:
    """Filters that an older version took, or that can't be asked for another reason, find nothing: all the other
    webhooks are told meanwhile."""
    try:
        with transaction.atomic():
            return _matches(filters_of(webhook.filters), message)
    except (OperationalError, InterfaceError):  # of the database, and not of what was asked
        raise
    except Exception as error:
        log.warning("The filters of webhook %s can't be asked: %s: %s", webhook.pk, type(error).__name__, error)
        return False


def _matches(asked: FiltersAsked, message: Message) -> bool:
    if message.asset_id is None:
        return False
    asset = Asset.objects.filter(pk=message.asset_id)
    if not message.instance_uid:
        return asset.matching(asked.in_any_state() if asked.ask_what_is_shown else asked).exists()
    of_asset = {row.name for row in FILTERS if row.on_asset and (row is TEXT or not row.on_instance)}
    about_asset = FiltersAsked(dict(_only(asked, of_asset)))
    about_version = FiltersAsked(dict(_only(asked, {row.name for row in FILTERS} - of_asset)))
    version = Instance.objects.filter(asset=message.asset_id, uid=message.instance_uid)
    return asset.filter(about_asset.on_asset()).exists() and version.matching(about_version.in_any_state()).exists()


def _only(asked: FiltersAsked, names: Iterable[str]) -> Iterator[tuple[str, tuple[object, ...]]]:
    return ((name, values) for name, values in asked.values.items() if name in names)

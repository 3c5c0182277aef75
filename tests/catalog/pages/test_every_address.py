"""Every address of the site, read as everybody: what is another perimeter's is in no answer, and no answer is kept.

The addresses are those of the URLconf; one whose parts this test can't fill fails it.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import product

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core import signing
from django.test import Client
from django.urls import URLResolver, get_resolver
from django.utils import timezone

from access.models import AuditEntry, Membership, Role, Token, new_secret, secret_fields
from access.visibility import VisibleQuerySet, perimeter_name_of
from catalog import recording
from catalog.entities import Entity
from catalog.models import (
    Delivery,
    DeliveryTry,
    GateRevision,
    Message,
    MetadataSource,
    MissedWrite,
    PromotionRequest,
    Reconciliation,
    Webhook,
)
from catalog.recording import Declaration, Highlighted
from telling.unsubscribing import SALT

pytestmark = pytest.mark.slow

SECRET = "zebra"
"""Stands in all that alpha has, but for the names that are asked for, which an answer may repeat."""
TWIN, SUFFIX, FORM = ["", ".json"], ["", ".json", ".svg", ".dot"], ["", ".json", ".md", ".svg"]
PARTS = {
    "perimeter": ["alpha"],
    "project": ["churn"],
    "branch": ["main"],
    "base": ["feature_new_model"],
    "asset_id": ["churn_model"],
    "reference": ["latest"],
    "alias": ["production"],
    "name": ["TrainFlow"],
    "uid": ["h_" + "0a" * 10],
    "card": ["default-531cae1402624f82995a03bfdfd9771d"],
    "rest": ["nothing/there"],
    "content_type_id": ["1"],
    "pk": ["1"],
    "token": ["nothing", signing.dumps(0, salt=SALT)],
    "request_id": ["1"],
    "webhook_id": ["1"],
    "delivery_id": ["1"],
    "twin": TWIN,
    "suffix": SUFFIX,
    "form": ["", ".json", ".csv", ".svg"],
}
"""What the parts of an address are, by their names."""
KINDS = {"components": ["flows"], "assets": ["models"], "kind": ["models"]}
KINDS |= {"form": FORM, "filed": ["", ".json", ".csv"]}
"""The same by their converters."""
REGULAR = {
    r"^v1/": "v1/nothing",
    r"admin/(?P<url>.*)$": "admin/nothing",
    r"admin/^(?P<app_label>access|auth|axes|catalog)/$": "admin/catalog/",
}
QUESTIONS = {
    "compare<twin:twin>": "?of=v1,latest",
    "lineage/impact": "?focus=models/churn_model",
    "lineage/paths": "?from=models/churn_model&to=flow/ZebraFlow",
}
"""What some addresses have to be asked, by how their routes end."""
FOR_EVERYBODY = {"sign-in", "me/unsubscribe/<str:token>"}
FOR_PEOPLE = {"me", "me.json", "me/watching"}
"""Their own pages, which no token opens."""
OF_LOCAL_MODE = {"~demo"}
"""What a team's site does not have."""
LEADS_THERE = {"<name:perimeter>/webhooks"}
"""Redirects to what is for admins."""
NOT_THERE = ("/image", "/cards/", "nothing")
"""What this world does not have."""


def routes(patterns=None, before="") -> Iterator[str]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


def addresses_of(route: str) -> list[str]:
    """The addresses of alpha that a route stands for."""
    if route in REGULAR:
        return [f"/{REGULAR[route]}"]
    texts = re.split(r"<(?:(\w+):)?(\w+)>", route)
    fixed, parts = texts[::3], list(zip(texts[1::3], texts[2::3], strict=True))
    choices = []
    for converter, name in parts:
        filled = KINDS.get(converter) or PARTS.get(name) or ([row_of(route)] if name in ("id", "object_id") else None)
        assert filled, f"/{route}: say in PARTS what {name!r} is in the world of this test"
        choices.append(filled)
    asked = next((question for end, question in QUESTIONS.items() if route.endswith(end)), "")
    return ["/" + "".join(sum(zip(fixed, (*chosen, asked), strict=True), ())) for chosen in product(*choices)]


def row_of(route: str) -> str:
    """The key of a row of alpha, of the model whose page it is in the administration."""
    _, label, model, *_ = route.split("/")
    if label == "r":
        return "1"
    manager = apps.get_model(label, model)._default_manager
    walled = isinstance(manager.all(), VisibleQuerySet)
    rows = [row for row in manager.all() if not walled or perimeter_name_of(row) == "alpha"]
    assert rows, f"/{route}: this test's world has no such row"
    return str(rows[0].pk)


@pytest.fixture
def zebras(full):
    """Alpha, with a secret in everything that can hold one; beta has a few rows of its own."""
    for name, role in (("zebra-ada", Role.ADMIN), ("zebra-eve", Role.EDITOR)):
        full.people[name] = User.objects.create(username=name)
        Membership.objects.create(user=full.people[name], perimeter=full.alpha, role=role)
    Membership.objects.create(user=full.people["zebra-ada"], perimeter=full.beta, role=Role.VIEWER)
    full.alpha.title = "Of zebras"
    full.alpha.save()
    said = {"annotations": {"zebra": "0.9"}, "tags": {"zebra": "stripes"}, "description": "of zebras"}
    made = full.register("models/churn_model", "TrainFlow/9/train/zebra", **said)
    full.register("data/zebra_table", "ZebraFlow/1/build/1", **said)
    full.alias("zebra", made)
    full.alias("production", made)
    readme = Declaration({"zebra": "1"}, name="Zebra", readme="# Zebra")
    full.deploy(spec={"title": "Zebras", "markdown": "# Zebras"}, models__zebra_declared=readme)
    full.consume("models/churn_model", "ZebraFlow/2/score/1")
    body = {"labels": ["zebra"], "synopsis": [], "highlight_type": "columns", "highlight_body": []}
    shown = Highlighted("Zebras", content=body)
    at = full.branch("main")
    row = recording.show_highlight(actor="ada", at=at, entity=Entity("task", "TrainFlow/9/train/zebra"), what=shown)
    type(row).objects.filter(pk=row.pk).update(uid=PARTS["uid"][0])
    full.register("models/churn_model", perimeter=full.beta)
    _ask(full, made)
    _tell(full, made)
    AuditEntry.objects.record("zebra-ada", action="test", perimeter=full.alpha, target="zebra")
    Token.objects.issue(user=full.people["zebra-eve"], perimeter=full.alpha, role=Role.EDITOR, name="zebra")
    source, now = MetadataSource.objects.create(place="/zebra"), timezone.now()
    MissedWrite.objects.create(source=source, uid="zebra", task="Zebra/1/a/1", at=now, found_at=now, entry="zebra")
    Reconciliation.objects.create(started_at=now, actor="zebra")
    apps.get_model("axes", "AccessAttempt").objects.create(username="zebra", failures_since_start=1)
    return full


def _ask(world, instance) -> None:
    """A request of eve's, which others may approve."""
    at = {"branch": instance.asset.branch, "kind": "models", "asset_id": "churn_model", "at": timezone.now()}
    gates = {"production": {"approvals": 1, "approvers": ["role:admin"]}}
    by = {"actor": "zebra-eve", "entity_kind": "user", "entity_id": "zebra-eve"}
    revision = GateRevision.objects.create(**at, **by, gates=gates)
    held = {"expected_uid": instance.uid, "instance": instance.asset.instances.get(number=1)}
    said = {"user": world.people["zebra-eve"], "actor": "zebra-eve", "comment": "of zebras"}
    PromotionRequest.objects.create(**at, **held, **said, pk=1, alias="production", gates=revision)


def _tell(world, instance) -> None:
    """A webhook, and a delivery to it that failed."""
    asset, now = instance.asset, timezone.now()
    about = {"pk": 1, "perimeter": world.alpha, "created_at": now}
    said = {"url": "https://zebra.example.com/", "name": "zebra", "created_by": "zebra-ada", "filters": "tag=zebra"}
    webhook = Webhook.objects.create(**about, **said, secret="s", failing_since=now)
    message = Message.objects.create(**about, kind="asset.late", at=now, sorted_at=now, body={"sentence": "zebra"})
    delivery = Delivery.objects.create(
        pk=1, message=message, webhook=webhook, asset=asset, state="given up", next_at=now
    )
    DeliveryTry.objects.create(delivery=delivery, at=now, status=500, answer="zebra", by="zebra-ada")


def asking(world, who: str) -> Client:
    """Someone who asks: by name with a session, or with a token."""
    if who in world.people:
        return world.client(who)
    if who == "nobody":
        return Client()
    past = {"expires_at": timezone.now() - timedelta(days=1)} if who == "expired" else {}
    perimeter = world.beta if who == "token of beta" else world.alpha
    token = Token(user=world.people["zebra-ada"], perimeter=perimeter, role=Role.VIEWER, **past)
    secret = new_secret()
    for name, value in secret_fields(secret).items():
        setattr(token, name, value)
    token.save()
    return Client(headers={"x-api-key": secret})


def kept_by_others(answer, route: str) -> str:
    """Why a cache could show the answer to somebody else, or a disk keep what it should not; empty if none could."""
    cached = answer.get("Cache-Control", "")
    vary = {name.strip().lower() for name in answer.get("Vary", "").split(",")}
    if not {"cookie", "authorization", "x-api-key"} <= vary:
        return f"Vary: {answer.get('Vary')}"
    if route.startswith(("admin", "sign-")):
        return "" if "no-store" in cached else f"Cache-Control: {cached}"
    return "" if cached == "no-store" or cached.startswith("private") else f"Cache-Control: {cached}"


def allowed(route: str, address: str, who: str) -> set[int]:
    """The statuses that an answer may have."""
    if route in FOR_EVERYBODY:
        return {200, 302, 404}
    if who in ("nobody", "expired"):
        in_json = address.startswith("/v1/") or address.partition("?")[0].endswith(".json")
        sent_to_sign_in = address in ("/v1", "/v1/docs") or (who == "nobody" and not in_json)
        return {302} if sent_to_sign_in else {401}
    if route in OF_LOCAL_MODE:
        return {404}
    if route.startswith("admin/"):
        return allowed_in_administration(route, who)
    if route in FOR_PEOPLE and who == "token of beta":
        return {403}
    if "perimeter" in route and who in OUTSIDERS:
        return {404, 405}
    if "webhooks" in route and who != "zebra-ada" and route not in LEADS_THERE:
        return {403, 405}
    return {200, 302, 405} | ({404, 503} if any(part in address for part in NOT_THERE) else set())


def allowed_in_administration(route: str, who: str) -> set[int]:
    if who in ("vic", "token of beta"):
        return {302} if route == "admin/login/" else {404}
    if who == "olga" and "object_id" in route:
        return {302, 403, 404}
    return {200, 302, 403, 404, 405}


OUTSIDERS = ("nobody", "expired", "olga", "token of beta")


@pytest.mark.parametrize("who", [*OUTSIDERS, "vic", "zebra-eve", "zebra-ada"])
def test_every_address_is_private_and_tells_an_outsider_nothing(zebras, who):
    client, outside, problems, seen = asking(zebras, who), who in OUTSIDERS, [], 0
    for route in routes():
        for address in addresses_of(route):
            answer = client.get(address)
            body = answer.content.decode(errors="replace").lower()
            seen += SECRET in body
            if answer.status_code not in allowed(route, address, who):
                problems.append(f"{answer.status_code} {address}")
            if outside and SECRET in body.replace("zebra-ada", ""):  # a token's own user
                problems.append(f"{SECRET} at {address}")
            if kept := kept_by_others(answer, route):
                problems.append(f"{kept} at {address}")
    assert not problems, "\n".join(problems)
    assert outside or seen > 40

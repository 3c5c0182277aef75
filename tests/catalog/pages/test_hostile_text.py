"""Text that attacks a page, in every field that can hold text, on every page: it is text, and leads nowhere."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from django.contrib import messages
from django.contrib.auth.models import User
from django.shortcuts import render
from django.test import RequestFactory
from django.utils.html import format_html

from access.models import Role, Token
from catalog.models import Highlight, SpecVersion
from catalog.recording import Declaration
from obproject.evaluation_log import EVALUATION_LOG
from tests.catalog.pages.test_every_address import addresses_of, routes
from tests.catalog.pages.test_highlights import CHART, show
from tests.catalog.pages.test_run_facts import FACTS, made

pytestmark = pytest.mark.slow

ATTACKS = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</textarea></title></pre><svg onload=alert(1)>",
    "{{ 7*7 }}{% include 'base.html' %}{# x #}",
    "javascript:alert(1)",
    "\u202emodel\u2066",
]
ALL = " ".join(ATTACKS)
ADDRESSES = {"href", "src", "action", "hx-get", "data-live", "data-cards"}


class Page(HTMLParser):
    """What in a page is not as it should be; and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.wrong += [f"{tag} {name}" for name in named if name.startswith("on") or name in ("style", "srcdoc")]
        self.wrong += [
            f"{name}={named[name]}" for name in ADDRESSES & named.keys() if "script:" in (named[name] or "")[:12]
        ]
        self.wrong += [tag] if tag == "img" and named.get("src") == "x" else []
        self.wrong += ["script"] if tag == "script" and "src" not in named else []

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def hostile(world, settings):
    """Alpha, all of whose texts attack. Names that stand in addresses are `world`'s own: the others are refused."""
    settings.METAFLOW_UI_URL = "https://ui.example.org"
    User.objects.filter(pk=world.people["ada"].pk).update(username=ALL[:150])
    said = {"description": ALL, "tags": {ALL: ALL, f"{ALL}2": ALL}, "blobs": [ALL, {ALL: ALL}], "digest": ALL[:128]}
    said["annotations"] = {ALL: ALL, f"{ALL}2": 0.5, f"{ALL}3": "0.7"}
    world.register("models/churn_model", "TrainFlow/1/train/1", **said)
    made(world, FACTS | dict.fromkeys(("user", "commit", "git_branch", "repository", "python_version"), ALL[:60]) | {
        "parameters": {ALL: ALL}, "configs": {ALL: {ALL: ALL}}, "left_out": [ALL], "tags": [ALL],
    })  # fmt: skip
    newest = world.register("models/churn_model", "TrainFlow/3/train/1", **said)
    world.register("models/churn_model", "TrainFlow/4/train/1", state="failed", description=ALL)
    world.alias("production", newest)
    declared = Declaration(
        {ALL: ALL},
        {ALL: ALL},
        [ALL],
        asset_kind=ALL[:128],
        name=ALL,
        description=ALL,
        icon=ALL[:60],
        readme=ALL,
        source=ALL,
        declared_metrics=[{"name": f"{ALL}2", "unit": ATTACKS[1][:32]}, {"name": f"{ALL}3", "unit": ATTACKS[5]}],
        not_compared=[ALL],
    )
    event = {"commit_sha": ALL, "pr_title": ALL, "owner": ALL, "commit_link": "javascript:alert(1)"}
    spec = {"title": ALL, "markdown": f"# {ALL}\n\n[x](javascript:alert(1))", "deployment_events": [event]}
    world.deploy(spec=spec | {"ci_url": "javascript:alert(1)"}, models__churn_model=declared)
    SpecVersion.objects.update(actor=ALL[:150])
    for kind, name in (("deployment", ALL), ("user", ALL), ("task", "ScoreFlow/1/score/1")):
        world.consume("models/churn_model", name, kind=kind, branch=f"feature/{ALL[:150]}", role=ALL[:32])
    values = {"model": ALL, ALL: ALL, "auc": 0.9}
    world.register(f"data/{EVALUATION_LOG}", "GateFlow/1/judge/1", asset_kind="evaluation", annotations=values)
    shown = show(world, ALL, labels=[ALL], synopsis=[f"**{ALL}**"], body=[{"big": ALL, "small": ALL}])
    show(world, f"{ALL}2", "TrainFlow/2/join/1", shown="chart", body=CHART)
    show(world, f"{ALL}3", "TrainFlow/3/join/1", body={"alt": ALL}, shown="image")
    Highlight.objects.filter(pk=shown.pk).update(uid="h_" + "0a" * 10)
    Token.objects.issue(user=world.people["ada"], perimeter=world.alpha, role=Role.EDITOR, name=ALL)
    return world


def test_it_is_text_and_leads_nowhere(hostile):
    client = hostile.client("ada")
    wrong, seen = [], set()
    flows = [f"/alpha/churn/main/flows/{name}" for name in ("TrainFlow", "ScoreFlow")]
    pages = [route for route in routes() if not route.startswith(("admin", "v1/"))]
    addresses = [address for route in pages for address in addresses_of(route) if "." not in address]
    for address in [*addresses, *flows, f"/search?q={ALL[:20]}", f"/alpha/churn/main/models?q={ALL[:40]}"]:
        for part in ("", "listing", "instances", "lineage-glance"):
            answer = client.get(address, headers={"HX-Target": part} if part else {}, follow=True)
            if "html" in answer.get("Content-Type", "") and "/cards/" not in address:
                page = Page()
                page.feed(answer.content.decode())
                wrong += [(address, part, one) for one in page.wrong]
                computed = re.sub(r"\d\d:\d\d:\d\d|\d+ (s|min) ago", "", page.text.replace("7*7", ""))  # of times
                wrong += [(address, part, "49")] if "49{" in page.text or "49 " in computed else []
                seen |= {attack for attack in ATTACKS if attack in unescape(page.text.replace("\n", " "))}
    assert wrong == []
    assert seen == set(ATTACKS)


def test_a_message_is_escaped_unless_it_is_html(rf: RequestFactory, db, client):
    request = client.get("/sign-in").wsgi_request
    messages.info(request, ALL)
    messages.info(request, format_html("<a href='/there'>{}</a>", ALL))
    page = render(request, "catalog/page.html", {}).content.decode()
    parser = Page()
    parser.feed(page)
    assert parser.wrong == []
    assert parser.text.count(ATTACKS[0]) == 2
    assert "<a href='/there'>" in page

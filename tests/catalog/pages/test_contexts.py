"""A page gets what its template asks for, and nothing else: every address is asked, and every template is used.

What a template asks for is read from it, with those that it extends and includes, so what this world does not show
counts too. `|default` and `is defined` mark what is optional. An attribute that is lacking fails whichever test meets
it, as an undefined name is an error in all of them (tests/conftest.py).
"""

from collections.abc import Iterator
from functools import cache

import pytest
from django.template import engines
from django.template.backends.jinja2 import Template
from django.test import Client
from jinja2 import Environment, meta, nodes

from obproject.evaluation_log import EVALUATION_LOG
from tests.catalog.pages.test_every_address import addresses_of, routes, zebras  # noqa: F401 (a fixture)

pytestmark = pytest.mark.slow

TO_ALL = {
    *("request", "csrf_input", "csrf_token", "user", "perms", "messages", "DEFAULT_MESSAGE_LEVELS"),
    *("derivation_notice", "site", "site_name", "view"),
}
"""What Django, its views and the context processors give to whatever is rendered for a request."""
PARTS = ["listing", "instances", "lineage", "lineage-glance", "found", "metrics", "first-steps"]
"""What htmx asks for, by the id of the element."""
OTHERS = ["/alpha/churn/feature_logged/evaluations", "/alpha/churn/main/models?page=1&sort=nothing", "/alpha/nothing"]
OTHERS += ["/alpha/churn/main/models/churn_model/compare?of=v1"]
OTHERS += ["/alpha/churn/main/models/churn_model/aliases/production/move?to=v1"]
OTHERS += ["/alpha/churn/main/models/churn_model/v1/promote?to=feature_new_model"]
ERRORS = {f"errors/{status}.html" for status in (400, 403, 413, 500, 503)}
"""What no address answers with here; tests/access/test_errors.py has them all."""


def env() -> Environment:
    return engines["jinja2"].env


@cache
def parsed(name: str) -> nodes.Template:
    return env().parse(env().loader.get_source(env(), name)[0])


def referred(name: str, *kinds: type) -> set[str]:
    """The templates that one extends, includes or imports from."""
    return {node.template.value for node in parsed(name).find_all(kinds)}


def whole(name: str) -> set[str]:
    """A template and those that get the same context."""
    return {name}.union(*(whole(other) for other in referred(name, nodes.Extends, nodes.Include)))


def asked_for(name: str) -> tuple[set[str], set[str]]:
    """The names that a template asks of its context, and those that are optional."""
    tree = parsed(name)
    macros = {macro.name for macro in tree.find_all(nodes.Macro)}
    imported = {one for found in tree.find_all(nodes.FromImport) for one in found.names}
    own = {node.target.name for node in tree.find_all(nodes.Assign)}
    checks = [node for node in tree.find_all((nodes.Filter, nodes.Test)) if node.name in ("default", "defined")]
    optional = {node.node.name for node in checks if isinstance(node.node, nodes.Name)}
    return meta.find_undeclared_variables(tree) - macros - imported - own - set(env().globals), optional


def troubles(name: str, context: set[str]) -> Iterator[str]:
    """What is wrong with the names that a template got. Of what all get it may use what it likes."""
    asked, optional = (set().union(*names) for names in zip(*map(asked_for, whole(name)), strict=True))
    yield from (f"{name} lacks {one!r}" for one in asked - optional - context)
    yield from (f"{name} does not use {one!r}" for one in context - asked - TO_ALL)


@pytest.fixture
def rendered(monkeypatch):
    """The templates that are rendered, each with the names that it got."""
    seen = set()
    plain = Template.render

    def render(self, context=None, request=None):
        seen.add((self.template.name, frozenset(context or ()) | (TO_ALL if request else set())))
        return plain(self, context, request)

    monkeypatch.setattr(Template, "render", render)
    return seen


def test_every_page_gets_what_it_asks_for_and_no_more(zebras, rendered):  # noqa: F811
    zebras.register(f"data/{EVALUATION_LOG}", asset_kind="evaluation", branch="feature/logged")
    client = zebras.client("zebra-ada")
    pages = [route for route in routes() if not route.startswith(("admin", "v1/")) or route == "v1/docs"]
    for address in [*(address for route in pages for address in addresses_of(route)), *OTHERS]:
        answer = client.get(address, follow=True)
        for part in PARTS if "HX-Target" in answer.get("Vary", "") else ():
            client.get(address, headers={"HX-Request": "true", "HX-Target": part})
    client.post("/alpha")
    Client().get("/sign-in")
    wrong = sorted({trouble for name, context in rendered for trouble in troubles(name, context)})
    assert not wrong, "\n".join(wrong)
    used = {"styleguide.html", "telling/mail.html", "_demo.html"} | ERRORS | {name for name, _ in rendered}
    kinds = (nodes.Extends, nodes.Include, nodes.FromImport)
    while more := set().union(*(referred(name, *kinds) for name in used)) - used:
        used |= more
    assert {name for name in env().list_templates() if not name.startswith("django/")} == used

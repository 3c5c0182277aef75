"""Below a sub-path every address that the site writes begins with it and leads somewhere: they are followed from page
to page, through twins and files, the administration and the API.
"""

import re
from collections import Counter, deque
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from django.conf import settings as site_settings
from django.test import Client
from django.test.utils import override_script_prefix
from django.urls import Resolver404, resolve

from assetsite.public_address import PublicAddress
from catalog.api.reference import reference

HOLDERS = {"href", "xlink:href", "src", "action", "formaction", "data-live", "hx-get", "hx-post"}
IN_FILES = re.compile(r'(?:href=|URL=|click \S+ href |"(?:\w*_)?(?:url|src|producer)": ?)"([^"]+)"')
IN_FILES_OF = ("json", "svg", "graphviz", "mermaid", "text/plain")
NAMES = {
    "perimeter": "alpha", "project": "churn", "branch": "main", "kind": "models", "asset_id": "churn_model",
    "reference": "latest", "alias": "production",
}  # fmt: skip
NOWHERE = "none"


class Outside(Client):
    """Asks as a proxy does that hands on the whole path under another host."""

    address: PublicAddress

    def request(self, **request: Any) -> Any:
        with override_script_prefix(f"{self.address.script_name}/"):  # a step of servers that the client leaves out
            return super().request(**self.address.asked(request | {"HTTP_HOST": "127.0.0.1:8000"}))


@pytest.fixture(
    params=["https://host.example:8443/our%20assets/", pytest.param("http://testserver/", marks=pytest.mark.long)]
)
def outside(request, full, settings) -> Outside:
    """Ada, an editor and superuser, before a site that is configured for an address."""
    client = Outside()
    client.address = PublicAddress.of(request.param)
    settings.FORCE_SCRIPT_NAME = client.address.script_name
    settings.STATIC_URL = f"{client.address.path}/static/"
    settings.ALLOWED_HOSTS = [client.address.host]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick
    ada = full.people["ada"]
    ada.is_staff = ada.is_superuser = True
    ada.save()
    client.force_login(ada)
    return client


class Links(HTMLParser):
    """The addresses in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if value and name in HOLDERS]


def links_in(answer: Any) -> list[str]:
    kind = answer.headers.get("Content-Type", "")
    if "Location" in answer.headers:
        return [answer["Location"]]
    if answer.streaming:
        return []
    if "html" in kind:
        return Links(answer.content.decode()).found
    return IN_FILES.findall(answer.content.decode()) if any(name in kind for name in IN_FILES_OF) else []


def own_links_in(answer: Any, page: str, origin: str) -> Iterator[str]:
    """The addresses of this host in an answer, without scheme and host."""
    for link in links_in(answer):
        at = urlsplit(urljoin(f"{origin}{page}", link))
        if f"{at.scheme}://{at.netloc}" == origin:
            yield f"{at.path}?{at.query}" if at.query else at.path


def api_addresses() -> Iterator[str]:
    for address in reference()[0]:
        if any(call.method == "GET" for call in address.operations):
            yield re.sub(r"\{(\w+)\}", lambda name: NAMES.get(name[1], NOWHERE), address.path)


def view_of(path: str) -> str:
    try:
        return resolve(unquote(path)).view_name
    except Resolver404:
        return path


def test_every_address_leads_somewhere_below_the_public_one(outside):
    """Of each view one address without a query is followed, and one with."""
    root, origin = outside.address.path, outside.address.origin
    to_do = deque([f"{root}/", f"{root}/admin/", f"{root}/v1/docs", *(root + path for path in api_addresses())])
    seen, visited, wrong = set(to_do), Counter[tuple[str, bool]](), []
    while to_do:
        page = to_do.popleft()
        answer = outside.get(page)
        if (answer.status_code == 404 and NOWHERE not in page) or answer.status_code >= 500:
            wrong.append((page, answer.status_code))
        for link in set(own_links_in(answer, page, origin)) - seen:
            seen.add(link)
            if not link.startswith(f"{root}/"):
                wrong.append((page, link))
                continue
            kind = (
                link if link.startswith(site_settings.STATIC_URL) else view_of(urlsplit(link).path.removeprefix(root))
            )
            visited[kind, "?" in link] += 1
            if visited[kind, "?" in link] == 1:
                to_do.append(link)
    assert wrong == []
    views = {view for view, _ in visited}
    assert views >= {"perimeter", "asset", "instance", "search", "branch-lineage", "asset-lineage", "component"}
    assert views >= {"admin:catalog_asset_change", "sign-out", f"{root}/static/app.css"}


def test_to_sign_in_and_back_again(outside, full):
    root, stranger = outside.address.path, Outside()
    stranger.address = outside.address
    asked = stranger.get(f"{root}/alpha/churn?q=x")
    assert asked["Location"] == f"{root}/sign-in?next={root.replace('%', '%25')}/alpha/churn%3Fq%3Dx"
    inside = stranger.get("/alpha/churn", headers={"hx-request": "true"})
    assert inside["HX-Redirect"] == f"{root}/sign-in"
    full.people["vic"].set_password("a good password")
    full.people["vic"].save()
    form = {"username": "vic", "password": "a good password", "next": unquote(f"{root}/alpha/churn?q=x")}
    assert stranger.post(f"{root}/sign-in", form)["Location"] == f"{root}/alpha/churn?q=x"
    assert stranger.post(f"{root}/sign-out")["Location"] == f"{root}/sign-in"


def test_without_the_sub_path_the_site_answers_too(outside):
    """A proxy may take it off; and flows may ask behind the proxy, by another name."""
    for path in ("/", "/alpha/churn/main", "/healthz", "/v1/me", "/static/app.css"):
        with_it, without_it = (outside.get(root + path) for root in (outside.address.path, ""))
        assert (with_it.status_code, without_it.status_code) == (200, 200), path


def test_a_drawing_links_below_the_public_address(outside):
    page = f"{outside.address.path}/alpha/churn/main/models/churn_model/lineage"
    drawn = outside.get(f"{page}.svg").content.decode()
    assert f'href="{outside.address.url}alpha/churn/main/models/churn_model"' in drawn
    events = outside.get(f"{page}.ndjson").content.decode()
    assert f'"producer":"{outside.address.url.rstrip("/")}"' in events

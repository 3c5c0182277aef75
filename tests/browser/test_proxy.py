"""Behind Debian's nginx with container/nginx.conf: TLS and another port, on a host of its own and below a sub-path, as
docs/configuration.md has it. A flow writes through it, and a person walks from signing in to signing out.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from playwright.sync_api import expect

from tests.conftest import Server, Site, free_port
from tests.obproject.flows import run_flow, write_flow
from tests.places import CHECKOUT
from tests.run import NGINX

pytestmark = [pytest.mark.browser, pytest.mark.long]

CONFIGURATION = (CHECKOUT / "container/nginx.conf").read_text()
_, FOR_A_SUB_PATH = re.findall(
    r"^```nginx\n(.*?)^```$", (CHECKOUT / "docs/configuration.md").read_text(), re.MULTILINE | re.DOTALL
)
LOCATION = re.compile(r" +location / {\n(?P<lines>.*?)^    }\n", re.MULTILINE | re.DOTALL)
SUB_PATH = "/assets"
PASSWORD = "a good password"
FLOW = """
    from metaflow import card, current, step
    from metaflow.cards import Markdown
    from obproject import ProjectFlow

    class RowsFlow(ProjectFlow):
        @card(type="blank")
        @step
        def start(self):
            self.rows = [1, 2, 3]
            current.card.append(Markdown("# Three good rows"))
            self.prj.register_data("rows", "rows", annotations={"count": 3})
            self.next(self.end)

        @step
        def end(self):
            self.total = sum(self.prj.get_data("rows"))
            self.prj.register_data("total", "total")

    if __name__ == "__main__":
        RowsFlow()
"""
# What the configuration leaves open: another proxy to the same site, which takes the path off and says another host.
# Its port is not that of the public address.
STRIPPING = """
server {
    listen 127.0.0.1:PORT ssl;
    ssl_certificate /run/secrets/tls_certificate;
    ssl_certificate_key /run/secrets/tls_key;
    location /assets/ {
        proxy_pass http://assetsite/;
        proxy_set_header Host 127.0.0.1;
    }
}
"""


@dataclass
class Behind:
    """The site, and the addresses of the proxies before it: as people type it, one of plain http, one that strips."""

    site: Site
    path: str
    url: str
    plain: str
    stripping: str
    folder: Path
    token: str = ""

    def get(self, path: str, url: str = "", **headers: str) -> requests.Response:
        return requests.get(
            f"{url or self.url}{path}",
            headers={"x-api-key": self.token} | headers,
            verify=str(self.folder / "tls_certificate"),
            allow_redirects=False,
            timeout=20,
        )


def _below_sub_path(text: str) -> str:
    """The configuration with the locations of a sub-path."""
    lines = LOCATION.search(text)["lines"]
    return LOCATION.sub(FOR_A_SUB_PATH.replace("        # as above\n", lines).replace("\\", "\\\\"), text)


def _configuration(folder: Path, path: str, ports: dict[str, int]) -> Path:
    """The configuration with the ports and files of this test, as all of nginx's own."""
    text = _below_sub_path(CONFIGURATION) if path else CONFIGURATION
    text += STRIPPING.replace("PORT", str(ports["stripping"]))
    for what, here in {
        "server site:8000;": f"server 127.0.0.1:{ports['site']};",
        "listen 443 ssl": f"listen 127.0.0.1:{ports['tls']} ssl",
        "listen 80;": f"listen 127.0.0.1:{ports['plain']};",
        "/run/secrets": str(folder),
        "/var/log/nginx": str(folder),
    }.items():
        assert what in text, what
        text = text.replace(what, here)
    names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "\n".join(f"{name}_temp_path {folder / name};" for name in names)
    user = "user root;" if os.geteuid() == 0 else ""
    file = folder / "nginx.conf"
    file.write_text(
        f"{user}\ndaemon off;\nworker_processes 1;\npid {folder / 'pid'};\nerror_log {folder / 'error.log'};\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{folders}\n{text}\n}}\n"
    )
    return file


def _make_certificate(folder: Path) -> None:
    key, certificate = folder / "tls_key", folder / "tls_certificate"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip


@pytest.fixture(scope="module", params=["", SUB_PATH], ids=["own host", "sub-path"])
def behind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    if not NGINX.exists():
        pytest.skip("nginx is not installed: apt-get install nginx")
    folder, home = tmp_path_factory.mktemp("nginx"), tmp_path_factory.mktemp("behind")
    ports = {name: free_port() for name in ("tls", "plain", "stripping")}
    path = request.param
    url = f"https://localhost:{ports['tls']}{path}"
    server = Server(
        home,
        ASSETSITE_MODE="team",
        ASSETSITE_SECRET_KEY="k" * 60,
        ASSETSITE_PUBLIC_URL=url,
        ASSETSITE_BIND="127.0.0.1",
        ASSETSITE_CARD_ROOTS=str(home / "flow/.metaflow"),
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )
    _make_certificate(folder)
    server.start()
    ports["site"] = int(server.site.url.rpartition(":")[2])
    command = [str(NGINX), "-e", str(folder / "error.log"), "-c", str(_configuration(folder, path, ports))]
    with (folder / "said").open("w") as said:
        nginx = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        found = Behind(
            server.site,
            path,
            url,
            f"http://localhost:{ports['plain']}{path}",
            f"https://localhost:{ports['stripping']}{path}",
            folder,
        )
        _wait_for(found, nginx, folder)
        server.site.manage("createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.org")
        created = server.site.manage("token", "create", "--user", "ada", "--perimeter", "default", "--role", "admin")
        found.token = created.strip()
        yield found
    finally:
        nginx.send_signal(signal.SIGTERM)
        nginx.wait(timeout=20)
        server.stop()


def _wait_for(found: Behind, nginx: subprocess.Popen[bytes], folder: Path) -> None:
    for _ in range(100):
        try:
            if found.get("/healthz").ok:
                return
        except requests.ConnectionError:
            assert nginx.poll() is None, (folder / "said").read_text() + (folder / "error.log").read_text()
        time.sleep(0.1)
    raise AssertionError((folder / "error.log").read_text())


@pytest.fixture(scope="module")
def written(behind: Behind) -> Behind:
    """The site with what a flow has registered and read through the proxy."""
    folder = behind.site.home / "flow"
    folder.mkdir()
    write_flow(folder, FLOW, 'project = "world"\n')
    settings = {"ASSETSITE_TOKEN": behind.token, "ASSETSITE_STRICT": "1"}
    settings["REQUESTS_CA_BUNDLE"] = str(behind.folder / "tls_certificate")
    run = run_flow(folder, f"{behind.url}/", settings=settings)
    assert run.ok, run.output
    assert f"{behind.url}/default/world/user_alice/data/rows/v1" in run.output
    return behind


def test_programs_get_addresses_of_the_proxy_whichever_way_they_ask(written: Behind) -> None:
    path = "/v1/perimeters/default/projects/world/branches/user.alice/data/rows"
    stripping = {written.stripping} if written.path else set()
    for url in {written.url, written.site.url, f"{written.site.url}{written.path}"} | stripping:
        asset = written.get(path, url).json()
        assert asset["recent_instances"][0]["url"] == f"{written.url}/default/world/user_alice/data/rows/v1", url
        document = written.get("/v1/openapi.json", url).json()
        assert document["servers"] == [{"url": written.url}]
        assert [written.get(f"/{name}", url).status_code for name in ("healthz", "static/app.css")] == [200, 200]
    if written.path:
        assert written.get("", written.url).headers["Location"] == f"{SUB_PATH}/"
    assert written.get("/", written.plain).headers["Location"] == f"https://localhost{written.path}/"
    assert written.get("/default", Cookie="a=b").headers["Content-Encoding"] == "gzip"
    assert f"assetsite is at {written.url}/" in (written.site.home / "server.log").read_text()


def test_keys_of_feeds_are_in_no_log(behind: Behind) -> None:
    for url in (behind.url, behind.plain):
        behind.get("/feeds/af_verysecret/default/world/main.atom", url)
    log = (behind.folder / "access.log").read_text()
    assert log.count(f'"GET {behind.path}/feeds/af_.../default/world/main.atom" ') == 2
    assert "verysecret" not in log


@pytest.mark.parametrize("behind", [SUB_PATH], indirect=True)
def test_a_form_that_comes_by_another_address_says_so(written: Behind, open_page) -> None:
    page = open_page().page
    page.goto(f"{written.stripping}/sign-in")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    came, expected = (url.removesuffix(SUB_PATH) for url in (written.stripping, written.url))
    expect(page.get_by_role("main")).to_contain_text(
        f"This form came from {came}, and the site takes forms from {expected}. Open the site as {written.url}/"
    )


def test_a_person_walks_from_signing_in_to_signing_out(written: Behind, open_page) -> None:
    watched = open_page()
    page, main = watched.page, watched.page.get_by_role("main")
    failed: list[str] = []
    page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    url = written.url
    page.goto(url)
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{url}/")
    main.get_by_role("link", name="world", exact=True).first.click()
    main.get_by_role("link", name="user.alice").first.click()
    page.get_by_role("link", name="Data").first.click()
    main.get_by_role("link", name="rows", exact=True).first.click()
    expect(page).to_have_url(f"{url}/default/world/user_alice/data/rows")
    expect(page.locator("#lineage-glance .node.focus")).to_be_visible()
    main.get_by_role("link", name="v1", exact=True).first.click()
    expect(page.frame_locator("iframe[data-card]").get_by_text("Three good rows")).to_be_visible()
    page.goto(f"{url}/default/world/user_alice/lineage")
    page.locator("[data-drawing]").get_by_role("link", name=re.compile("^data total")).click()
    expect(page).to_have_url(re.compile(re.escape(f"{url}/default/world/user_alice/")))
    page.get_by_role("searchbox").first.fill("tot")
    page.locator("#found").get_by_role("link", name="total", exact=True).first.click()
    expect(page).to_have_url(f"{url}/default/world/user_alice/data/total")

    page.get_by_label("You are ada").click()
    page.get_by_role("link", name="Administration").click()
    expect(page).to_have_url(f"{url}/admin/")
    page.get_by_role("link", name="Users", exact=True).first.click()
    page.get_by_role("link", name="ada", exact=True).first.click()
    page.get_by_label("Email address").fill("ada@elsewhere.example.org")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    expect(page).to_have_url(f"{url}/admin/auth/user/")
    page.get_by_role("link", name="Back to the site").click()
    expect(page).to_have_url(f"{url}/")
    kept = page.context.cookies()
    assert {(cookie["path"], cookie["secure"]) for cookie in kept} == {(f"{written.path}/", True)}
    assert len(kept) >= 2
    page.get_by_label("You are ada").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{url}/sign-in")
    page.goto(f"{url}/default/world")
    expect(page).to_have_url(re.compile(f"{url}/sign-in"))

    assert failed == []
    assert [error for error in watched.errors if "fonts.googleapis.com" not in error] == []
    own = (f"{url}/", "data:", "blob:", "https://fonts.googleapis.com")
    assert [asked for asked in watched.requests if not asked.startswith(own) and asked != url] == []

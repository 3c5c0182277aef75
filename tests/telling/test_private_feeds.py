"""Private addresses of feeds: a key reads the feeds of a perimeter as its person, nothing else, and is in no log."""

import base64
import logging
import re
import socket
from types import SimpleNamespace

import pytest
import requests
from django.contrib.auth.models import User
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from access.masking import Masking, masked
from access.models import AuditEntry, FeedKey, Membership, Perimeter, Role
from tests.conftest import served_from
from tests.telling.worlds import World

pytestmark = pytest.mark.django_db
BRANCH, ASSET = "/alpha/churn/main", "/alpha/churn/main/models/model"
PAGES = ["/alpha", BRANCH, ASSET, "/alpha/attention", f"{BRANCH}/attention"]
SECRET = re.compile(r"af_[0-9a-f]{64}")


@pytest.fixture
def world(settings):
    settings.MODE, settings.LOCAL_MODE, settings.ALLOWED_HOSTS = "team", False, ["testserver"]
    world = World()
    world.asset()
    World("beta")
    world.vic = User.objects.create(username="vic")
    Membership.objects.create(user=world.vic, perimeter=world.perimeter, role=Role.ADMIN)
    return world


@pytest.fixture
def vic(world):
    client = Client()
    client.force_login(world.vic)
    return client


@pytest.fixture
def secret(world):
    return FeedKey.objects.issue(user=world.vic, perimeter=world.perimeter, name="reader")[1]


def basic(secret, name="any"):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


@pytest.mark.parametrize("page", PAGES)
def test_a_key_reads_each_feed_in_the_path_and_as_a_password(client, secret, page):
    plain = None
    for answer in (
        client.get(f"/feeds/{secret}{page}.atom"),
        client.get(f"/feeds{page}.atom", headers=basic(secret)),
    ):
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/atom+xml; charset=utf-8")
        assert secret not in answer.content.decode() + str(answer.headers)
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["Cache-Control"].startswith("private")
        assert f"http://testserver{page}" in answer.content.decode()
        plain = plain or answer.content
        assert answer.content == plain
        again = client.get(f"/feeds/{secret}{page}.atom", headers={"If-None-Match": answer["ETag"]})
        assert again.status_code == 304


def test_it_reads_nothing_else(world, client, secret, vic):
    world.asset("x.atom")
    for page in (
        *("/alpha", BRANCH, f"{BRANCH}.json", ASSET, "/me", "/me/watching", "/v1/perimeters", "/admin/", "/", ""),
        *("/beta.atom", "/beta/churn/main.atom", f"{BRANCH}/models/x.atom", "/alpha/nothing/main.atom", "/livez"),
        *("/static/app.css", "/sign-in", f"/feeds/{secret}{BRANCH}.atom"),
    ):
        for reader in (client, vic):  # a session gives no more
            answer = reader.get(f"/feeds/{secret}{page}")
            assert answer.status_code in (401, 404), page
            assert answer["Content-Type"].startswith("text/plain"), page
    assert client.post(f"/feeds/{secret}{BRANCH}.atom").status_code == 405
    assert client.get(f"{BRANCH}.atom", headers=basic(secret)).status_code in (302, 401)
    assert client.get(f"{BRANCH}.atom", headers={"x-api-key": secret}).status_code == 401


def test_a_key_that_is_no_good_opens_nothing(world, client, secret, vic):
    def answers():
        found = client.get(f"/feeds/{secret}{BRANCH}.atom"), client.get(f"/feeds{BRANCH}.atom", headers=basic(secret))
        return {answer.status_code for answer in found}

    assert answers() == {200}
    for wrong in (f"/feeds/{secret[:-1]}{BRANCH}.atom", f"/feeds{BRANCH}.atom", f"/feeds/af_{BRANCH}.atom"):
        answer = vic.get(wrong)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Basic realm="feeds", charset="UTF-8"')
    assert client.get(f"/feeds{BRANCH}.atom", headers={"Authorization": "Basic %%%"}).status_code == 401
    User.objects.update(is_active=False)
    assert answers() == {401}
    User.objects.update(is_active=True)
    Membership.objects.all().delete()
    assert answers() == {401}
    Membership.objects.create(user=world.vic, perimeter=world.perimeter)
    FeedKey.objects.update(revoked_at=FeedKey.objects.get().created_at)
    assert answers() == {401}


def test_the_name_of_a_branch_leads_to_its_key_without_losing_the_key(client, secret):
    answer = client.get(f"/feeds/{secret}/alpha/churn/Feature-X.atom")
    assert answer.status_code in (302, 404)
    if answer.status_code == 302:
        assert answer["Location"] == f"/feeds/{secret}/alpha/churn/feature_x.atom"
        assert client.get(answer["Location"]).status_code == 200


def test_keys_are_made_shown_once_and_revoked_on_ones_own_page(world, vic):
    made = vic.post("/me/feeds", {"perimeter": "alpha", "name": " My reader "})
    (secret,) = set(SECRET.findall(made.content.decode()))
    assert (made.status_code, made["Cache-Control"]) == (201, "no-store")
    assert f"http://testserver/feeds/{secret}/alpha.atom" in made.content.decode().replace("<wbr>", "")
    assert Client().get(f"/feeds/{secret}/alpha.atom").status_code == 200
    page = vic.get("/me/watching").content.decode()
    assert "My reader" in page
    assert secret not in page
    key = FeedKey.objects.get()
    assert secret not in str(vars(key))
    assert key.last_used_at
    stranger = Client()
    stranger.force_login(User.objects.create(username="olga"))
    assert stranger.post(f"/me/feeds/{key.pk}/revoke").status_code == 404
    assert stranger.post("/me/feeds", {"perimeter": "alpha"}).status_code == 404
    assert vic.post(f"/me/feeds/{key.pk}/revoke").status_code == 302
    assert vic.post(f"/me/feeds/{key.pk}/revoke").status_code == 404
    assert Client().get(f"/feeds/{secret}/alpha.atom").status_code == 401
    assert "revoked" in vic.get("/me/watching").content.decode()
    told = list(AuditEntry.objects.order_by("pk").values_list("action", "target", "perimeter_name"))
    assert told == [("feed_key.make", "My reader", "alpha"), ("feed_key.revoke", "My reader", "alpha")]
    assert secret not in str(list(AuditEntry.objects.values()))


def test_a_name_that_is_too_long_and_too_many_keys_are_refused(world, vic, monkeypatch):
    assert vic.post("/me/feeds", {"perimeter": "alpha", "name": "x" * 201}).status_code == 422
    monkeypatch.setattr("telling.pages.own.MOST_KEYS", 0)
    assert "Revoke those" in vic.post("/me/feeds", {"perimeter": "alpha"}).content.decode()
    assert not FeedKey.objects.exists()


def test_no_log_has_a_key(client, secret, caplog, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("broken")

    caplog.set_level(logging.DEBUG)
    client.raise_request_exception = False
    client.get(f"/feeds/{secret}/nothing.atom")
    client.get(f"/feeds/{secret[:20]}{BRANCH}.atom")
    monkeypatch.setattr("catalog.pages.feeds.activity_of_branch", fail)
    assert client.get(f"/feeds/{secret}{BRANCH}.atom").status_code == 500
    said = "\n".join(map(Masking().format, caplog.records)) + repr([vars(one) for one in caplog.records])
    assert f"Internal Server Error: {BRANCH}.atom" in said
    assert secret[:20] not in said


def test_what_is_logged_before_is_masked(secret):
    record = logging.LogRecord("x", logging.ERROR, "", 0, "GET %s %s", (f"/feeds/{secret}/a", secret.upper()), None)
    assert Masking().format(record) == "GET /feeds/af_…/a af_…"
    assert masked("af_ and half_dead") == "af_ and half_dead"


def test_a_perimeter_of_that_name_is_refused(db):
    with pytest.raises(Exception, match="The site uses the name 'feeds' itself"):
        Perimeter.objects.create(name="feeds")


def test_the_migration_says_what_to_do_with_one_that_is_there(db):
    Perimeter.objects.bulk_create([Perimeter(name="feeds")])
    executor = MigrationExecutor(connection)
    operation = executor.loader.get_migration("access", "0003_feed_keys").operations[0]
    apps = executor.loader.project_state([("access", "0002_token_use")]).apps
    with pytest.raises(SystemExit, match="Rename it before you upgrade"):
        operation.code(apps, SimpleNamespace(connection=connection))


@pytest.mark.long
def test_a_served_site_writes_no_key_anywhere(tmp_path):
    make = (
        "from access.local_mode import local_user; from access.models import FeedKey, Perimeter;"
        "user = local_user(); perimeter = Perimeter.objects.get();"
        "print(FeedKey.objects.issue(user=user, perimeter=perimeter, name='')[1])"
    )
    kept_in = tmp_path / "site/catalogue.sqlite3"  # a file on both databases: it goes away below
    with served_from(tmp_path / "site", DATABASE_URL=f"sqlite:///{kept_in}") as site:
        secret = SECRET.search(site.manage("shell", "-v", "0", "-c", make))[0]
        for address, status in ((f"{secret}/default.atom", 200), (f"{secret}/a/b/c.atom", 404), (secret, 404)):
            assert requests.get(f"{site.url}/feeds/{address}", timeout=20).status_code == status
        assert requests.get(f"{site.url}/feeds/default.atom", auth=("me", secret), timeout=20).status_code == 200
        with socket.create_connection(("127.0.0.1", int(site.env["PORT"]))) as raw:
            raw.sendall(f"GET /feeds/{secret}/default.atom HTTP/1.1\r\nHost: evil\r\n\r\n".encode())
            assert b" 400 " in raw.recv(100)
        kept_in.rename(tmp_path / "gone")
        requests.get(f"{site.url}/feeds/{secret}/default.atom", timeout=20)
    kept = [file for file in (tmp_path / "site").rglob("*") if file.is_file()]
    assert "server.log" in {file.name for file in kept}
    assert [file for file in kept if secret.encode() in file.read_bytes()] == []

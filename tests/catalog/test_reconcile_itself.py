"""Reconciling without anybody's doing: beside the server, and by a button in the administration."""

import threading
import time
from http import HTTPStatus

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from access.models import Membership, Perimeter, Role
from catalog.admin import reconciling as admin_module
from catalog.jobs import background, table
from catalog.models import Instance, MissedWrite, Reconciliation
from catalog.reconciling import checks, lease
from tests.catalog.beside import Beside
from tests.catalog.kept import Metaflow
from tests.conftest import served_from

pytestmark = pytest.mark.slow

LIST = "/admin/catalog/reconciliation/"
NOW = f"{LIST}now/"


@pytest.fixture
def metaflow(tmp_path, monkeypatch):
    """A folder that Metaflow's configuration names, with one write that the catalogue has missed."""
    monkeypatch.setenv("METAFLOW_HOME", str(tmp_path / "no-configuration"))
    monkeypatch.setenv("METAFLOW_DATASTORE_SYSROOT_LOCAL", str(tmp_path))
    metaflow = Metaflow(tmp_path / ".metaflow")
    task = metaflow.task()
    task.registers()
    task.ends()
    return metaflow


class TestTheButton:
    @pytest.fixture
    def local(self, db):
        return Client(SERVER_NAME="localhost")

    def test_it_brings_the_catalogue_up_to_date_and_shows_what_it_did(self, local, metaflow):
        assert "Bring up to date from Metaflow" in local.get(LIST).content.decode()
        page = local.post(NOW, follow=True).content.decode()
        assert "1 run read, 1 write backfilled, 1 instance settled." in page
        assert Instance.objects.get().state == "ready"
        assert Reconciliation.objects.get().complete

    def test_only_a_form_of_this_site_presses_it(self, local, metaflow):
        assert local.get(NOW).status_code == HTTPStatus.METHOD_NOT_ALLOWED
        strict = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
        assert strict.post(NOW).status_code == HTTPStatus.FORBIDDEN
        assert not Reconciliation.objects.exists()

    def test_what_takes_too_long_is_gone_on_with(self, local, metaflow, monkeypatch):
        monkeypatch.setattr(admin_module, "SECONDS", -1)
        assert "It is not done yet" in local.post(NOW, follow=True).content.decode()
        monkeypatch.undo()
        assert not Instance.objects.exists()

    def test_while_another_pass_goes_it_says_so(self, local, metaflow):
        lease.HeldLease()
        assert "being brought up to date already" in local.post(NOW, follow=True).content.decode()

    def test_what_can_not_be_backfilled_is_listed_with_the_reason(self, local, metaflow):
        task = metaflow.task()
        task.registers(perimeter="<elsewhere>")
        task.ends()
        local.post(NOW)
        page = local.get("/admin/catalog/missedwrite/").content.decode()
        assert "There is no perimeter &#x27;&lt;elsewhere&gt;&#x27;." in page
        row = MissedWrite.objects.get()
        assert "As kept" in local.get(f"/admin/catalog/missedwrite/{row.pk}/change/").content.decode()
        assert str(metaflow.root) in local.get("/admin/catalog/metadatasource/").content.decode()
        assert local.get(f"{LIST}{Reconciliation.objects.get().pk}/change/").status_code == HTTPStatus.OK

    def test_it_is_for_superusers(self, client, db, settings, metaflow):
        settings.MODE, settings.LOCAL_MODE = "team", False
        eve = User.objects.create(username="eve")
        Membership.objects.create(user=eve, perimeter=Perimeter.objects.create(name="a"), role=Role.ADMIN)
        client.force_login(eve)
        assert client.post(NOW).status_code == HTTPStatus.NOT_FOUND
        for page in ("reconciliation", "missedwrite", "metadatasource"):
            assert client.get(f"/admin/catalog/{page}/").status_code == HTTPStatus.FORBIDDEN
        assert not Reconciliation.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestBesideTheServer:
    @pytest.fixture(autouse=True)
    def _at_once(self, monkeypatch):
        monkeypatch.setattr(background, "FIRST_AFTER", 0)

    def test_it_begins_by_itself_and_ends_with_the_server(self, metaflow):
        Perimeter.objects.create(name="default")
        Beside().done_once("reconcile")
        assert not [thread for thread in threading.enumerate() if thread.name == "jobs"]
        assert Instance.objects.get().state == "ready"
        assert Reconciliation.objects.get().actor == "assetsite serve"

    def test_what_goes_wrong_is_a_line_in_the_log(self, monkeypatch, caplog):
        def fail(**_):
            raise RuntimeError("the disk is full")

        monkeypatch.setattr(table, "reconcile", fail)
        Beside().done_once("reconcile")
        assert "The job 'reconcile' can't be done: RuntimeError: the disk is full" in caplog.text


@pytest.mark.both
@pytest.mark.long
def test_a_server_backfills_what_it_missed(tmp_path):
    metaflow = Metaflow(tmp_path / ".metaflow")
    task = metaflow.task()
    task.registers()
    task.ends()
    settings = {"METAFLOW_DATASTORE_SYSROOT_LOCAL": str(tmp_path), "ASSETSITE_RECONCILE_MINUTES": "5"}
    with served_from(tmp_path / "home", **settings) as site:
        until = time.monotonic() + 30
        code = "from catalog.models import Instance; print(Instance.objects.filter(state='ready').count())"
        while site.manage("shell", "-v", "0", "-c", code).strip() != "1":
            assert time.monotonic() < until, (site.home / "server.log").read_text()
    assert "1 run read, 1 write backfilled, 1 instance settled" in (site.home / "server.log").read_text()


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("/folder", "names no perimeter"),
        ("Beta=/folder", "'Beta' is not the name of a perimeter"),
        ("beta=folder", "neither an absolute folder nor the address"),
        ("beta=s3://bucket", "neither an absolute folder nor the address"),
    ],
)
def test_a_malformed_setting_is_told_by_the_check(settings, entry, problem):
    settings.RECONCILE = [entry, "*=/folder", "beta=https://service.example/", "b=~/folder"]
    (error,) = checks.check_sources(None)
    assert problem in error.msg
    with pytest.raises(CommandError, match="ASSETSITE_RECONCILE has the entry"):
        call_command("check")

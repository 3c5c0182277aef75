"""`assetsite check --deploy` tells a team what it would regret, in the names of its own settings."""

from types import SimpleNamespace

import psutil
import pytest
from django.core.checks import Tags, run_checks

from access.deployment_checks import DEPLOYMENT
from assetsite.public_address import PublicAddress
from catalog.starting import checks

KEY = "bM4Yx0oGm1kPq7Zt2Wc9Rv6Lh3Ns8Jd5Fa_Eu-Ki4Tw7Xo1Qz0Bg"


def told():
    found = run_checks(tags=[DEPLOYMENT, Tags.security], include_deployment_checks=True)
    return {problem.id for problem in found if not problem.is_silenced()}


@pytest.fixture
def team(settings):
    """A team's site of which there is nothing to regret."""
    settings.MODE, settings.LOCAL_MODE, settings.ALLOWED_HOSTS = "team", False, ["assets.example.org"]
    settings.SECRET_KEY = KEY
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_PROXY_SSL_HEADER, settings.SECURE_HSTS_SECONDS = ("HTTP_X_FORWARDED_PROTO", "https"), 1
    settings.CARD_ROOTS, settings.RECONCILE = ["s3://bucket/metaflow"], ["*=https://metadata.example.org"]
    return settings


def test_of_a_site_that_is_set_up_well_there_is_nothing_to_tell(team):
    assert told() - {"security.W020"} == set()  # Django's tests take more hosts


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("SESSION_COOKIE_SECURE", False, "access.W010"),
        ("DEBUG", True, "access.W011"),
        ("ALLOWED_HOSTS", ["*"], "access.W012"),
        ("SECRET_KEY", "changeme", "access.W013"),
        ("SECRET_KEY", "k" * 60, "access.W013"),
        ("SECRET_KEY_FALLBACKS", [KEY, "changeme"], "access.W013"),
        ("CARD_ROOTS", [], "catalog.W001"),
        ("RECONCILE", [], "catalog.W002"),
        ("CARD_ROOTS", ["s3://bucket/metaflow", "alpha=/no/such/folder"], "catalog.W003"),
        ("RECONCILE", ["*=https://metadata.example.org", "alpha=/no/such/folder"], "catalog.W004"),
    ],
)
def test_what_a_team_would_regret_is_told(team, monkeypatch, name, value, code):
    for setting in ("DATASTORE_SYSROOT_LOCAL", "DATASTORE_SYSROOT_S3", "CARD_LOCALROOT", "CARD_S3ROOT"):
        monkeypatch.delenv(f"METAFLOW_{setting}", raising=False)
    before = told()
    setattr(team, name, value)
    assert told() - before == {code}


def test_a_proxy_that_is_not_believed_is_told(team):
    team.PUBLIC_ADDRESS, team.TRUST_PROXY = PublicAddress.of("https://assets.example.org/"), True
    assert "access.W014" not in told()
    team.TRUST_PROXY = False
    assert "access.W014" in told()


def test_folders_that_can_be_read_are_fine(team, tmp_path):
    team.CARD_ROOTS, team.RECONCILE = [f"alpha={tmp_path}"], [f"alpha={tmp_path}"]
    assert not told() & {"catalog.W003", "catalog.W004"}


def test_local_mode_is_for_one_person_on_one_machine(settings):
    settings.CARD_ROOTS, settings.RECONCILE, settings.SECRET_KEY = [], [], "short"
    settings.ALLOWED_HOSTS = settings.LOCAL_HOSTS  # the tests have one more
    assert told() == set()


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("/tmp/site/catalogue.sqlite3", "catalog.W011"),
        ("/dev/shm/catalogue.sqlite3", "catalog.W011"),
        ("/mnt/team/catalogue.sqlite3", "catalog.W012"),
        ("/srv/catalogue.sqlite3", None),
        ("/mnt/teams/catalogue.sqlite3", None),
    ],
)
def test_an_unsafe_place_for_the_database_is_told(monkeypatch, file, code):
    mounts = [("/", "ext4"), ("/mnt/team", "nfs4"), ("/mnt", "xfs")]
    found = [SimpleNamespace(mountpoint=folder, fstype=kind) for folder, kind in mounts]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: found)
    monkeypatch.setattr(checks, "connection", SimpleNamespace(vendor="sqlite", settings_dict={"NAME": file}))
    assert [problem.id for problem in checks.check_place(None)] == ([code] if code else [])


@pytest.mark.both
@pytest.mark.django_db
def test_more_threads_than_connections_are_told(settings):
    settings.WORKERS, settings.THREADS = 2, 4
    assert checks.check_connections(None) == []
    settings.WORKERS = 100
    found = checks.check_connections(None)
    assert [problem.id for problem in found] == (["catalog.W013"] if checks.connection.vendor == "postgresql" else [])

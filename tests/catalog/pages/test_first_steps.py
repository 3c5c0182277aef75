"""The first steps of a project: what is filled in, what is noticed, and for whom."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import Membership, Role, Token
from catalog import recording
from catalog.entities import Entity
from catalog.models import Instance, Project
from catalog.recording import Declaration

from .conftest import text_of

PAGE = "/alpha/~first-steps"
POLL = re.compile(r'hx-get="([^"]+)"')
PART = {"HX-Target": "first-steps"}


@pytest.fixture
def ada(world):
    """An editor of alpha."""
    return world.client("ada")


def poll_of(page: str) -> str:
    return POLL.search(page.partition('id="first-steps"')[2])[1].replace("&amp;", "&")


def steps_of(client: Client, project: str = "churn") -> list[str]:
    """Those that are done."""
    twin = client.get(f"{PAGE}.json?project={project}").json()
    return [step for step, done in twin["steps"].items() if done]


def test_an_empty_home_leads_through_the_steps(ada):
    for address in ("/", "/alpha"):
        page = text_of(ada.get(address))
        assert "<h1>First steps</h1>" in page
        assert "pip install assetsite-client" in page
        assert "export ASSETSITE_URL=http://testserver\nexport ASSETSITE_TOKEN=…" in page
        assert 'project = "my_project"\nperimeter = "alpha"' in unescape(page)
        assert "class TrainFlow(ProjectFlow):" in page
        assert "ASSETSITE_HOME=~/assetsite-demo PORT=8080 assetsite demo" in page  # not into this catalogue
        assert poll_of(page).startswith(f"{PAGE}?since=")
        assert "Waiting for the first run." in page


def test_local_mode_needs_no_token_and_the_usual_perimeter_no_line(db, client, settings):
    settings.MODE, settings.LOCAL_MODE = "local", True
    page = text_of(client.get("/", REMOTE_ADDR="127.0.0.1"))
    assert "on this machine flows need no token" in page
    assert "ASSETSITE_TOKEN" not in page
    assert "perimeter =" not in page


@pytest.mark.parametrize(
    ("asked", "shown", "fits"),
    [
        ("churn", "churn", True),
        (" churn ", "churn", True),
        ("My Churn!", "my_churn", False),
        ("<script>alert(1)</script>", "script_alert_1_script", False),
        ('"\nperimeter = "other', "perimeter_other", False),
        ("é" * 4000, "e" * 128, False),
        ("李", "my_project", False),
        ("\0\ud800", "my_project", False),
    ],
)
def test_the_name_of_the_project_is_filled_in_if_it_can_be_one(ada, asked, shown, fits):
    answer = ada.get(PAGE, {"project": asked.encode("utf-8", "surrogatepass")})
    page = text_of(answer)
    assert answer.status_code == 200
    assert f'project = "{shown}"\nperimeter = "alpha"' in unescape(page)
    assert ('aria-invalid="true"' in page) is not fits
    assert "<script>alert" not in page
    twin = ada.get(f"{PAGE}.json", {"project": asked.encode("utf-8", "surrogatepass")})
    assert twin.status_code == (200 if fits else 400)


def test_each_step_is_noticed_when_rows_say_so(world, ada):
    assert steps_of(ada) == []
    world.deploy(models__churn_model=Declaration({}))
    assert steps_of(ada) == ["client", "project"]
    world.register("data/points", "TrainFlow/1/start/1", branch="user.ada", state="pending", attempt=0)
    assert steps_of(ada) == ["client", "project", "base", "lines"]
    assert "is on its way" in text_of(ada.get(f"{PAGE}?project=churn"))
    _settle(world, "failed", "TrainFlow/1/start/1")
    assert "has failed" in text_of(ada.get(f"{PAGE}?project=churn"))
    world.register("data/points", "TrainFlow/2/start/1", branch="user.ada")
    assert steps_of(ada) == ["client", "project", "base", "lines", "run"]
    newest = ada.get(f"{PAGE}.json?project=churn").json()["newest"]
    assert newest["url"] == "/alpha/churn/user_ada/data/points/v2"
    assert (newest["kind"], newest["name"], newest["branch"], newest["state"]) == (
        "data",
        "points",
        "user.ada",
        "ready",
    )
    page = text_of(ada.get(f"{PAGE}?project=churn"))
    assert "<bdi>churn</bdi> is set up" in page
    assert 'hx-trigger="every 4s" hx-target' not in page
    assert steps_of(ada, "another") == []


def _settle(world, state, task):
    how = {"entity": Entity("task", task), "attempt": 0, "uids": ()}
    recording.confirm(actor="ada", perimeter=world.alpha, state=state, reason="", **how)


def test_an_open_page_is_told_of_the_first_run_once(world, ada):
    address = poll_of(text_of(ada.get("/")))
    assert ada.get(address, headers=PART).status_code == 204
    world.register("data/points", "TrainFlow/1/start/1", branch="user.ada", state="pending", attempt=0)
    part = ada.get(address, headers=PART)
    assert part.headers["HX-Replace-Url"] == f"{PAGE}?project=churn"
    assert "<html" not in text_of(part)
    address = poll_of(text_of(part))
    assert ada.get(address, headers=PART).status_code == 204
    _settle(world, "ready", "TrainFlow/1/start/1")
    page = text_of(ada.get(address, headers=PART))
    assert "Your first run has arrived" in page
    assert "/alpha/churn/user_ada/data/points/v1" in page
    assert "hx-get" not in page
    assert "<h1>Projects</h1>" in text_of(ada.get("/"))


def test_a_page_without_a_name_waits_for_what_comes_after_it(full, ada):
    page = text_of(ada.get(PAGE))
    assert "Waiting for the first run." in page
    full.register("data/x", project="xkcd")
    part = ada.get(f"{PAGE}?since=2020-01-01T00:00:00Z&mark=no", headers=PART)
    assert part.headers["HX-Replace-Url"] == f"{PAGE}?project=churn"
    assert ada.get(f"{PAGE}?since=nonsense").status_code == 400


def test_the_token_of_a_person_is_noticed_and_nobody_elses(world, ada):
    assert "You have no token for" in text_of(ada.get("/"))
    Token.objects.issue(user=world.people["vic"], perimeter=world.alpha, role=Role.VIEWER)
    Token.objects.issue(user=world.people["olga"], perimeter=world.beta, role=Role.ADMIN)
    old, _ = Token.objects.issue(user=world.people["ada"], perimeter=world.alpha, role=Role.EDITOR)
    old.revoke()
    assert "You have no token for" in text_of(ada.get("/"))
    token, _ = Token.objects.issue(user=world.people["ada"], perimeter=world.alpha, role=Role.EDITOR)
    before = ada.get("/")
    assert f"Your token <code>{token}</code> may write here." in text_of(before)
    assert "ETag" not in before.headers
    assert steps_of(ada) == []
    Token.objects.filter(pk=token.pk).update(last_used_at=timezone.now(), last_used_from="192.0.2.7")
    page = text_of(ada.get("/"))
    assert f"<code>{token}</code> was used" in page
    assert "192.0.2.7" in page
    assert steps_of(ada) == ["client"]


def test_a_token_of_another_perimeter_is_none_for_this_one(world, ada):
    Membership.objects.create(user=world.people["ada"], perimeter=world.beta, role=Role.EDITOR)
    Token.objects.issue(user=world.people["ada"], perimeter=world.beta, role=Role.EDITOR)
    assert "You have no token for" in text_of(ada.get("/alpha"))
    assert "You have no token for" not in text_of(ada.get("/beta"))


def test_nor_is_a_project_of_the_same_name(world, ada):
    Membership.objects.create(user=world.people["ada"], perimeter=world.beta, role=Role.EDITOR)
    Project.objects.create(perimeter=world.beta, name="churn", created_at=timezone.now())
    assert steps_of(ada) == []
    assert ada.get("/beta/~first-steps.json?project=churn").json()["project"] == "churn"


def test_who_makes_tokens_is_led_there(world, ada):
    assert "/admin/access/token/add/" not in text_of(ada.get("/"))
    assert "/admin/access/token/add/" in text_of(world.client("olga").get("/"))


def test_an_empty_perimeter_leads_to_its_audit_and_its_webhooks_as_a_full_one_does(world, ada):
    def buttons(client: Client) -> list[str]:
        return re.findall(r'<a class="button" href="([^"]+)">(?:Audit|Webhooks)</a>', text_of(client.get("/alpha")))

    of_an_editor = buttons(ada)
    Membership.objects.filter(user__username="ada").update(role=Role.ADMIN)
    assert (of_an_editor, buttons(ada)) == (["/alpha/audit"], ["/alpha/audit", "/alpha/~webhooks"])
    world.register("data/x")
    assert buttons(ada) == ["/alpha/audit", "/alpha/~webhooks"]


def test_who_may_not_write_is_told_who_may(world, vic):
    for address in ("/", "/alpha", PAGE, f"{PAGE}?project=churn"):
        page = text_of(vic.get(address))
        assert "You may look at <bdi>alpha</bdi>" in page, address
        assert "<strong><bdi>ada</bdi></strong>" in page
        assert "olga" not in page
        assert "pip install" not in page
    world.register("data/x")
    assert "Add a project" not in text_of(vic.get("/"))
    assert "Add a project" in text_of(world.client("ada").get("/"))


def test_who_is_in_no_perimeter_is_told_so(world, vic):
    Membership.objects.all().delete()
    assert "You are a member of no perimeter yet." in text_of(vic.get("/"))


def test_the_steps_are_for_members_only(world, client, ada):
    answer = client.get(PAGE)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in")
    for missing in ("/beta/~first-steps", "/nowhere/~first-steps.json"):
        assert ada.get(missing).status_code == 404
    assert ada.post(PAGE).status_code == 405
    assert ada.get(f"{PAGE}.json?colour=red").status_code == 400
    assert "knows no filter 'colour'" in unescape(text_of(ada.get(f"{PAGE}?colour=red")))


def test_a_question_costs_the_same_however_much_there_is(full, ada):
    def cost(address: str, **headers: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            ada.get(address, headers=headers)
        return len(queries)

    # who is there (3); the token; and of a project: itself, its branch, what came last there
    assert cost(f"{PAGE}?project=nothing&mark=x", **PART) == 5
    assert cost(f"{PAGE}?project=churn&mark=x", **PART) == 7
    for number in range(5):
        full.register(f"data/d{number}", branch=f"feature/b{number}")
    assert cost(f"{PAGE}?project=churn&mark=x", **PART) == 7
    assert Instance.objects.count() > 5


def test_an_empty_home_costs_as_much_as_a_full_one(world, ada):
    with CaptureQueriesContext(connection) as queries:
        ada.get("/")
    # who is there (3); the marks; the projects; their branches; what waits for approval; what needs
    # attention; the token
    assert len(queries) == 9


def test_an_empty_branch_leads_to_the_steps_of_its_project(world, ada, vic):
    world.deploy(models__churn_model=Declaration({}))
    recording.delete_asset(actor="ada", asset=world.asset("models/churn_model"))
    assert f'href="{PAGE}?project=churn"' in text_of(ada.get("/alpha/churn/main"))
    assert "~first-steps" not in text_of(vic.get("/alpha/churn/main"))

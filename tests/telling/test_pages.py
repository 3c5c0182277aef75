"""The pages of webhooks: for admins; made, with a secret that is shown once; changed, tested, switched, deleted."""

import ipaddress
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from access.models import Membership, Role
from catalog.models import Delivery, Project, Webhook
from telling.sorting import sort_some
from telling.working import deliver
from tests.telling.receivers import receiver
from tests.telling.worlds import BEGIN, World

pytestmark = pytest.mark.django_db
PAGE = "/alpha/~webhooks"
SECRET = re.compile(r"whsec_[\w+/=]{40,}")


@pytest.fixture
def world(settings):
    settings.MODE, settings.LOCAL_MODE, settings.ALLOWED_HOSTS = "team", False, ["testserver"]
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    return World()


def member(world, role):
    user = User.objects.create(username=role.value)
    Membership.objects.create(user=user, perimeter=world.perimeter, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def ada(world):
    return member(world, Role.ADMIN)


def text_of(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode().replace("<wbr>", "")).split())


def test_they_are_for_admins_who_find_them_on_the_page_of_the_perimeter(world, ada):
    webhook = world.webhook()
    eve = member(world, Role.EDITOR)
    assert PAGE in ada.get("/alpha").content.decode()
    assert PAGE not in eve.get("/alpha").content.decode()
    for address in (PAGE, f"{PAGE}/{webhook.pk}"):
        assert (ada.get(address).status_code, eve.get(address).status_code) == (200, 403)
        assert eve.post(address, {"act": "delete", "url": "https://hooks.example.com"}).status_code == 403
    assert ada.get(f"{PAGE}/999").status_code == 404
    assert Webhook.objects.get().deleted_at is None


def test_a_project_that_is_called_so_keeps_its_address(world, ada):
    answer = ada.get("/alpha/webhooks")
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    Project.objects.create(perimeter=world.perimeter, name="webhooks", created_at=BEGIN)
    assert ada.get("/alpha/webhooks").context is None or ada.get("/alpha/webhooks").status_code == 200


def test_one_is_made_and_its_secret_is_shown_once(ada, world):
    form = {"url": "https://hooks.example.com/x", "name": "<ours>", "kinds": ["asset.late", "alias.moved"]}
    made = ada.post(PAGE, form)
    assert made.status_code == 201
    assert SECRET.search(made.content.decode())
    assert made["Cache-Control"] == "no-store"
    assert "&lt;ours&gt;" in made.content.decode()
    webhook = Webhook.objects.get()
    page = ada.get(f"{PAGE}/{webhook.pk}")
    assert not SECRET.search(page.content.decode())
    assert "gets alias moved, asset late" in text_of(page)
    assert "ours" in text_of(ada.get(PAGE))
    renewed = ada.post(f"{PAGE}/{webhook.pk}", {"act": "secret"})
    assert SECRET.search(renewed.content.decode()).group() != SECRET.search(made.content.decode()).group()


def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays(ada):
    answer = ada.post(PAGE, {"url": "https://10.0.0.1/", "name": "ours", "kinds": ["asset.late"]})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'id="webhook-url-problem"' in page
    assert "inside a network" in page
    assert 'value="ours"' in page
    assert 'value="asset.late" checked' in page
    assert not Webhook.objects.exists()


def test_it_is_changed_switched_and_deleted(world, ada):
    webhook = world.webhook()
    here = f"{PAGE}/{webhook.pk}"

    def act(name, **more):
        return text_of(ada.post(here, {"act": name, **more}, follow=True))

    assert "It is changed." in act("change", url=webhook.url, branch="feature/*")
    assert "on feature/*" in text_of(ada.get(here))
    assert "inside a network" in act("change", url="https://[::1]/")
    assert "It is off." in act("off")
    world.message(world.asset(branch=world.side))
    sort_some(BEGIN)
    assert "It is on." in act("on")
    assert ada.post(here, {"act": "explode"}).status_code == 400
    assert "The webhook is deleted." in act("delete")
    assert ada.get(here).status_code == 404


def test_a_test_and_a_replay_say_at_once_what_was_answered_and_the_log_has_it(world, ada):
    with receiver() as got:
        webhook = world.webhook(got.url)
        here = f"{PAGE}/{webhook.pk}"
        got.answers = lambda headers, body: (200, b"thanks <b>")
        assert "The test was taken. It answered 200." in text_of(ada.post(here, {"act": "test"}, follow=True))
        world.message()
        deliver()
        got.answers = lambda headers, body: (500, b"no")
        again = {"act": "replay", "delivery": Delivery.objects.latest("pk").pk}
        assert "It was not taken. It answered 500." in text_of(ada.post(here, again, follow=True))
    assert ada.post(here, {"act": "replay", "delivery": "x"}).status_code == 404
    log = ada.get(here).content.decode()
    assert "thanks &lt;b&gt;" in log
    assert "webhook-signature: v1,…" in text_of(ada.get(here))
    assert "model v1 is ready" in log


def test_the_page_says_when_nothing_delivers(world, ada):
    world.message()
    assert "What was to be told is late" in text_of(ada.get(PAGE))

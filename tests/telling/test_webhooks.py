"""What admins do with webhooks, by the API: made, changed, switched, tested, replayed, deleted; and what is kept."""

import ipaddress

import pytest
from standardwebhooks import Webhook as Standard

from access.models import AuditEntry, Perimeter
from catalog.models import Attention, Delivery, Project, Webhook
from catalog.states import AttentionKind, DeliveryState
from telling.sorting import sort_some
from telling.working import deliver
from tests.telling.receivers import receiver
from tests.telling.worlds import BEGIN, World

pytestmark = [pytest.mark.both, pytest.mark.django_db]
HOOKS = "/v1/perimeters/default/webhooks"
URL = "https://hooks.example.com/x"


@pytest.fixture
def got(settings):
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    with receiver() as kept:
        yield kept


@pytest.fixture
def world(api):
    """In the perimeter of local mode."""
    Perimeter.objects.filter(name="default").delete()
    return World("default")


def heard():
    return Project.objects.get().heard.split()


def audited():
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def test_one_is_made_and_its_secret_is_shown_once(api, world):
    answer = api.post(HOOKS, {"url": f" {URL} ", "name": "ours", "kinds": ["asset.late", "version.ready"]})
    assert answer.status_code == 201
    made = answer.data
    assert made["secret"].startswith("whsec_")
    kept = Webhook.objects.get()
    assert (kept.url, kept.name, kept.kinds) == (URL, "ours", ["version.ready", "asset.late"])
    assert made["secret"] not in kept.secret
    assert "secret" not in api.get(f"{HOOKS}/{made['id']}").data
    assert api.get(HOOKS).data == {"webhooks": [{name: made[name] for name in made if name != "secret"}]}
    assert heard() == ["version.ready", "asset.late"]
    assert audited() == ["webhook.make"]
    assert made["secret"] not in str(AuditEntry.objects.get().detail)


@pytest.mark.parametrize(
    ("said", "field", "why"),
    [
        ({"url": "http://ada@x/"}, "url", "user name"),
        ({"url": "https://10.0.0.1/"}, "url", "inside a network"),
        ({"url": URL, "kinds": ["webhook.test"]}, "kinds", "none of"),
        ({"url": URL, "filters": "color=red"}, "filters", "knows no parameter 'color'"),
        ({"url": URL, "filters": "since=soon"}, "filters", "since"),
        ({}, "url", "required"),
    ],
)
def test_what_can_not_be_one_is_refused_by_field(api, world, said, field, why):
    answer = api.post(HOOKS, said)
    assert answer.status_code == 400
    assert why in str(answer.data)
    assert field in str(answer.data["detail"])
    assert not Webhook.objects.exists()


def test_it_is_changed_in_part_and_the_audit_log_has_what(api, world):
    webhook = world.webhook(kinds=["asset.late"])
    at = f"{HOOKS}/{webhook.pk}"
    assert api.patch(at, {"branch": "feature/*"}).data["branch"] == "feature/*"
    assert api.patch(at, {"kinds": []}).data["kinds"] == []
    assert len(heard()) == 16
    assert api.patch(at, {}).status_code == 200
    assert api.patch(at, {"url": "ftp://x"}).status_code == 400
    details = list(AuditEntry.objects.order_by("pk").values_list("detail", flat=True))
    assert details == [{"branch": "feature/*"}, {"kinds": []}]


def test_it_is_switched_off_and_on_and_goes_on_with_what_waits(api, world, got):
    webhook = world.webhook(got.url)
    at = f"{HOOKS}/{webhook.pk}"
    world.message()
    sort_some(BEGIN)
    Delivery.objects.update(tries=7, failing_since=BEGIN, state=DeliveryState.SET_ASIDE)
    off = api.patch(at, {"on": False}).data
    assert (off["on"], off["off_why"]) == (False, "It was switched off by hand.")
    assert heard() == []
    assert deliver() == ""
    assert api.patch(at, {"on": True}).data["on"] is True
    assert deliver() == "1 message delivered"
    assert Delivery.objects.get().tries == 1
    assert audited() == ["webhook.off", "webhook.on"]


def test_a_test_is_sent_at_once_and_its_answer_is_told_and_kept(api, world, got):
    webhook = world.webhook(got.url, name="ours")
    got.answers = lambda headers, body: (200, b"thanks")
    result = api.post(f"{HOOKS}/{webhook.pk}/test", {}).data
    assert result["delivered"] is True
    assert (result["result"]["status"], result["result"]["answer"]) == (200, "thanks")
    headers, body = got.got[0]
    message = Standard(world.secret).verify(body.decode(), headers)
    assert message["type"] == "webhook.test"
    assert "a test of the webhook ours" in message["data"]["sentence"]
    got.answers = lambda headers, body: (500, b"no")
    assert api.post(f"{HOOKS}/{webhook.pk}/test", {}).data["delivered"] is False
    assert deliver() == ""
    log = api.get(f"{HOOKS}/{webhook.pk}/deliveries").data
    assert [row["state"] for row in log["deliveries"]] == ["given up", "delivered"]
    tried = log["deliveries"][1]["log"][0]
    assert tried["request_headers"]["webhook-signature"] == "v1,…"
    assert tried["by"]
    assert log["deliveries"][1]["body"] == message
    assert audited() == ["webhook.test", "webhook.test"]
    assert log["older"] is None


def test_the_log_goes_on_page_by_page(api, world, monkeypatch):
    monkeypatch.setattr("telling.api.views.ROWS", 2)
    webhook = world.webhook()
    for _ in range(5):
        world.message()
    sort_some(BEGIN)
    at, seen = f"{HOOKS}/{webhook.pk}/deliveries", []
    page = api.get(at).data
    while True:
        seen += [row["body"]["data"]["number"] for row in page["deliveries"]]
        if page["older"] is None:
            break
        page = api.get(f"{at}?before={page['older']}").data
    assert seen == [5, 4, 3, 2, 1]
    assert api.get(f"{at}?before=x").status_code == 400


def test_what_was_delivered_set_aside_or_given_up_is_sent_once_more(api, world, got):
    webhook = world.webhook(got.url)
    for _ in range(3):
        world.message(world.asset(str(_)))
    sort_some(BEGIN)
    rows = list(Delivery.objects.order_by("pk"))
    states = [DeliveryState.DELIVERED, DeliveryState.SET_ASIDE, DeliveryState.GIVEN_UP]
    for row, state in zip(rows, states, strict=True):
        Delivery.objects.filter(pk=row.pk).update(state=state)
        assert api.post(f"{HOOKS}/{webhook.pk}/deliveries/{row.pk}/replay", {}).data["delivered"] is True
    assert got.ids == [row.message.uid for row in rows]
    assert set(Delivery.objects.values_list("state", flat=True)) == {DeliveryState.DELIVERED}
    got.answers = lambda headers, body: (500, b"")
    assert api.post(f"{HOOKS}/{webhook.pk}/deliveries/{rows[0].pk}/replay", {}).data["delivered"] is False
    assert Delivery.objects.get(pk=rows[0].pk).state == DeliveryState.DELIVERED


def test_what_waits_is_sent_in_its_turn_when_it_is_asked_for_again(api, world, got):
    webhook = world.webhook(got.url)
    world.message()
    sort_some(BEGIN)
    row = Delivery.objects.get()
    Delivery.objects.update(next_at=BEGIN.replace(year=2100))
    at = f"{HOOKS}/{webhook.pk}/deliveries/{row.pk}/replay"
    assert api.post(at, {}).data == {"delivered": None, "result": None}
    assert deliver() == "1 message delivered"
    api.patch(f"{HOOKS}/{webhook.pk}", {"on": False})
    assert api.post(at, {}).status_code == 409


def test_a_new_secret_signs_from_now_on_also_where_the_old_one_was_lost(api, world, got, settings):
    webhook = world.webhook(got.url, off_at=BEGIN, off_why="lost")
    Webhook.objects.update(secret="of another key")
    at = f"{HOOKS}/{webhook.pk}"
    assert api.patch(at, {"on": True}).status_code == 409
    secret = api.post(f"{at}/secret", {}).data["secret"]
    assert api.patch(at, {"on": True}).status_code == 200
    api.post(f"{at}/test", {})
    headers, body = got.got[0]
    assert Standard(secret).verify(body.decode(), headers)


def test_with_a_deleted_one_goes_what_waits_and_what_was_said_of_it(api, world):
    webhook = world.webhook()
    world.message()
    sort_some(BEGIN)
    about = {"perimeter": world.perimeter, "since": BEGIN}
    Attention.objects.create(kind=AttentionKind.DELIVERY, subject=f"webhook:{webhook.pk}", **about)
    assert api.delete(f"{HOOKS}/{webhook.pk}").status_code == 204
    assert Delivery.objects.get().state == DeliveryState.GIVEN_UP
    assert not Attention.objects.filter(until=None).exists()
    assert api.get(f"{HOOKS}/{webhook.pk}").status_code == 404
    assert api.get(HOOKS).data == {"webhooks": []}
    assert heard() == []


def test_a_perimeter_has_no_more_than_it_can_use(api, world, monkeypatch):
    monkeypatch.setattr("telling.webhooks.MOST", 1)
    assert api.post(HOOKS, {"url": URL}).status_code == 201
    assert api.post(HOOKS, {"url": URL}).status_code == 409

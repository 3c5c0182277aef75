"""Mail: what people watch arrives once, safe to read, while they may see it; and one click stops it."""

import email
import email.policy
import re
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.db import transaction
from django.test import Client

from access.models import Membership
from assetsite.public_address import PublicAddress
from catalog.models import Delivery, DeliveryTry, Project, Subscription
from catalog.states import DeliveryState, EventKind
from telling import letters, mailing
from telling.backoff import WAITS
from telling.checks import check_mail
from telling.lag import lag
from telling.letters import Letter, one_line
from telling.mailing import CLAIMED_FOR, claim, send_mail
from telling.sorting import sort_some
from tests.telling.worlds import BEGIN, SECOND, World

pytestmark = [pytest.mark.both, pytest.mark.django_db]
HOUR = timedelta(hours=1)


@pytest.fixture
def world(settings):
    settings.MODE, settings.LOCAL_MODE, settings.ALLOWED_HOSTS = "team", False, ["testserver"]
    settings.EMAIL_FROM = "Assets <assets@example.org>"
    settings.PUBLIC_ADDRESS = PublicAddress.of("https://assets.example.org")
    world = World()
    world.vic = User.objects.create(username="vic", email="vic@example.org")
    Membership.objects.create(user=world.vic, perimeter=world.perimeter)
    return world


def watching(world, **columns):
    given = {"user": world.vic, "branch": world.main, "perimeter": world.perimeter, "created_at": BEGIN} | columns
    return Subscription.objects.create(**given)


def told(world, count=1, asset=None, **columns):
    """Messages of now, sorted."""
    made = [world.message(asset, created_at=datetime.now(tz=UTC), **columns) for _ in range(count)]
    sort_some()
    return made


def states():
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def test_what_comes_together_is_one_mail_and_is_sent_once(world):
    watching(world)
    asset = world.asset()
    told(world, 3, asset)
    assert send_mail() == "1 mail sent"
    assert send_mail() == ""
    (sent,) = mail.outbox
    assert (sent.to, sent.from_email) == (["vic@example.org"], "Assets <assets@example.org>")
    assert sent.subject == "[alpha/churn] main: 3 events just now"
    assert [f"model v{number} is ready" in sent.body for number in (1, 2, 3)] == [True] * 3
    assert states() == [DeliveryState.DELIVERED] * 3
    told(world, 1, asset)
    assert send_mail() == "1 mail sent"
    assert mail.outbox[1].subject == "[alpha/churn] model v4 is ready"


def test_it_says_where_why_and_how_to_stop(world):
    row = watching(world, asset=world.asset(name="Churn model"), kinds=["version.ready", "asset.late"])
    version = {"url": "/alpha/churn/main/models/model/v3"}
    told(world, 1, row.asset, body={"sentence": "v3 is ready", "version": version, "asset": {"url": "/x"}})
    send_mail()
    (sent,) = mail.outbox
    html = sent.alternatives[0].content
    for text in (sent.body, unescape(html)):
        assert "https://assets.example.org/alpha/churn/main/models/model/v3" in text
        assert "https://assets.example.org/alpha/churn/main/models/model/watch" in text
        assert "https://assets.example.org/me/unsubscribe/" in text
        assert "Churn model" in text
        assert "version ready, asset late" in text
    headers = sent.message()
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["List-Unsubscribe"].startswith("<https://assets.example.org/me/unsubscribe/")
    assert headers["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"<msg_\w+\.msg_\w+\.\d+@assets\.example\.org>", headers["Message-ID"])


def test_the_text_of_users_is_harmless(world):
    evil = 'v1\r\nBcc: all@example.org\x07 <script>alert(1)</script> \u202e"&' + "x" * 5000
    row = watching(world, asset=world.asset(name="a\nb<i>"))
    told(world, 1, row.asset, body={"sentence": evil})
    send_mail()
    (sent,) = mail.outbox
    assert len(sent.subject) <= letters.LONGEST_SUBJECT
    assert not set("\r\n\x07\u202e") & set(sent.subject)
    html = sent.alternatives[0].content
    assert "<script>" not in html
    assert "<i>" not in html
    assert "\x07" not in html + sent.body
    assert "\u202e" not in html + sent.body
    assert sent.message()["Bcc"] is None
    assert one_line("a\u2028b\tc\ud800") == "a b c"


def test_of_many_some_are_shown_and_all_are_told(world, monkeypatch):
    monkeypatch.setattr(mailing, "SHOWN", 2)
    watching(world)
    told(world, 5)
    assert send_mail() == "1 mail sent"
    assert "And 3 more." in mail.outbox[0].body
    assert "3 more" in mail.outbox[0].alternatives[0].content
    assert set(states()) == {DeliveryState.DELIVERED}


def test_daily_mail_waits_for_the_morning_and_has_all(world):
    watching(world, daily=True)
    told(world, 2)
    told(world, 1)
    assert send_mail() == ""
    assert lag(datetime.now(tz=UTC)).due == 0
    Delivery.objects.update(next_at=BEGIN)
    assert lag(datetime.now(tz=UTC)).due > 0
    assert send_mail() == "1 mail sent"
    assert mail.outbox[0].subject == "[alpha/churn] main: 3 events since yesterday"


@pytest.mark.parametrize("how", ["left", "closed", "no address"])
def test_who_is_gone_meanwhile_gets_nothing(world, how):
    watching(world)
    told(world)
    if how == "left":
        Membership.objects.all().delete()
    User.objects.update(**{"closed": {"is_active": False}, "no address": {"email": ""}}.get(how, {}))
    assert send_mail() == ""
    assert (states(), mail.outbox) == ([DeliveryState.GIVEN_UP], [])


def test_what_fails_is_tried_again_and_given_up_at_last(world, monkeypatch):
    def refuse(self, messages):
        raise OSError("no room")

    watching(world)
    told(world)
    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        for tries in range(1, len(WAITS) + 2):
            assert send_mail() == ""
            row = Delivery.objects.get()
            assert row.tries == tries
            assert send_mail() == ""
            since = row.failing_since - HOUR if tries == 3 else row.failing_since
            Delivery.objects.update(next_at=BEGIN, failing_since=since)
    assert (row.state, row.done_at is None) == (DeliveryState.GIVEN_UP, False)
    assert send_mail() == ""
    assert set(DeliveryTry.objects.values_list("error", flat=True)) == {"OSError: no room"}
    assert DeliveryTry.objects.count() == len(WAITS) + 1


def test_a_server_that_is_away_is_asked_once_in_a_turn(world, monkeypatch):
    asked = []
    monkeypatch.setattr("django.core.mail.backends.base.BaseEmailBackend.open", lambda self: asked.append(1) or 1 / 0)
    for name in ("eve", "bob"):
        User.objects.create(username=name, email=f"{name}@example.org", is_superuser=True)
    for user in User.objects.all():
        watching(world, user=user)
    told(world)
    assert send_mail() == ""
    assert (len(asked), mail.outbox) == (1, [])
    assert Delivery.objects.filter(tries=1).count() == 1
    monkeypatch.undo()
    assert send_mail() == "2 mails sent"


def test_what_one_worker_has_no_other_takes_until_its_claim_runs_out(world):
    watching(world)
    told(world, 2)
    now = datetime.now(tz=UTC)
    mine = claim(now)
    assert mine.rows.count() == 2
    assert claim(now) is None
    assert send_mail() == ""
    again = claim(now + CLAIMED_FOR + SECOND)
    assert again.rows.count() == 2
    assert mailing.delivered(mine, now) == 0
    assert (
        again.letter().headers["Message-ID"]
        == Letter(mine.subscription, again.letter().messages, 2).headers["Message-ID"]
    )
    with transaction.atomic():
        assert mailing.delivered(again, now) == 2


def test_a_link_in_the_mail_stops_it_without_signing_in(world):
    row = watching(world, kinds=["asset.late"])
    other = watching(world, asset=world.asset())
    told(world, kind=EventKind.LATE)
    send_mail()
    link = mail.outbox[0].message()["List-Unsubscribe"].strip("<>").removeprefix("https://assets.example.org")
    client = Client(enforce_csrf_checks=True)
    shown = client.get(link).content.decode()
    assert "Stop this mail?" in shown
    assert Subscription.objects.count() == 2
    assert client.post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert list(Subscription.objects.all()) == [other]
    assert "You get no more of this mail" in client.post(link).content.decode()
    assert "You get no more of this mail" in client.get(link).content.decode()
    assert not Delivery.objects.filter(subscription=row.pk).exists()
    assert Project.objects.get().heard
    for wrong in (link[:-1], f"{link}x", "/me/unsubscribe/1"):
        assert client.post(wrong).status_code == 404
    assert list(Subscription.objects.all()) == [other]


@contextmanager
def server():
    """A server that takes mail, as far as `smtplib` asks: the lines that each client sent."""
    got: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        client, _ = listening.accept()
        with client, client.makefile("rwb", 0) as lines:
            lines.write(b"220 here\r\n")
            while line := lines.readline():
                got.append(line)
                if line.upper().startswith(b"DATA"):
                    lines.write(b"354 go on\r\n")
                    while (line := lines.readline()) != b".\r\n":
                        got.append(line)
                    line = b"."
                lines.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 yes\r\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listening.getsockname()[1], got
    thread.join(5)
    listening.close()


def test_a_server_without_a_public_address_is_told_by_the_checks(world, settings):
    assert check_mail(None) == []
    settings.PUBLIC_ADDRESS = None
    (found,) = check_mail(None)
    assert (found.id, "ASSETSITE_PUBLIC_URL" in found.hint) == ("telling.W001", True)
    settings.EMAIL_FROM = ""
    assert check_mail(None) == []


def test_a_real_server_gets_it(world, settings):
    with server() as (port, got):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        watching(world)
        told(world, body={"sentence": "Größe v1 is ready"})
        assert send_mail() == "1 mail sent"
    said = b"".join(got).lower()  # Pythons differ in how they write the words of SMTP
    assert b"mail from:<assets@example.org>" in said
    assert b"rcpt to:<vic@example.org>" in said
    begin = next(place for place, line in enumerate(got) if line.upper().startswith(b"DATA")) + 1
    read = email.message_from_bytes(b"".join(got[begin:-1]), policy=email.policy.default)
    assert read["Subject"] == "[alpha/churn] Größe v1 is ready"
    assert [part.get_content_type() for part in read.iter_parts()] == ["text/plain", "text/html"]

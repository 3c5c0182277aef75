"""What projects are heard for, which says whether writes tell anything."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from access.models import Perimeter
from catalog.counters import Recount
from catalog.models import Asset, Message, Project, Subscription, Webhook
from catalog.outbox import TELLABLE, keep_heard
from tests.conftest import Api

pytestmark = pytest.mark.both

ALL = " ".join(TELLABLE)
READY = "version.ready"


class Ears:
    """Two projects of a perimeter, and one of another."""

    def __init__(self) -> None:
        self.alpha, self.beta = (Perimeter.objects.create(name=name) for name in ("alpha", "beta"))
        for perimeter, name in ((self.alpha, "a"), (self.alpha, "b"), (self.beta, "a")):
            Project.objects.create(perimeter=perimeter, name=name, created_at=timezone.now())

    def webhook(self, **said: Any) -> Webhook:
        made = {"url": "https://hooks.example/x", "secret": "s", "created_by": "ada", "created_at": timezone.now()}
        webhook = Webhook.objects.create(**{"perimeter": self.alpha, **made, **said})
        keep_heard(self.alpha.pk)
        return webhook

    def heard(self) -> list[str]:
        return list(Project.objects.order_by("pk").values_list("heard", flat=True))


@pytest.fixture
def ears(db) -> Ears:
    return Ears()


def test_a_project_is_heard_for_what_any_webhook_of_it_wants(ears):
    one = ears.webhook(project="a", kinds=["asset.late", "version.ready"])
    assert ears.heard() == ["version.ready asset.late", "", ""]
    two = ears.webhook(kinds=["asset.deleted"], branch="feature/*")
    assert ears.heard() == ["version.ready asset.late asset.deleted", "asset.deleted", ""]
    everything = ears.webhook(project="b")
    assert ears.heard() == ["version.ready asset.late asset.deleted", ALL, ""]
    Webhook.objects.filter(pk=one.pk).update(off_at=timezone.now())
    Webhook.objects.filter(pk=two.pk).update(deleted_at=timezone.now())
    everything.delete()
    keep_heard(ears.alpha.pk)
    assert ears.heard() == ["", "", ""]


def test_a_project_is_heard_for_what_its_subscribers_want(api, django_assert_num_queries):
    api.register()
    project, asset = Project.objects.get(), Asset.objects.get(asset_id="xkcd")
    made = {"perimeter": project.perimeter, "user": User.objects.get(), "created_at": timezone.now()}
    Subscription.objects.create(branch=asset.branch, asset=asset, kinds=["asset.late"], **made)
    with django_assert_num_queries(5):  # the lock, projects, webhooks, subscriptions, and the one that differs
        keep_heard(project.perimeter_id)
    assert Project.objects.get().heard == "asset.late"
    with django_assert_num_queries(4):
        keep_heard(project.perimeter_id)


def test_a_new_project_is_heard_from_its_first_write_on(api, ears):
    api.register()
    assert not Message.objects.exists()
    perimeter = Perimeter.objects.get(name="default")
    ears.webhook(perimeter=perimeter, kinds=[READY])
    new = Api(api.client, branch=api.branch.replace("churn", "new"))
    new.register()
    assert Project.objects.get(name="new").heard == READY
    assert [message.body["sentence"] for message in Message.objects.all()] == ["v1 of xkcd is ready."]


def test_recounting_corrects_who_listens(ears):
    ears.webhook(kinds=["asset.late"])
    Recount().run()
    Project.objects.filter(name="b").update(heard="asset.deleted")
    assert Recount().run().corrections == [f"Project {Project.objects.get(name='b').pk}: heard"]
    assert ears.heard() == ["asset.late", "asset.late", ""]

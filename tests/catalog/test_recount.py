"""Derived data equal the events after any history of writes; if they don't, recount repairs them."""

import random
import threading
import time
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.test import Client

from catalog import wrong_facts
from catalog.counters import Recount
from catalog.entities import Entity
from catalog.models import (
    Alias,
    Asset,
    Branch,
    Component,
    Consumption,
    Deletion,
    Deprecation,
    Edge,
    Instance,
    Promotion,
)
from catalog.name_starts import add_names
from catalog.recording import clear_override, override_property, undo_deprecation
from tests.built_once import built_once
from tests.catalog.wire import PERIMETER, declaration, definition, deploy_body, spec_body, task
from tests.conftest import POSTGRES, Api

pytestmark = [pytest.mark.both, pytest.mark.slow]

BRANCHES = [f"{PERIMETER}/projects/{name}/branches/{key}" for name in ("churn", "comics") for key in ("main", "x")]
ASSETS = [f"{kind}/{name}" for kind in ("data", "models") for name in ("a", "b")]
HOUR = timedelta(hours=1)
TASKS = ["Train/1/s/1", "Train/2/s/1", "Score/1/s/1", "Score/1/s/2"]


class History:
    """A random but repeatable sequence of writes of every kind, over few names so that they meet."""

    def __init__(self, api, seed):
        self.api, self.chance = api, random.Random(seed)
        self.acts = [self.register] * 6 + [self.consume] * 4 + [self.confirm] * 3 + [self.alias] * 3
        self.acts += [self.delete_alias, self.delete, self.declare, self.deploy, self.spec, self.override, self.forget]
        self.acts += [self.deprecate] * 4 + [self.undo] * 2 + [self.recover, self.recover]

    def run(self, acts):
        for _ in range(acts):
            answer = self.chance.choice(self.acts)()
            assert answer is None or answer.status_code in (200, 201, 204, 400, 404, 409), answer.content

    def until(self, there, *acts):
        """Go on with some acts until something is there."""
        for _ in range(100):
            if there.exists():
                return
            for act in acts:
                act()

    def task(self):
        return task(self.chance.choice(TASKS))

    def place(self):
        return f"{self.chance.choice(BRANCHES)}/{self.chance.choice(ASSETS)}"

    def register(self):
        path = self.place()
        kind = "data_asset_kind" if "/data/" in path else "model_asset_kind"
        body = {"entity_ref": self.task(), kind: "s3", "state": self.chance.choice(["ready", "pending"])}
        if self.chance.random() < 0.7:
            body["attempt"] = self.chance.randrange(3)
        source = self.any_of(Instance.objects.all()) if self.chance.random() < 0.3 else None
        if source:
            body["annotations"] = {"promoted_from_instance": self.chance.choice([source.uid, "i_unknown"])}
        return self.api.patch(path, body)

    def consume(self):
        body = {"entity_ref": self.task(), "role": self.chance.choice([None, None, "baseline", "evaluation"])}
        if self.chance.random() < 0.7:
            body["attempt"] = self.chance.randrange(3)
        if self.chance.random() < 0.5:
            body["consumer"] = {"project": "other", "branch": self.chance.choice(["main", "feature/x", "feature-x"])}
        reference = self.chance.choice(["latest", "latest", "v1", "@p"])
        return self.api.put(f"{self.place()}/instances/{reference}", body)

    def confirm(self):
        body = {"entity_ref": self.task(), "attempt": self.chance.choice([None, 0, 1, 2])}
        return self.api.post(f"{PERIMETER}/confirmations", body | {"state": self.chance.choice(["ready", "failed"])})

    def alias(self):
        path = self.place()
        reference = self.chance.choice(["latest", "latest-1", "v1"])
        found = self.api.get(f"{path}/instances/{reference}")
        if found.status_code == 404:
            return found
        body = {"entity_ref": self.task(), "instance_id": found.data["id"]}
        return self.api.put(f"{path}/aliases/{self.chance.choice('pqr')}", body)

    def delete_alias(self):
        return self.api.delete(f"{self.place()}/aliases/{self.chance.choice('pqr')}")

    def delete(self):
        return self.api.delete(self.place())

    def recover(self):
        if gone := self.any_of(Asset.objects.exclude(deleted_at=None).select_related("branch__project")):
            at = f"{PERIMETER}/projects/{gone.branch.project.name}/branches/{gone.branch.key}"
            return self.api.post(f"{at}/{gone.kind}/{gone.asset_id}/recover", {})

    def deprecate(self):
        reference = self.chance.choice(["v1", "v2", "v3", "@p"])
        return self.api.put(f"{self.place()}/instances/{reference}/deprecation", {"reason": self.chance.choice("xy")})

    def undo(self):
        if instance := self.any_of(Instance.objects.filter(asset__deleted_at=None).exclude(deprecation=None)):
            undo_deprecation(actor="ada", asset=instance.asset, target_uid=instance.uid, entity=Entity("user", "ada"))

    def declare(self):
        path = self.place()
        kind = "data" if "/data/" in path else "model"
        return self.api.patch(path, declaration(self.chance.choice(["h1", "h2"]), kind=kind))

    def deploy(self):
        owner = {"owner": self.chance.choice(["ada", "eve"])}
        names = [path.split("/") for path in self.chance.sample(ASSETS, 2)]
        body = deploy_body(*(definition(name, kind, properties=owner) for kind, name in names))
        return self.api.post(f"{self.chance.choice(BRANCHES)}/deploys", body)

    def spec(self):
        spec = {"data": [{"id": "a", "description": self.chance.choice("xyz")}], "title": "T"}
        return self.api.post(f"{PERIMETER}/flowprojects", spec_body(spec, branch=self.chance.choice(["main", "x"])))

    def any_of(self, assets):
        found = list(assets.order_by("pk"))
        return self.chance.choice(found) if found else None

    def override(self):
        if asset := self.any_of(Asset.objects.live()):
            override_property(user=None, actor="ada", asset=asset, key="owner", value=self.chance.choice("xyz"))

    def forget(self):
        if asset := self.any_of(Asset.objects.filter(overrides__isnull=False)):
            clear_override(user=None, actor="ada", asset=asset, key="owner")


@pytest.mark.sample(1)
@pytest.mark.parametrize("seed", [1, 2])
def test_recount_corrects_nothing_after_any_history(api, seed):
    history = History(api, seed)
    history.run(120)
    history.until(Deletion.objects.filter(recovered=True), history.register, history.delete, history.recover)
    history.until(Deprecation.objects.filter(undone=True), history.register, history.deprecate, history.undo)
    history.until(Instance.objects.exclude(deprecation=None), history.register, history.deprecate)
    assert Asset.objects.filter(deleted_at=None).exists()
    assert Asset.objects.exclude(deleted_at=None).exists()
    assert Instance.objects.filter(state_reason__startswith="superseded").exists()
    assert Promotion.objects.exists()
    assert Promotion.objects.filter(source=None).exists()
    assert Edge.objects.filter(count=0).exists()
    assert Consumption.objects.filter(failed=True).exists()
    assert Deletion.objects.filter(recovered=True).exists()
    assert Deprecation.objects.filter(undone=True).exists()
    assert Instance.objects.exclude(deprecation=None).exists()
    done = Recount().run()
    assert done.corrections == []
    assert done.assets == Asset.objects.count()
    for asset in Asset.objects.all():
        numbers = asset.instances.order_by("number").values_list("number", flat=True)
        assert list(numbers) == list(range(1, asset.last_number + 1))


@pytest.fixture
def healthy(api):
    built_once(register_all, api)
    return api


def register_all(api):
    """A small catalogue with every kind of derived fact."""
    made = api.register()
    api.register(state="pending", task="F/2/s/1")
    api.consume("data/xkcd/instances/v1")
    api.consume("data/xkcd/instances/v1", role="baseline")
    api.consume("data/xkcd/instances/v1", role="evaluation", attempt=0)
    api.post(f"{PERIMETER}/confirmations", {"entity_ref": task("Reader/1/start/1"), "attempt": 0, "state": "failed"})
    api.post("deploys", deploy_body(definition("xkcd"), definition("llm", "models")))
    api.put("data/xkcd/aliases/p", {"entity_ref": task("F/1/s/1"), "instance_id": made["id"]})
    for source in (made["id"], "i_unknown"):
        api.register("data/stable", annotations={"promoted_from_instance": source})
    api.register("data/failed", state="pending", task="G/1/s/1")
    api.post(f"{PERIMETER}/confirmations", {"entity_ref": task("G/1/s/1"), "state": "failed"})
    assert Asset.objects.get(asset_id="failed").failed_at is not None
    main = Branch.objects.get()
    add_names(Branch.objects.create(project=main.project, key="other", created_at=main.created_at))
    assert Recount().run().corrections == []


def derived():
    """All derived columns and rows, but for the keys of edges, and the marks of what was written."""
    edges = list(Edge.objects.order_by("asset", "component", "direction", "write_branch", "role").values())
    promotions = list(Promotion.objects.order_by("source", "target").values())
    for row in [*edges, *promotions]:
        del row["id"]
    assets, *others = [list(model.objects.order_by("pk").values()) for model in (Asset, Branch, Alias)]
    for row in [*assets, *others[0], *edges]:
        del row["changed"]
    return assets, *others, edges, promotions


@pytest.mark.each
@pytest.mark.sample(18)
@pytest.mark.parametrize(
    "corrupt",
    [
        lambda: Asset.objects.update(last_number=7),
        lambda: Asset.objects.update(ready_count=F("ready_count") + 3),
        lambda: Asset.objects.update(newest=None),
        lambda: Asset.objects.update(newest_ready=None),
        lambda: Asset.objects.update(newest_ready=Instance.objects.get(number=2, asset__asset_id="xkcd")),
        lambda: Asset.objects.update(refreshed_at=None),
        lambda: Asset.objects.update(ready_number=7),
        lambda: Asset.objects.update(failed_at=F("newest_at")),
        lambda: Alias.objects.update(branch=Branch.objects.get(key="other")),
        lambda: Edge.objects.update(branch=Branch.objects.get(key="other")),
        lambda: Asset.objects.update(properties={"no": "more"}),
        lambda: Asset.objects.update(alias_index={"q": "i_x"}),
        lambda: Asset.objects.update(consumer_count=9),
        lambda: Branch.objects.update(data_count=9),
        lambda: Branch.objects.update(models_count=0),
        lambda: Branch.objects.update(spec=None),
        lambda: Edge.objects.update(count=9),
        lambda: Edge.objects.update(first_at=F("last_at"), last_instance=None),
        lambda: Edge.objects.update(last_entity_id="x", write_branch_name="y"),
        lambda: Edge.objects.all().delete(),
        lambda: Promotion.objects.all().delete(),
        lambda: Promotion.objects.update(count=5),
        lambda: Promotion.objects.filter(source=None).update(source=F("target")),
        lambda: Promotion.objects.update(last_instance=None),
        lambda: Promotion.objects.filter(source=None).delete(),
        lambda: Promotion.objects.exclude(source=None).update(first_at=F("last_at") - HOUR),
        lambda: Edge.objects.filter(role="baseline").update(role="other"),
        lambda: Edge.objects.filter(role="evaluation").delete(),
        lambda: Edge.objects.filter(count=0).update(count=1),
        lambda: Edge.objects.filter(count=0).update(last_instance=None),
        lambda: Edge.objects.filter(direction="promoted").update(direction="produces"),
        lambda: Edge.objects.filter(direction="consumes").delete(),
        lambda: Edge.objects.filter(direction="consumes").update(
            component=Component.objects.create(
                perimeter_id=Component.objects.first().perimeter_id, project_name="p", kind="flow", name="Nobody"
            )
        ),
    ],
)  # fmt: skip
def test_recount_repairs_what_is_wrong(healthy, corrupt):
    right = derived()
    corrupt()
    assert derived() != right
    assert Recount().run().corrections
    assert derived() == right
    assert Recount().run().corrections == []


def test_the_command_says_what_it_corrected(healthy):
    asset = Asset.objects.get(asset_id="xkcd")
    Asset.objects.filter(pk=asset.pk).update(last_number=9, ready_count=9)
    out = StringIO()
    call_command("recount", stdout=out)
    assert out.getvalue().splitlines() == [
        f"Asset {asset.pk}: last_number, ready_count",
        "4 assets recounted, 1 correction.",
    ]


def test_a_recount_locks_no_asset_that_is_right(healthy, monkeypatch):
    monkeypatch.setattr(Recount, "_asset", lambda self, asset: pytest.fail(f"{asset} is right"))
    assert Recount().run().corrections == []


def test_many_assets_are_read_in_batches_of_not_too_many_instances(healthy, monkeypatch):
    keys = list(Asset.objects.order_by("pk").values_list("pk", flat=True))
    assert list(wrong_facts.batches(keys)) == [keys]
    monkeypatch.setattr(wrong_facts, "INSTANCES_AT_ONCE", 1)
    assert [key for batch in wrong_facts.batches(keys) for key in batch] == keys
    assert len(list(wrong_facts.batches(keys))) > 1
    assert Recount().run().corrections == []


@pytest.mark.skipif(not POSTGRES, reason="several writers at once")
def test_a_recount_corrects_only_what_was_wrong_while_others_write(transactional_db):
    api, over = Api(Client(SERVER_NAME="localhost")), threading.Event()
    for asset in ("data/a", "data/b"):
        api.register(asset)
        api.consume(f"{asset}/instances/v1")
    written = []

    def write(asset):
        writer = Api(Client(SERVER_NAME="localhost"))
        while not over.is_set():
            made = writer.register(asset, state="pending", task=f"F/{len(written)}/s/1")
            writer.consume(f"{asset}/instances/latest")
            state = "failed" if made["number"] % 3 == 0 else "ready"
            writer.post(f"{PERIMETER}/confirmations", {"entity_ref": made["created_by"], "state": state})
            written.append(made)
        connection.close()

    writers = [threading.Thread(target=write, args=(asset,)) for asset in ("data/a", "data/b")]
    for writer in writers:
        writer.start()
    try:
        while len(written) < 5:
            time.sleep(0.01)
        assert [Recount().run().corrections for _ in range(10)] == [[]] * 10
        edge = Edge.objects.get(asset__asset_id="a", direction="consumes")
        Edge.objects.filter(pk=edge.pk).update(count=F("count") + 1_000)
        assert Recount().run().corrections == [f"Edge {edge.pk}: count"]
    finally:
        over.set()
        for writer in writers:
            writer.join()
    assert Recount().run().corrections == []

"""From writes to a receiver: each event once, in order, with a right signature; also when workers are killed."""

import ipaddress
import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest
from standardwebhooks import Webhook

from telling.working import deliver
from tests import migrated
from tests.catalog.wire import TASK
from tests.places import ASSETSITE, CHECKOUT, MANAGE
from tests.telling.receivers import receiver


@pytest.mark.both
@pytest.mark.django_db
def test_a_receiver_gets_what_was_written_each_once_in_order_and_signed(api, settings):
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    with receiver() as got:
        made = api.post("/v1/perimeters/default/webhooks", {"url": got.url, "filters": "text=xkcd"}).data
        first = api.register(state="pending")
        api.post("/v1/perimeters/default/confirmations", {"entity_ref": TASK, "state": "ready"})
        api.put("data/xkcd/aliases/production", {"entity_ref": TASK, "instance_id": first["id"]})
        api.register("data/other")
        api.put("data/xkcd/instances/v1/deprecation", {"reason": "Wrong labels."})
        api.delete("data/xkcd")
        assert deliver()
        assert deliver() == ""
    verified = [Webhook(made["secret"]).verify(body.decode(), headers) for headers, body in got.got]
    assert [message["type"] for message in verified] == [
        *("version.registered", "version.ready", "alias.moved", "version.deprecated", "asset.deleted"),
    ]
    assert len(set(got.ids)) == len(got.ids)
    assert {message["data"]["asset"]["id"] for message in verified} == {"xkcd"}
    assert verified[1]["data"]["version"]["number"] == 1


SEED = """
from tests.telling.worlds import World
world = World()
world.webhook('{url}')
assets = [world.asset(str(number)) for number in range(4)]
for number in range({messages}):
    world.message(assets[number % 4])
"""


@pytest.mark.long
def test_a_worker_that_is_killed_loses_nothing_and_the_next_goes_on(tmp_path):
    """What a dead one had claimed is free after half a minute, which is not waited for here."""
    file, messages = tmp_path / "c.sqlite3", 200
    env = os.environ | {"ASSETSITE_HOME": str(tmp_path), "DATABASE_URL": f"sqlite:///{file}"}
    env |= {"ASSETSITE_WEBHOOK_NETWORKS": "127.0.0.0/8"}
    migrated.fill(env["DATABASE_URL"])
    work = [*ASSETSITE, "work", "--once", "--only", "deliver"]
    with receiver() as got:
        seed = SEED.format(url=got.url, messages=messages)
        subprocess.run([*MANAGE, "shell", "-v", "0", "-c", seed], cwd=CHECKOUT, env=env, check=True, timeout=120)
        for killed_after in (25, 75, 140):
            working = subprocess.Popen(work, cwd=CHECKOUT, env=env, stdout=subprocess.DEVNULL)
            until = time.monotonic() + 60
            while len(got.got) < killed_after and time.monotonic() < until:
                time.sleep(0.01)
            working.send_signal(signal.SIGKILL)
            working.wait()
            with closing(sqlite3.connect(file)) as database, database:
                database.execute("UPDATE catalog_delivery SET next_at = '2026-03-02 12:00:00' WHERE state = 'waiting'")
        subprocess.run(work, cwd=CHECKOUT, env=env, check=True, timeout=120)
    with closing(sqlite3.connect(file)) as database:
        rows = database.execute(
            "SELECT message.uid, message.asset_id, delivery.state, (SELECT count(*) FROM catalog_deliverytry AS one"
            " WHERE one.delivery_id = delivery.id AND one.status = 204) FROM catalog_delivery AS delivery"
            " JOIN catalog_message AS message ON message.id = delivery.message_id ORDER BY message.id"
        ).fetchall()
    assert [(state, taken) for _, _, state, taken in rows] == [("delivered", 1)] * messages
    assert set(got.ids) == {uid for uid, *_ in rows}
    place = {uid: (asset, at) for at, (uid, asset, *_) in enumerate(rows)}
    for asset in {asset for _, asset, *_ in rows}:
        order = [place[uid][1] for uid in got.ids if place[uid][0] == asset]
        assert order == sorted(order)

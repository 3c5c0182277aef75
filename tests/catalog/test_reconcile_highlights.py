"""A highlight that the catalogue missed is backfilled from Metaflow's metadata, in its time."""

from io import StringIO

import pytest
from django.core.management import call_command

from access.models import Perimeter
from catalog.counters import Recount
from catalog.models import Branch, Highlight, MissedWrite
from obproject.journal import Operation
from tests.catalog.kept import Metaflow

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def metaflow(tmp_path, monkeypatch):
    monkeypatch.setenv("METAFLOW_HOME", str(tmp_path / "no-configuration"))
    Perimeter.objects.get_or_create(name="default")
    return Metaflow(tmp_path / "project" / ".metaflow")


def kept(task, title="Better", **more):
    body = {"entity_ref": task.ref, "attempt": 0, "branch_name": "feature-x", "content": {"title": title} | more}
    entry = task.entry(Operation.HIGHLIGHT, "", kind="", branch="feature-x", body=body)
    return task.keep(entry)


def reconcile(metaflow):
    call_command("reconcile", "--root", str(metaflow.root), stdout=StringIO())


def test_what_was_missed_is_shown_in_its_time_and_once(metaflow):
    task = metaflow.task()
    image = {"highlight_type": "image", "highlight_body": {"src": "", "alt": "A curve"}}
    entry = kept(task, **image)
    task.ends()
    for _ in range(2):
        reconcile(metaflow)
    highlight = Highlight.objects.get()
    assert (highlight.uid, highlight.at, highlight.actor) == (entry.id, entry.at, "reconcile")
    assert (highlight.title, highlight.content["highlight_body"]) == ("Better", {"alt": "A curve"})
    assert (highlight.run, highlight.is_newest) == ("/".join(task.path.split("/")[:2]), True)
    assert Branch.objects.get().git_name == "feature-x"
    assert Recount().run().corrections == []


def test_the_newest_stays_the_newest(metaflow):
    late, early = metaflow.task(minutes=30), metaflow.task()
    kept(late, "Late")
    kept(early, "Early")
    late.ends()
    early.ends()
    reconcile(metaflow)
    assert [row.title for row in Highlight.objects.filter(is_newest=True)] == ["Late"]
    assert Recount().run().corrections == []


def test_what_no_client_could_send_is_not_shown_and_says_why(metaflow):
    task = metaflow.task()
    kept(task, labels=["x"] * 100)
    task.ends()
    reconcile(metaflow)
    assert not Highlight.objects.exists()
    assert "content: labels" in MissedWrite.objects.get().error

"""An editor of one perimeter who registers a task of another learns nothing of it, if roots are bound."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from access.models import Membership, Perimeter, Role
from catalog import recording
from catalog.entities import Entity

pytestmark = pytest.mark.django_db
TASK = "Secret/1/train/2"
KEY = "default-abcdef0123456789"


@pytest.fixture
def root(tmp_path: Path, settings) -> Path:
    """The datastore of beta, with a card and a note of who ran its task."""
    settings.MODE, settings.LOCAL_MODE = "team", False
    root = tmp_path / "beta"
    card = root / f"mf.cards/Secret/runs/1/steps/train/tasks/2/cards/{KEY}.html"
    card.parent.mkdir(parents=True)
    card.write_text("<html><body>of beta</body></html>")
    (root / TASK / "_meta").mkdir(parents=True)
    (root / TASK / "_meta/_self.json").write_text('{"user_name": "runner-of-beta"}')
    return root


def pages_of_alpha(root: Path) -> str:
    """The pages that eve of alpha reads, once she has registered the task of beta."""
    alpha = Perimeter.objects.create(name="alpha")
    eve = User.objects.create_user("eve")
    Membership.objects.create(user=eve, perimeter=alpha, role=Role.EDITOR)
    recording.register(
        actor="eve",
        at=recording.AssetAddress(recording.BranchAddress(alpha, "churn", "main", "main"), "data", "rows"),
        entity=Entity("task", TASK),
        what=recording.Registration(asset_kind="artifact", datastore_type="local", datastore_root=str(root)),
    )
    client = Client()
    client.force_login(eve)
    address = "/alpha/churn/main/data/rows/v1"
    page = client.get(address)
    frame = client.get(f"{address}/cards/{KEY}?embed=true", headers={"Sec-Fetch-Dest": "iframe"})
    assert page.status_code == 200
    return page.content.decode() + b"".join(frame).decode()


def test_under_a_bound_root_a_named_task_tells_nothing(root: Path, settings) -> None:
    settings.CARD_ROOTS = [f"beta={root}", str(root.parent)]
    read = pages_of_alpha(root)
    assert "of beta" not in read
    assert "runner-of-beta" not in read
    assert "not allowed" in read


def test_under_a_shared_root_whoever_names_a_task_reads_it(root: Path, settings) -> None:
    settings.CARD_ROOTS = [str(root)]
    read = pages_of_alpha(root)
    assert "of beta" in read
    assert "runner-of-beta" in read

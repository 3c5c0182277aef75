"""A perimeter with a webhook, and messages in its outbox as writes leave them."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from access.models import Perimeter
from catalog.models import Asset, Branch, Component, Instance, Message, Project, Webhook
from catalog.states import EventKind
from telling.kept_secrets import encrypted
from telling.signing import new_secret

BEGIN = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
URL = "https://hooks.example.com/x"


class World:
    def __init__(self, name: str = "alpha") -> None:
        self.perimeter = Perimeter.objects.create(name=name)
        self.project = Project.objects.create(perimeter=self.perimeter, name="churn", created_at=BEGIN)
        self.main, self.side = self.branch("main"), self.branch("feature_x", "feature/x")
        self.number = count(1)

    def branch(self, key: str, git_name: str = "") -> Branch:
        return Branch.objects.create(project=self.project, key=key, git_name=git_name or key, created_at=BEGIN)

    def asset(self, asset_id: str = "model", **columns: Any) -> Asset:
        given = {"branch": self.main, "kind": "models", "created_at": BEGIN, "created_by": "ada"} | columns
        return Asset.objects.create(asset_id=asset_id, **given)

    def version(self, asset: Asset, uid: str = "u1", **columns: Any) -> Instance:
        flow, _ = Component.objects.get_or_create(
            perimeter=self.perimeter, project_name="churn", kind=Component.Kind.FLOW, name="TrainFlow"
        )
        given = {"number": 1, "state": "ready", "created_at": BEGIN, "component": flow} | columns
        return Instance.objects.create(asset=asset, uid=uid, **given)

    def webhook(self, url: str = URL, **columns: Any) -> Webhook:
        self.secret = new_secret()
        given = {"secret": encrypted(self.secret), "created_at": BEGIN, "created_by": "ada"} | columns
        return Webhook.objects.create(perimeter=self.perimeter, url=url, **given)

    def message(self, asset: Asset | None = None, kind: str = EventKind.READY, **columns: Any) -> Message:
        number, branch = next(self.number), asset.branch if asset else self.main
        body = {"number": number, "sentence": f"model v{number} is ready"}
        given = {"branch": branch, "body": body, "at": BEGIN, "created_at": BEGIN + SECOND} | columns
        return Message.objects.create(perimeter=self.perimeter, asset=asset, kind=kind, **given)

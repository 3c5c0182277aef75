"""The names of the nodes of an exact answer: instances, definitions, runs, and consumers without a run."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from access.identity import Viewer
from catalog.addresses import instance_url
from catalog.models import Instance
from catalog.states import DEFINITION, State
from lineage.component_rows import (
    ComponentNames,
    Hidden,
    asset_kind,
    component_node,
    is_deleted,
    last_active,
    perimeter_of,
)
from lineage.graph import Kind, Node
from lineage.instance_rows import InstanceRows, Made, Reading, keys_of, kind_of
from lineage.walk import Arrow, Key


class InstanceNames(ComponentNames):
    """Reads the names of the nodes of an exact answer: five queries, however many nodes there are."""

    def __init__(self, viewer: Viewer, as_of: datetime | None, rows: InstanceRows) -> None:
        super().__init__(viewer, as_of)
        self.rows = rows

    def nodes(self, keys: Iterable[Key], arrows: Iterable[Arrow]) -> dict[Key, Node]:
        wanted, arrows = list(keys), list(arrows)
        last = last_active(arrows)
        instances = self._instances([key[1] for key in keys_of("instance", wanted)])
        definitions = self.assets([key[1] for key in keys_of("definition", wanted)])
        runs = {key: self._writer(key) for key in keys_of("run", wanted)}
        entities = {key: (key[1], key[2]) for key in keys_of("entity", wanted)}
        writing = runs | entities
        components = self.components({pk for pk, _ in writing.values()})
        branches = self.branches((components[pk], branch) for pk, branch in writing.values())
        hidden, found = Hidden(), {}
        for key in wanted:
            if key in writing:
                pk, branch = writing[key]
                row: Any = components[pk]
                named = component_node(row, branch, branches, last.get(key))
                node = _run(key, named) if key in runs else named
            elif kind_of(key) == "instance":
                row = instances[key[1]].asset
                node = self._instance(instances[key[1]])
            elif kind_of(key) == "definition":
                row = definitions[key[1]]
                node = replace(self.asset(row), version="", state=DEFINITION, at=row.created_at)
            else:  # an unknown source is as visible as the instances that name it
                named_in = {self.rows.made[arrow.target[1]].run[0] for arrow in arrows if arrow.source == key}
                found[key] = hidden.next() if named_in.isdisjoint(self.visible) else _unknown(key[1])
                continue
            found[key] = node if perimeter_of(row) in self.visible else hidden.next()
        return found

    def _instances(self, pks: list[int]) -> dict[int, Instance]:
        rows = Instance.objects.filter(pk__in=pks).select_related("asset__branch__project__perimeter")
        return {row.pk: row for row in rows.only(*INSTANCE_FIELDS)}

    def _writer(self, key: Any) -> tuple[int, str]:
        """The component of a run and the branch it writes to, from its registrations, else from its readings."""
        run = (key[1], key[2])
        rows: list[Made | Reading] = [*self.rows.registered[run].values(), *self.rows.readings[run].values()]
        branch = next((row.branch for row in rows if row.branch), "")
        return rows[0].component, branch

    def _instance(self, instance: Instance) -> Node:
        asset = instance.asset
        settled = self.as_of is None or instance.settled_at is None or instance.settled_at <= self.as_of
        return Node(
            id=instance.uid,
            kind=asset_kind(asset),
            name=asset.title,
            key=asset.asset_id,
            project=asset.branch.project.name,
            branch=asset.branch.key,
            branch_name=asset.branch.name,
            version=instance.ref,
            state=instance.state if settled else State.PENDING.value,
            at=instance.created_at,
            url="" if asset.deleted_at else instance_url(asset, instance),
            deleted=is_deleted(asset, self.as_of),
        )


def _run(key: Key, flow: Node) -> Node:
    digest = sha256("\0".join(map(str, key)).encode()).hexdigest()
    return replace(flow, id=f"r_{digest[:20]}", kind=Kind.RUN, name=key[2])


def _unknown(uid: str) -> Node:
    digest = sha256(uid.encode()).hexdigest()
    fault = "What this was promoted from is not in this catalogue."
    return Node(id=f"u_{digest[:20]}", kind=Kind.UNKNOWN, name=uid[:64], fault=fault)


INSTANCE_FIELDS = (
    "uid",
    "number",
    "state",
    "settled_at",
    "created_at",
    "asset__asset_id",
    "asset__kind",
    "asset__name",
    "asset__deleted_at",
    "asset__branch__key",
    "asset__branch__git_name",
    "asset__branch__project__name",
    "asset__branch__project__perimeter__name",
)

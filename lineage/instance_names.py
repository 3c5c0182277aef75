"""The names of the nodes of an exact answer: instances, definitions, runs, and consumers without a run."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from access.visibility import Sees
from catalog.addresses import instance_url
from catalog.models import Instance
from catalog.states import DEFINITION, State
from lineage.component_rows import (
    UNKNOWN_SOURCE,
    ComponentNames,
    Hidden,
    asset_kind,
    component_node,
    is_deleted,
    last_active,
    perimeter_of,
)
from lineage.graph import Kind, Node, RunFacts
from lineage.instance_rows import ONLY_READ, InstanceRows, Made, keys_of, kind_of
from lineage.run_rule import Reading
from lineage.walk import Arrow, Key
from obproject.sessions import is_session_id


class InstanceNames(ComponentNames):
    """Reads the names of the nodes of an exact answer: four queries, however many nodes there are."""

    def __init__(self, viewer: Sees, as_of: datetime | None, rows: InstanceRows) -> None:
        super().__init__(viewer, as_of)
        self.rows = rows

    def nodes(self, keys: Iterable[Key], arrows: Iterable[Arrow]) -> dict[Key, Node]:
        wanted, arrows = list(keys), list(arrows)
        last = last_active(arrows)
        instances = self._instances([key[1] for key in keys_of("instance", wanted)])
        definitions = self.assets([key[1] for key in keys_of("definition", wanted)])
        parts = {key: self._writer(key) for key in keys_of("run", wanted)}
        others = {key: (key[1], key[2]) for kind in ("entity", "maker") for key in keys_of(kind, wanted)}
        writing = parts | others
        components = self.components({pk for pk, _ in writing.values()})
        branches = self.branches((components[pk], branch) for pk, branch in writing.values())
        labels = self._labels(parts)
        hidden, found = Hidden(), {}
        for key in wanted:
            if key in writing:
                pk, branch = writing[key]
                row: Any = components[pk]
                node = component_node(row, branch, branches, last.get(key))
                if key in parts:
                    node = _part(key, node, labels[key], self.rows.facts_of((key[1], key[2])))
                elif kind_of(key) == "maker":
                    node = replace(node, id=f"m{node.id[1:]}")
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
        return _with_same_content(found)

    def _instances(self, pks: list[int]) -> dict[int, Instance]:
        rows = Instance.objects.filter(pk__in=pks).select_related("asset__branch__project__perimeter")
        return {row.pk: row for row in rows.only(*INSTANCE_FIELDS)}

    def _writer(self, key: Any) -> tuple[int, str]:
        """The component of a run and the branch it writes to, from its registrations, else from its readings."""
        run = (key[1], key[2])
        rows: list[Made | Reading] = [*self.rows.registered[run].values(), *self.rows.readings[run].values()]
        branch = next((row.branch for row in rows if row.branch), "")
        return rows[0].component, branch

    def _labels(self, parts: Iterable[Key]) -> dict[Key, str]:
        """What sets each part of a run apart: its task, and where that is the same the number of its inputs."""
        labels = {key: self._label(key) for key in parts}
        times = Counter((*key[:3], label) for key, label in labels.items())
        for key, label in labels.items():
            if times[*key[:3], label] > 1:
                count = len(self.rows.parts[key].readings)
                labels[key] = f"{label}, after {count} {'reading' if count == 1 else 'readings'}"
        return labels

    def _label(self, key: Any) -> str:
        if key[-1] == ONLY_READ:
            return ONLY_READ
        if is_session_id(key[2]):
            return "session"
        places = {(position.step, position.path) for position in self.rows.parts[key].made_by}
        steps = sorted({step for step, _ in places})
        if len(steps) > 1:
            return " and ".join(steps) if len(steps) == 2 else f"{steps[0]} and {len(steps) - 1} other steps"
        splits = {path for _, path in places}
        if len(splits) > 1:
            return f"{steps[0]}, {len(splits)} splits"
        path = next(iter(splits)) or ()
        return ", ".join([steps[0], *(f"{step}:{index}" for step, index in path)])

    def _instance(self, instance: Instance) -> Node:
        asset = instance.asset
        settled = self.as_of is None or instance.settled_at is None or instance.settled_at <= self.as_of
        return Node(
            id=instance.uid,
            kind=asset_kind(asset),
            name=asset.title,
            key=asset.asset_id,
            perimeter=asset.branch.project.perimeter.name,
            project=asset.branch.project.name,
            branch=asset.branch.key,
            branch_name=asset.branch.name,
            version=instance.ref,
            state=instance.state if settled else State.PENDING.value,
            at=instance.created_at,
            digest=instance.digest or "",
            url="" if asset.deleted_at else instance_url(asset, instance),
            deleted=is_deleted(asset, self.as_of),
        )


def _part(key: Any, writer: Node, label: str, facts: RunFacts | None) -> Node:
    """The node of a part of a run, named by its run; `label` sets it apart from the other parts."""
    digest = sha256("\0".join(map(str, key)).encode()).hexdigest()
    name = f"{writer.name} {key[2]}" if is_session_id(key[2]) else key[2]
    return replace(writer, id=f"r_{digest[:20]}", kind=Kind.RUN, name=name, key=label, run=facts)


def _unknown(uid: str) -> Node:
    digest = sha256(uid.encode()).hexdigest()
    return Node(id=f"u_{digest[:20]}", kind=Kind.UNKNOWN, name=uid[:64], fault=UNKNOWN_SOURCE)


def _with_same_content(nodes: dict[Key, Node]) -> dict[Key, Node]:
    """The nodes, each with the ids of the others that have its digest."""
    ids: dict[str, list[str]] = defaultdict(list)
    for node in nodes.values():
        if node.digest:
            ids[node.digest].append(node.id)
    return {
        key: replace(node, same_content=tuple(other for other in ids[node.digest] if other != node.id))
        if len(ids.get(node.digest, ())) > 1
        else node
        for key, node in nodes.items()
    }


INSTANCE_FIELDS = (
    "uid",
    "number",
    "state",
    "settled_at",
    "created_at",
    "digest",
    "asset__asset_id",
    "asset__kind",
    "asset__name",
    "asset__deleted_at",
    "asset__branch__key",
    "asset__branch__git_name",
    "asset__branch__project__name",
    "asset__branch__project__perimeter__name",
)

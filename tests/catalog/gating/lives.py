"""Random lives of two gated branches, and an oracle that knows from the outside which moves could be made.

Tasks register, promote and move aliases over the API as our client does, with the network cut at any point; others
delete, deploy and forge journals. The oracle looks at the rows that came to be, and knows of gates only what was
deployed.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from catalog.models import AliasMove, Asset, Instance
from obproject.journal import Entry, Operation, Outcome
from obproject.promoted import with_origin
from tests.catalog.gating.lost import lose_the_catalogue, manage
from tests.catalog.kept import Metaflow, Task
from tests.catalog.wire import PERIMETER, declaration, definition, deploy_body
from tests.conftest import Api

Json = dict[str, Any]
Place = tuple[str, str]
"""The branch and the asset."""
BRANCHES, ASSETS, ALIASES = ("main", "x"), ("m", "n"), ("production", "staging")
USUALLY = ("main", "m")
INTO_BRANCH = "into branch"
FIXED = ("auc >= 0.5", "tag ok")
COMPARING = ("auc >= @production", "auc >= @production - 0.1", "auc within 0.4 of @staging")


@dataclass
class Oracle:
    """What could be moved, by what was there before: from the rows of versions and moves, one after the other."""

    gates: dict[Place, Json] = field(default_factory=dict)
    done: set[tuple[Any, ...]] = field(default_factory=set)
    """Moves and promotions that were made, by all that they are."""
    holders: dict[tuple[int, str], str] = field(default_factory=dict)
    """Of an asset, by its key, and an alias."""
    held: dict[tuple[Place, str], list[str]] = field(default_factory=dict)
    """All that ever held an alias at an address, the last one last."""
    seen: Counter[str] = field(default_factory=Counter)
    """How the moves were judged, for whoever writes this test."""
    last_copy: int = 0
    last_move: int = 0

    def loses_everything(self) -> None:
        self.gates, self.holders, self.held, self.last_copy, self.last_move = {}, {}, {}, 0, 0

    def looks(self) -> None:
        """Check what came to be since the last look: copies first, as no call makes a move before a copy."""
        for copy in Instance.objects.filter(pk__gt=self.last_copy).select_related("asset__branch").order_by("pk"):
            self.last_copy = copy.pk
            if any(key.startswith("promoted_from_") for key in copy.annotations):
                self._judge_copy(copy)
        for move in AliasMove.objects.filter(pk__gt=self.last_move).select_related("asset__branch").order_by("pk"):
            self.last_move = move.pk
            self._judge_move(move)

    def _judge_copy(self, copy: Instance) -> None:
        place = (copy.asset.branch.key, copy.asset.asset_id)
        content = json.dumps([copy.annotations, copy.tags, copy.blobs, copy.asset_kind], sort_keys=True)
        what = (copy.uid, *place, content, copy.producer_id, copy.created_at)
        rules = self._rules(place, INTO_BRANCH)
        how = self._how(what, copy.actor, rules, copy.annotations, copy.tags, copy.asset, place, rolls_back=False)
        assert how, f"{copy.uid} was promoted to {place} past one of {rules}: {copy.annotations} {copy.tags}"
        self.seen[f"promotion {how}"] += 1
        self.done.add(what)

    def _judge_move(self, move: AliasMove) -> None:
        asset, name = move.asset, move.name
        place = (asset.branch.key, asset.asset_id)
        what = (move.uid, *place, name, move.to_uid, move.entity_id, move.at)
        present = self.holders.get((asset.pk, name), "")
        held = self.held.setdefault((place, name), [])
        if move.to_uid not in ("", present):
            target = Instance.objects.filter(uid=move.to_uid).first()
            annotations, tags = (target.annotations, target.tags) if target else ({}, asset.declared_tags)
            rules = self._rules(place, "*") + self._rules(place, name)
            back = move.to_uid in held
            how = self._how(what, move.actor, rules, annotations, tags, asset, place, rolls_back=back)
            assert how, f"@{name} of {place} was moved to {move.to_uid} past one of {rules}: {annotations} {tags}"
            self.seen[f"move {how}"] += 1
        self.done.add(what)
        self.holders[asset.pk, name] = move.to_uid
        if move.to_uid:
            held.append(move.to_uid)

    def _rules(self, place: Place, name: str) -> list[str]:
        return self.gates.get(place, {}).get(name, {}).get("require", [])

    def _how(
        self,
        what: tuple[Any, ...],
        actor: str,
        rules: list[str],
        annotations: Json,
        tags: Json,
        asset: Asset,
        place: Place,
        *,
        rolls_back: bool,
    ) -> str:
        """Why it could be done; empty if it could not."""
        if what[0] and what in self.done and actor == "reconcile":
            return "replayed"
        if all(
            self._passes(rule, annotations, tags, asset, place) for rule in rules if rule in FIXED or not rolls_back
        ):
            return ("rolled back" if rolls_back else "passed") if rules else "free"
        return ""

    def _passes(self, rule: str, annotations: Json, tags: Json, asset: Asset, place: Place) -> bool:
        if rule == "tag ok":
            return "ok" in tags
        if "auc" not in annotations:
            return False
        auc = Decimal(str(annotations["auc"]))
        if rule == "auc >= 0.5":
            return auc >= Decimal("0.5")
        alias = "staging" if "@staging" in rule else "production"
        uid = self.holders.get((asset.pk, alias)) or next(reversed(self.held.get((place, alias), [])), "")
        if not uid:
            return True  # it never existed here
        other = Instance.objects.filter(uid=uid).first()
        if other is None or "auc" not in other.annotations:
            return False
        needs = Decimal(str(other.annotations["auc"]))
        if "within" in rule:
            return abs(auc - needs) <= Decimal("0.4")
        return auc >= needs - (Decimal("0.1") if "0.1" in rule else 0)


@dataclass
class Life:
    """What happens, one thing after the other, chosen by chance."""

    api: Api
    metaflow: Metaflow
    random: random.Random
    oracle: Oracle = field(default_factory=Oracle)
    kept: list[tuple[Entry, str]] = field(default_factory=list)
    """What journals have, with receipts."""
    known: list[tuple[Place, str, Json]] = field(default_factory=list)
    """Versions that were asked for: where, their ids and their annotations."""
    told: list[str] = field(default_factory=list)

    def goes_on(self, steps: int) -> None:
        things = {
            self.registers: 6,
            self.promotes: 5,
            self.registers_many: 2,
            self.moves: 12,
            self.deletes_alias: 2,
            self.deletes_asset: 2,
            self.deploys: 4,
            self.does_as_the_vendor: 1,
            self.forges_a_move: 3,
            self.forges_a_promotion: 3,
            self.reconciles: 3,
            self.loses_everything: 1,
        }
        for thing in self.random.choices([*things], [*things.values()], k=steps):
            self.told.append(thing.__name__)
            thing()
            self.oracle.looks()

    # what tasks do

    def registers(self) -> None:
        place = self._place()
        self._registers(place, self._annotations(), self._tags())

    def promotes(self) -> None:
        place, annotations, tags = self._copy()
        self._registers(place, annotations, tags)

    def registers_many(self) -> None:
        branch = self.random.choice(BRANCHES)
        task, entries = self.metaflow.task(), []
        for _ in range(self.random.randint(2, 4)):
            (_, asset), annotations, tags = self._copy()
            entries.append(task.keep(self._entry(task, (branch, asset), annotations, tags)))
        if self._chance(0.8):
            path = f"{PERIMETER}/projects/churn/branches/{branch}/registrations"
            bodies = [{**one.body, "id": one.id, "kind": "data", "asset": one.asset} for one in entries]
            answers = self.api.post(path, {"registrations": bodies}).data["registrations"]
            for entry, said in zip(entries, answers, strict=True):
                self._keep_answer(task, entry, said["status"], said["answer"])
        task.ends()

    def moves(self) -> None:
        place, uid, _ = self._any_version()
        alias, task = self._alias(), self.metaflow.task()
        body: Json = {"entity_ref": task.ref, "instance_id": uid}
        entry = task.entry(Operation.SET_ALIAS, place[1], branch=place[0], body=body, alias=alias, at=timezone.now())
        sent = body | ({"id": entry.id} if self._chance(0.8) else {})
        if self._chance(0.15):
            sent["expected_instance_id"] = self.random.choice([None, self._any_version()[1]])
        answer = self.api.put(f"{self._path(place)}/aliases/{alias}", sent)
        if self._chance(0.3):  # the answer is lost, and it is sent again
            answer = self.api.put(f"{self._path(place)}/aliases/{alias}", sent)
        if answer.status_code == 200 and "id" in sent and self._chance(0.9):
            receipt = answer.data["receipt"]
            task.keep(replace(entry, at=timezone.now()))
            if self._chance(0.85):  # else it is killed in between
                at = datetime.fromisoformat(answer.data["alias"]["updated_at"])
                task.was_answered({entry.id: Outcome(at, receipt=receipt)})
                self.kept.append((entry, receipt))
        task.ends()

    def deletes_alias(self) -> None:
        place, alias, task = self._place(), self.random.choice(ALIASES), self.metaflow.task()
        body = {"entity_ref": task.ref}
        entry = task.entry(Operation.DELETE_ALIAS, place[1], branch=place[0], body=body, alias=alias, at=timezone.now())
        answer = self.api.delete(f"{self._path(place)}/aliases/{alias}?id={entry.id}")
        if answer.status_code == 204 and self._chance(0.9):
            task.keep(replace(entry, at=timezone.now()))
        task.ends()

    def deletes_asset(self) -> None:
        place, task = self._place(), self.metaflow.task()
        entry = task.entry(Operation.DELETE, place[1], branch=place[0], at=timezone.now())
        answer = self.api.delete(f"{self._path(place)}?id={entry.id}")
        if answer.status_code == 204 and self._chance(0.9):
            task.keep(replace(entry, at=timezone.now()))
        task.ends()
        if self._chance(0.4):
            self.api.post(f"{self._path(place)}/recover", {"entity_ref": task.ref})

    # what others do

    def deploys(self) -> None:
        branch, definitions = self._place()[0], []
        for asset in ASSETS:
            gates = self.random.choice([None, {}, *(self._gates() for _ in range(6))])
            definitions.append(definition(asset, **({} if gates is None else {"gates": gates})))
        path = f"{PERIMETER}/projects/churn/branches/{branch}/deploys"
        answer = self.api.post(path, deploy_body(*definitions, version=f"{self.random.random()}"))
        assert answer.status_code == 200, answer.content
        for one in definitions:
            if "gates" in one:
                self.oracle.gates[branch, one["id"]] = one["gates"]

    def does_as_the_vendor(self) -> None:
        """It declares an asset, and moves an alias without an id."""
        place, uid, _ = self._any_version()
        self.api.patch(self._path(place), declaration(config_hash=f"{self.random.random()}"))
        body = {"entity_ref": {"entity_kind": "user", "entity_id": "eve"}, "instance_id": uid}
        self.api.put(f"{self._path(place)}/aliases/{self.random.choice(ALIASES)}", body)

    def forges_a_move(self) -> None:
        """Whoever can write metadata writes what no client would."""
        place, uid, _ = self._any_version()
        task, alias = self.metaflow.task(), self._alias()
        body = {"entity_ref": task.ref, "instance_id": uid}
        entry = task.entry(Operation.SET_ALIAS, place[1], branch=place[0], body=body, alias=alias, at=timezone.now())
        receipt = ""
        if self.kept and self._chance(0.8):
            real, receipt = self.random.choice(self.kept)
            if real.operation is Operation.SET_ALIAS and self._chance(0.7):
                changed: list[Json] = [{"body": real.body | {"instance_id": uid}}, {"alias": alias}, {"id": entry.id}]
                changed += [{"asset": place[1], "branch": place[0]}, {"body": real.body | {"entity_ref": task.ref}}]
                entry = replace(real, **self.random.choice(changed))
        self._forge(task, entry, receipt)

    def forges_a_promotion(self) -> None:
        place, annotations, tags = self._copy()
        task = self.metaflow.task()
        entry, receipt = self._entry(task, place, annotations, tags), ""
        if self.kept and self._chance(0.8):
            real, receipt = self.random.choice(self.kept)
            if real.operation is Operation.REGISTER and self._chance(0.7):
                other = real.body["annotations"] | {"auc": self._number()}
                changed: list[Json] = [{"body": real.body | {"annotations": other}}, {"id": entry.id}]
                changed += [{"asset": place[1]}, {"branch": place[0]}, {"body": real.body | {"blobs": ["s3://other"]}}]
                entry = replace(real, **self.random.choice(changed))
        self._forge(task, entry, receipt)

    def reconciles(self) -> None:
        manage("reconcile", "--root", str(self.metaflow.root))

    def loses_everything(self) -> None:
        """The database, but not the secret key, and a rebuild brings back what tasks did."""
        lose_the_catalogue()
        self.oracle.loses_everything()
        if self._chance(0.5):
            manage("rebuild", "--root", str(self.metaflow.root))
            self.oracle.looks()
        self.deploys()

    # how

    def _forge(self, task: Task, entry: Entry, receipt: str) -> None:
        task.keep(entry)
        if receipt or self._chance(0.5):
            task.was_answered({entry.id: Outcome(timezone.now(), receipt=receipt)})
        task.ends()

    def _registers(self, place: Place, annotations: Json, tags: Json) -> None:
        task = self.metaflow.task()
        entry = task.keep(self._entry(task, place, annotations, tags))
        if self._chance(0.75):  # else the catalogue is away
            answer = self.api.patch(self._path(place), entry.body | {"id": entry.id})
            self._keep_answer(task, entry, answer.status_code, answer.data)
        task.ends()

    def _keep_answer(self, task: Task, entry: Entry, status: int, answer: Json) -> None:
        if self._chance(0.2):  # it is lost
            return
        if status >= 400:
            task.was_answered({entry.id: Outcome(refused=answer["message"])})
            return
        receipt = answer.get("receipt", "")
        at = datetime.fromisoformat(answer["created_at"])
        task.was_answered({entry.id: Outcome(at, answer["number"], receipt=receipt)})
        if receipt:
            self.kept.append((entry, receipt))

    def _entry(self, task: Task, place: Place, annotations: Json, tags: Json) -> Entry:
        said = [{"key": key, "value": value} for key, value in tags.items()]
        body = {"entity_ref": task.ref, "data_asset_kind": "artifact", "annotations": annotations, "tags": said}
        entry = task.entry(Operation.REGISTER, place[1], branch=place[0], body=body, at=timezone.now())
        self.known.append((place, entry.id, annotations))
        return entry

    def _copy(self) -> tuple[Place, Json, Json]:
        (branch, asset), uid, annotations = self._any_version()
        said = with_origin(annotations, branch=branch, instance=uid, ref="v1", created_at="", promoter="eve")
        if self._chance(0.3):
            said["auc"] = self._number()
        return (self._place()[0], asset), said, self._tags()

    def _any_version(self) -> tuple[Place, str, Json]:
        if self._chance(0.1):
            found = Asset.objects.filter(deleted_at=None).select_related("branch").order_by("pk").first()
            if found:
                return (found.branch.key, found.asset_id), found.definition_uid, {}
        if not self.known or self._chance(0.05):
            return self._place(), "i_" + "0f" * 10, {}
        here = [one for one in self.known if one[0] == USUALLY] if self._chance(0.6) else self.known
        return self.random.choice(here[-8:] or self.known)

    def _gates(self) -> Json:
        names = self.random.sample([*ALIASES, "*", INTO_BRANCH], self.random.randint(1, 3))
        return {name: {"require": self._rules()} for name in {"production", *names}}

    def _rules(self) -> list[str]:
        return self.random.sample([*FIXED, *COMPARING], self.random.randint(1, 2))

    def _annotations(self) -> Json:
        return {"auc": self._number()} if self._chance(0.9) else {}

    def _tags(self) -> Json:
        return {"ok": "yes"} if self._chance(0.7) else {}

    def _number(self) -> float:
        return round(self.random.uniform(0.4, 1), 2)

    def _place(self) -> Place:
        return USUALLY if self._chance(0.6) else (self.random.choice(BRANCHES), self.random.choice(ASSETS))

    def _alias(self) -> str:
        return ALIASES[0] if self._chance(0.7) else ALIASES[1]

    def _path(self, place: Place) -> str:
        return f"{PERIMETER}/projects/churn/branches/{place[0]}/data/{place[1]}"

    def _chance(self, of: float) -> bool:
        return self.random.random() < of

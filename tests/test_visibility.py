"""Nobody reads what is not theirs: every model says how its rows lead to their perimeter, and reads begin with that."""

import ast
import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

from access.admin import PerimeterRows, SuperusersOnly
from access.identity import NOBODY, Viewer
from access.models import AuditEntry, FeedKey, Membership, Perimeter, Role, Token
from access.visibility import VisibleQuerySet, perimeter_name_of
from catalog import recording
from catalog.entities import Entity
from catalog.models import (
    Alias,
    Approval,
    Asset,
    Attention,
    BranchName,
    Cadence,
    ClonedTask,
    Deletion,
    DeliveryTry,
    Deprecation,
    GateRevision,
    GateVerdict,
    Instance,
    Message,
    NewNormal,
    PromotionRequest,
    Run,
    StateChange,
    Subscription,
    Unusual,
    Webhook,
)
from catalog.querysets import PROMOTED_FROM
from catalog.recording import AssetAddress, BranchAddress, Declaration, Highlighted, Registration
from catalog.series.keeping import keep
from obproject.branches import branch_key
from tests.test_architecture import modules

pytestmark = pytest.mark.slow

ROOMS = ("access", "catalog", "comparing", "lineage", "promoting", "telling")
READ_BY_NOBODY = {
    "IdempotencyKey": "the answer to a request that may be sent again; found by the digest of that request alone",
    "Derivation": "how far a recount is; the notice of it says no more than a part in a hundred",
    "Lease": "which process reconciles",
    "MetadataSource": "where reconciling reads; superusers only, in the administration",
    "SourceFlow": "how far reconciling has read",
    "OpenRun": "how far reconciling has read",
    "MissedWrite": "what tasks kept, not sorted by perimeters yet; superusers only, in the administration",
    "Reconciliation": "the passes of reconciling; superusers only, in the administration",
}
TASK = Entity("task", "TrainFlow/1/train/1")


def models_of_the_site() -> Iterator[type[models.Model]]:
    for room in ROOMS:
        yield from apps.get_app_config(room).get_models() if apps.is_installed(room) else ()


READ = [model for model in models_of_the_site() if model.__name__ not in READ_BY_NOBODY]


@pytest.mark.parametrize("model", READ, ids=lambda model: model.__name__)
def test_every_model_that_people_read_says_how_its_rows_lead_to_their_perimeter(model):
    assert isinstance(model._default_manager.all(), VisibleQuerySet)
    assert "PERIMETER" in vars(model)


def test_what_is_read_by_nobody_is_there_and_can_not_be_read_by_habit():
    unread = {model.__name__: model for model in models_of_the_site() if model not in READ}
    assert unread.keys() == READ_BY_NOBODY.keys()
    assert not any(hasattr(model.objects, "visible_to") for model in unread.values())


class Walled:
    """A perimeter with at least one row of every model that people read."""

    def __init__(self, name: str, source: Instance | None = None) -> None:
        self.perimeter = Perimeter.objects.create(name=name)
        self.member = User.objects.create(username=f"member-of-{name}")
        Membership.objects.create(user=self.member, perimeter=self.perimeter)
        Token.objects.issue(user=self.member, perimeter=self.perimeter, role=Role.VIEWER)
        FeedKey.objects.issue(user=self.member, perimeter=self.perimeter, name="reader")
        AuditEntry.objects.record("test", action="perimeter.create", perimeter=self.perimeter)
        self.branch = BranchAddress(self.perimeter, "churn", "feature-x", "feature/x")
        self.instance = self.register(state="pending")
        recording.confirm(
            actor="ada", perimeter=self.perimeter, entity=TASK, attempt=None, state="ready", reason="", uids=()
        )
        source = source or self.instance
        copy = self.register("data/copy", annotations={PROMOTED_FROM: source.uid, "rows": 1})
        self.asset = Asset.objects.get(pk=copy.asset_id)
        ClonedTask.objects.create(run=Run.objects.get(perimeter=self.perimeter), task="start/2", origin="A/1/start/1")
        recording.consume(actor="ada", asset=self.asset, instance=copy, reference="latest", entity=TASK)
        recording.set_alias(actor="ada", asset=self.asset, name="production", target_uid=copy.uid, entity=TASK)
        recording.override_property(user=self.member, actor="ada", asset=self.asset, key="owner", value="ada")
        recording.deploy(
            actor="ada",
            at=self.branch,
            entity=Entity("ci", "deploy"),
            version_id="1",
            spec={},
            definitions={("data", "copy"): Declaration({"owner": "eve"})},
        )
        recording.show_highlight(actor="ada", at=self.branch, entity=TASK, what=Highlighted("93 % right"))
        lossy = BranchAddress(self.perimeter, "churn", branch_key("été"), "été")
        recording.show_highlight(actor="ada", at=lossy, entity=TASK, what=Highlighted("95 % right"))
        keep(self.asset, 0)
        self._decide(copy)
        self._tell(copy)

    def _decide(self, copy: Instance) -> None:
        asset, now = self.asset, timezone.now()
        by = {"at": now, "actor": "ada"}
        task = {"entity_kind": TASK.kind, "entity_id": TASK.id}
        at = {"branch": asset.branch, "kind": asset.kind, "asset_id": asset.asset_id}
        gates = GateRevision.objects.create(**at, **by, **task, gates={"production": {"require": ["card present"]}})
        verdict = {"alias": "production", "outcome": "refused", "instance_uid": copy.uid, "gates": gates}
        GateVerdict.objects.create(**at, **by, **task, **verdict)
        request = PromotionRequest.objects.create(**at, **by, alias="production", instance=copy, gates=gates)
        Approval.objects.create(request=request, user=self.member, **by)
        Deprecation.objects.create(instance=copy, **by, **task)
        Deletion.objects.create(asset=asset, recovered=True, **by)

    def _tell(self, copy: Instance) -> None:
        asset, now = self.asset, timezone.now()
        branch, perimeter = asset.branch, self.perimeter
        Cadence.objects.create(asset=asset, learned_at=now)
        NewNormal.objects.create(asset=asset, since=now, at=now, actor="ada")
        Unusual.objects.create(instance=copy, reasons={"auc": "missing"}, rule=1, at=now)
        about = {"perimeter": perimeter, "branch": branch, "asset": asset}
        Attention.objects.create(kind="unusual", subject=f"asset:{asset.pk}", since=now, **about)
        made = {"perimeter": perimeter, "created_at": now}
        webhook = Webhook.objects.create(url="https://hooks.example/x", secret="s", created_by="ada", **made)
        Subscription.objects.create(user=self.member, branch=branch, asset=asset, **made)
        message = Message.objects.create(kind="asset.late", body={}, at=now, created_at=now, **about)
        delivery = message.deliveries.create(webhook=webhook, asset=asset, next_at=now)
        DeliveryTry.objects.create(delivery=delivery, at=now)

    def register(self, asset: str = "data/xkcd", **said: object) -> Instance:
        at = AssetAddress(self.branch, *asset.split("/"))
        what = Registration(**{"asset_kind": "artifact", **said})
        return recording.register(actor="ada", at=at, entity=TASK, what=what)

    @property
    def viewer(self) -> Viewer:
        return Viewer(self.member)


def keys() -> dict[str, set[int]]:
    return {model.__name__: set(model._base_manager.values_list("pk", flat=True)) for model in READ}


def seen_by(viewer: Viewer) -> dict[str, set[int]]:
    return {model.__name__: set(model.objects.visible_to(viewer).values_list("pk", flat=True)) for model in READ}


@pytest.fixture
def alpha(db, settings) -> Walled:
    settings.MODE, settings.LOCAL_MODE = "team", False
    return Walled("alpha")


def test_a_member_sees_every_row_of_their_perimeter_and_an_outsider_none(alpha):
    own = keys()
    assert all(own.values()), own
    beta = Walled("beta", source=alpha.instance)
    assert seen_by(alpha.viewer) == own
    assert seen_by(beta.viewer) == {name: rows - own[name] for name, rows in keys().items()}
    assert not any(seen_by(NOBODY).values())


def test_every_row_knows_the_name_of_its_perimeter(alpha):
    Walled("beta")
    for model in READ:
        for row in model.objects.visible_to(alpha.viewer):
            assert perimeter_name_of(row) == "alpha"


def test_with_a_deleted_asset_goes_all_that_belongs_to_it(alpha):
    for asset in Asset.objects.all():
        recording.delete_asset(actor="ada", asset=asset)
    left = {name for name, rows in seen_by(alpha.viewer).items() if rows}
    of_perimeter = {"Perimeter", "Membership", "Token", "FeedKey", "AuditEntry"}
    of_its_address = {"GateRevision", "GateVerdict", "PromotionRequest", "Approval", "Deletion"}
    told = {"Attention", "Webhook", "Subscription", "Message", "Delivery", "DeliveryTry"}
    assert left - of_perimeter - of_its_address - told == {
        "Project",
        "Branch",
        "BranchKey",
        "BranchName",
        "SpecVersion",
        "Component",
        "Asset",
        "Highlight",
        "NameStart",
        "Run",
        "ClonedTask",
    }


def test_a_role_may_be_asked_for(alpha):
    assert Asset.objects.visible_to(alpha.viewer, Role.VIEWER).exists()
    assert not Asset.objects.visible_to(alpha.viewer, Role.EDITOR).exists()
    assert not AuditEntry.objects.visible_to(alpha.viewer, Role.ADMIN).exists()


def test_rows_are_asked_for_by_what_they_belong_to(alpha):
    branch = alpha.asset.branch
    assert set(Instance.objects.of(alpha.asset)) == set(Instance.objects.filter(asset=alpha.asset))
    assert set(Instance.objects.of(branch)) == set(Instance.objects.all())
    assert set(StateChange.objects.of(alpha.instance)) == set(StateChange.objects.all())
    assert set(BranchName.objects.of(alpha.perimeter)) == set(BranchName.objects.all())
    for stranger in (alpha.instance, alpha.member):
        with pytest.raises(TypeError, match="Alias does not belong to a"):
            Alias.objects.of(stranger)


# What the code says

FREE = {
    "access.authentication": "who asks is not known yet: a token is found by its secret",
    "access.identity": "what a viewer may do is read here",
    "access.middleware": "who asks is not known yet: the user and the perimeter of local mode",
    "access.token_use": "by the key of the token that was shown",
    "access.models": "queries are defined here, and asked elsewhere",
    "access.management": "who runs commands has the whole database",
    "catalog.management": "who runs commands has the whole database",
    "catalog.counters": "what is derived is kept for everybody",
    "catalog.derivation": "how far a recount is, which is said without names and numbers",
    "catalog.edges": "what is derived is kept for everybody",
    "catalog.gates_in_force": "what is derived is kept for everybody",
    "catalog.name_starts": "what is derived is kept for everybody",
    "catalog.newest": "what is derived is kept for everybody",
    "catalog.old_runs": "what is derived is kept for everybody",
    "catalog.outbox": "who listens, whoever writes",
    "catalog.series.checking": "what is derived is recounted for everybody",
    "catalog.series.keeping": "what is derived is kept for everybody",
    "catalog.watching": "no person asks: what the background keeps is for everybody",
    "catalog.wrong_facts": "what is derived is kept for everybody",
    "access.local_mode": "says who asks, and that the one user may see all perimeters",
    "catalog.branch_keys": "by the key of a perimeter, which `Viewer.require` gave, or of a branch that was found",
    "telling.delivering": "no person asks: what was sorted is sent, and what became of it written down",
    "telling.mailing": "no person asks: what was sorted is sent, to people who may see it",
    "telling.unsubscribing": "by the key in a link that the site has signed, which ends this one row and shows none",
    "telling.lag": "how late it is, which is said without names",
    "telling.pruning": "what is of long ago is deleted for everybody",
    "telling.notices": "no person asks: a webhook that fails is switched off",
    "telling.sorting": "no person asks: what writes have left is sorted to those who want it, and may see it",
    "telling.wanting": "no person asks: webhooks get what is of their perimeter, people what they may see",
    "catalog.recording": "a write locks and reads what its caller was allowed to write to",
    "catalog.reconciling": "no person asks: what tasks have kept is backfilled",
    "catalog.querysets": "queries are defined here, and asked elsewhere",
    "catalog.statements": "by the key of a perimeter, which `Viewer.require` gave",
}
"""Rooms and modules that read for nobody in particular."""

AS_HIDDEN = "lineage leads through what the viewer may not see; it is shown as hidden, with neither name nor address"
OF_REQUESTS = "what is at the addresses of requests that were found, and of a request that was found"
EXCEPTIONS = {
    ("catalog.approvals", "as_now"): OF_REQUESTS,
    ("catalog.approvals", "with_approvals"): OF_REQUESTS,
    ("catalog.approvals", "approvals_given"): OF_REQUESTS,
    ("catalog.attention", "forget_over"): "what is over is deleted for everybody",
    ("catalog.attention", "over_by_now"): "what is over is over for everybody",
    ("catalog.attention", "settle_readings"): "what is over is over for everybody",
    ("catalog.attention", "still_raised"): "what is over is over for everybody",
    ("catalog.filters", "_has_content_of"): "the instances of an asset whose rows the filtered query shows",
    ("catalog.pages.charts.others", "_with_numbers"): "the instances of assets that the query was asked to show",
    ("catalog.windows", "_ByIndex.numbers"): "what the condition asks of one asset, whose page or list it is",
    ("lineage.component_rows", "ComponentRows.ends_of_branch"): AS_HIDDEN,
    ("lineage.component_rows", "ComponentRows.read"): AS_HIDDEN,
    ("lineage.component_rows", "ComponentRows._written"): AS_HIDDEN,
    ("lineage.run_rows", "RunRows._read"): AS_HIDDEN,
    ("lineage.run_rows", "RunRows._load_originals"): AS_HIDDEN,
    ("lineage.component_rows", "ComponentNames.assets"): AS_HIDDEN,
    ("lineage.component_rows", "ComponentNames.components"): AS_HIDDEN,
    ("lineage.component_rows", "ComponentNames.branches"): "the branches of components that were named",
    ("lineage.instance_names", "InstanceNames._instances"): AS_HIDDEN,
    ("lineage.inputs", "_links"): AS_HIDDEN,
    ("lineage.instance_rows", "InstanceRows._users"): AS_HIDDEN,
    ("lineage.instance_rows", "InstanceRows._consumptions"): AS_HIDDEN,
    ("lineage.instance_rows", "InstanceRows._instances"): AS_HIDDEN,
    ("lineage.pages.component", "_on_branches"): AS_HIDDEN,
}
BEGINNINGS = {"visible_to", "of", "of_project", "on_branch", "latest_but", "rows_of"}
"""The first call on a manager; but for `visible_to` they take a row that was found before."""
WRITES = {"mark", "record", "record_rarely"}
MANAGERS = {"objects", "_default_manager", "_base_manager"}
OTHERS = {"User"}
"""Models of Django."""


def reads(module: str, source: str) -> Iterator[tuple[str, int, str]]:
    """Each use of a manager in a module: in which function, on which line, and what is called on it first."""
    tree = ast.parse(source)
    called = {id(node.value): node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}

    def within(node: ast.AST, name: str) -> Iterator[tuple[str, int, str]]:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            name = f"{name}.{node.name}" if name else node.name
        if isinstance(node, ast.Attribute) and node.attr in MANAGERS and ast.unparse(node.value) not in OTHERS:
            yield name, node.lineno, called.get(id(node), "")
        for child in ast.iter_child_nodes(node):
            yield from within(child, name)

    yield from within(tree, "")


def is_free(module: str) -> bool:
    return any(module == free or module.startswith(f"{free}.") for free in FREE)


def test_every_read_for_somebody_begins_with_what_they_see():
    used = set()
    for room in ("access", "assetsite", "catalog", "comparing", "lineage", "promoting", "telling"):
        for module, path in modules(room).items():
            if is_free(module):
                continue
            for function, line, first in reads(module, path.read_text()):
                if first not in BEGINNINGS | WRITES:
                    assert (module, function) in EXCEPTIONS, f"{module}, line {line}: a read begins with .{first}"
                    used.add((module, function))
    assert used == EXCEPTIONS.keys()


@pytest.mark.parametrize(
    ("code", "first"),
    [
        ("Asset.objects.visible_to(viewer).live()", "visible_to"),
        ("rows = Asset.objects.filter(pk=1)", "filter"),
        ("find = Asset.objects", ""),
        ("models.Asset.objects.get(pk=1)", "get"),
        ("model.objects.all()", "all"),
        ("type(row)._default_manager.all()", "all"),
    ],
)
def test_a_read_is_told_by_its_first_call(code, first):
    assert [found for _, _, found in reads("m", code)] == [first]


def test_every_list_of_the_administration_begins_with_what_a_person_manages():
    for model, shown in admin.site._registry.items():
        if model in READ:
            assert isinstance(shown, PerimeterRows), model
        elif model.__name__ in READ_BY_NOBODY or model is User:
            assert isinstance(shown, SuperusersOnly), model


WRITTEN = {"Rows", "Statement", "Listed"}
"""What makes a statement of SQL, which `reads` does not see."""
FOUND = {"Perimeter", "Project", "Branch", "Asset", "Instance"}
"""What a viewer was found to see: rows, or the perimeter that `Viewer.require` gave."""
BY_KEYS = {
    ("catalog.wire.statements", "these_assets"): "the keys come from a queryset",
    ("catalog.wire.statements", "these_instances"): "the keys come from a queryset",
}
WRITTEN_FREELY = {
    "access.models": "who asks is found by it",
    "access.statements": "how statements are written",
    "catalog.attention": "what needs attention by the perimeters of the viewer; what writes and passes raise",
    "catalog.unchanged": "by the perimeters of the viewer; it answers no row but the one that is asked for",
    "catalog.pagekit.statements": "the menus are asked by the keys of the viewer's perimeters, and of a project",
}


def written_in(source: str) -> tuple[list[str], dict[str, str]]:
    """The names that make statements in a module, and its public functions with the type of what they take first."""
    tree = ast.parse(source)
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    made = [call.id for call in calls if isinstance(call, ast.Name) and call.id in WRITTEN]
    public = [node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
    return made, {one.name: ast.unparse(one.args.args[0].annotation) if one.args.args else "" for one in public}


def test_every_written_statement_is_asked_with_what_a_viewer_was_found_to_see():
    used = set()
    for room in ("access", "assetsite", "catalog", "comparing", "lineage", "promoting", "telling"):
        for module, path in modules(room).items():
            made, takes = written_in(path.read_text())
            if not made or is_free(module) or module in WRITTEN_FREELY:
                continue
            for function, first in takes.items():
                if FOUND.isdisjoint(re.findall(r"\w+", first)):
                    assert (module, function) in BY_KEYS, f"{module}: {function} takes {first or 'nothing'} first"
                    used.add((module, function))
    assert used == BY_KEYS.keys()


def test_what_a_written_statement_is_asked_with_is_read_from_the_code():
    code = "def found(name: str): ...\ndef _hidden(pk: int): ...\nit = Rows(Asset, '')"
    assert written_in(code) == (["Rows"], {"found": "str"})

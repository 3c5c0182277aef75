"""What pages ask by written SQL is what they would ask in Django's words."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from catalog.entities import Entity
from catalog.models import (
    Alias,
    AliasMove,
    Asset,
    Attention,
    Branch,
    Cadence,
    Consumption,
    DefinitionRevision,
    Edge,
    Highlight,
    Instance,
    Project,
    PropertyEdit,
    PropertyOverride,
    SpecVersion,
    Unusual,
)
from catalog.pagekit.freshness import ALSO_KNOWN
from catalog.pagekit.statements import KNOWN, edges_of, menus, projects_menu
from catalog.pages import project_statements, statements
from catalog.querysets import ASSET_ORDERS, LATEST_FIRST
from catalog.recording import Declaration, Highlighted, delete_asset, override_property, show_highlight
from catalog.states import AttentionKind, Watch
from tests.access.same_rows import whole
from tests.built_once import built_once

pytestmark = [pytest.mark.both, pytest.mark.slow]

MODEL = "models/churn_model"


@pytest.fixture
def busy(full):
    built_once(be_busy, full)
    return full


def be_busy(full):
    """With something of every kind that a list of pages shows."""
    for number in range(3):
        full.register(MODEL, f"TrainFlow/{number + 20}/train/1", annotations={"auc": number / 10}, tags={"a": "b"})
        full.consume(MODEL, f"Reader{number}/1/start/1")
        full.alias(f"alias_{number}", full.asset(MODEL).newest_ready)
        full.register(f"data/more_{number}", state="failed" if number == 1 else "ready")
        full.register(f"data/gone_{number}", branch="feature/x")
        what = Highlighted(title=f"Better {number}", content={"labels": [], "synopsis": []})
        show_highlight(actor="ada", at=full.branch(), entity=Entity("task", f"Flow{number}/1/train/1"), what=what)
    full.deploy(models__churn_model=Declaration({"owner": "ada"}))
    override_property(user=None, actor="vic", asset=full.asset(MODEL), key="owner", value="vic")
    full.register("data/evaluation_log", asset_kind="evaluation")
    full.register("data/deleted")
    delete_asset(actor="ada", asset=full.asset("data/deleted"))


@pytest.fixture
def branch(busy):
    return Branch.objects.select_related("project__perimeter").get(key="main", project__name="churn")


@pytest.fixture
def asset(busy):
    return busy.asset(MODEL)


def same(found, right):
    assert found
    assert list(map(whole, found)) == list(map(whole, right))


def _watch(branch):
    """One asset is late, one is due and unusual, one is dormant; of some it is known why."""
    now = timezone.now()
    for asset, hours in zip(Asset.objects.on_branch(branch).order_by("pk"), (5, 2, 99, -1), strict=False):
        due = now - timedelta(hours=hours)
        asset.due_at, asset.late_at, asset.dormant_at = (due + timedelta(hours=more) for more in (0, 3, 48))
        asset.watch = Watch.LEARNED
        asset.save()
        Cadence.objects.create(asset=asset, told={"spread": hours}, cause={}, learned_at=now)
        if hours == 2:
            Unusual.objects.create(instance=asset.newest_ready, reasons={"auc": "far"}, rule=1, at=now)


def test_what_needs_a_look_is_counted(branch):
    assert statements.counted(branch) == (0, 0, 0)
    _watch(branch)
    perimeter = branch.project.perimeter
    about = {"perimeter": perimeter, "branch": branch, "since": timezone.now()}
    Attention.objects.create(kind=AttentionKind.UNUSUAL, subject="a", **about)
    Attention.objects.create(kind=AttentionKind.UNUSUAL, subject="b", **about, until=timezone.now())
    assert statements.counted(branch) == (1, 1, 1)


@pytest.mark.parametrize("kind", ["", "models"])
@pytest.mark.parametrize("sort", [*(f"{sign}{order}" for order in ASSET_ORDERS for sign in ("", "-")), LATEST_FIRST])
def test_assets_in_order(branch, kind, sort):
    _watch(branch)
    right = Asset.objects.on_branch(branch, kind or None).sorted_by(sort).with_newest_instances().without_bulk()
    right = right.annotate(**ALSO_KNOWN)
    for start in (0, 1):
        same(
            statements.assets_in_order(branch, kind, sort, 5, start),
            statements.on_branch(list(right[start : start + 5]), branch),
        )


def test_failures_and_edits(busy, branch):
    busy.deploy(models__churn_model=Declaration({"owner": "eve"}))
    lately = statements.lately_on_branch(branch, 3, 5, 5)
    failures, edits = lately.failures, lately.edits
    failed = Asset.objects.on_branch(branch).filter(newest__state="failed").order_by("-newest__created_at")
    assert failures == [
        (row.kind, row.asset_id, row.title, row.newest.number, row.newest.state_reason, row.ready_number)
        for row in failed
    ]
    assert edits == [
        (row.asset.kind, row.asset.asset_id, row.asset.title, row.key, row.actor, "ada", {"owner": "eve"})
        for row in PropertyOverride.objects.order_by("-at")
    ]
    assert failures
    assert edits
    assert statements.lately_on_branch(branch, 0, 0, 0) == statements.Lately([], [], [])


def test_recent_ready(branch):
    assets = list(Asset.objects.on_branch(branch))
    rows = Instance.objects.filter(asset__in=assets, state="ready").annotate(text=Cast("annotations", TextField()))
    found = []
    for asset in sorted(assets, key=lambda asset: asset.pk):
        mine = rows.filter(asset=asset, number__gt=asset.last_number - 2).order_by("created_at", "number")
        found += mine.values_list("asset", "number", "text")
    assert statements.recent_ready(assets, 2) == found
    assert statements.recent_ready([], 2) == []


def test_ready_before(asset):
    rows = asset.instances.filter(number__lt=asset.last_number, state="ready").order_by("-number")
    right = rows.annotate(text=Cast("annotations", TextField())).values_list("number", "text")[:2]
    assert statements.ready_before(asset, asset.last_number, 2) == list(right)


def test_newest_of_each_day(asset):
    start = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    for place, instance in enumerate(asset.instances.order_by("number")):
        Instance.objects.filter(pk=instance.pk).update(created_at=start + timedelta(minutes=20 * (place // 2)))
    mine = Instance.objects.filter(asset=asset)
    rows = list(mine.latest_first().defer("blobs", "tags", "description"))
    assert len(rows) > 3
    days = {row.created_at.date() for row in rows}
    assert len(days) == 2
    right = [next(row for row in rows if row.created_at.date() == day) for day in sorted(days, reverse=True)]
    far = datetime(9999, 12, 31, tzinfo=UTC)
    same(statements.newest_of_each_day(asset, far, 9), right)
    same(statements.newest_of_each_day(asset, far, 1), right[:1])
    same(statements.newest_of_each_day(asset, right[0].created_at.replace(hour=0, minute=0), 9), right[1:])
    assert statements.newest_of_each_day(asset, start - timedelta(days=9), 9) == []


def test_aliases(branch, asset):
    assets = list(Asset.objects.on_branch(branch))
    rows = Alias.objects.filter(asset__in=assets).order_by("name").values_list("asset", "name", "instance__number")
    assert statements.aliases_of_each(assets, 2) == list(rows[:2])
    assert statements.aliases_of_each([], 2) == []
    right = Alias.objects.filter(asset=asset).annotate(
        number=F("instance__number"), deprecated=F("instance__deprecation__reason")
    )
    right = right.order_by("name")
    same(statements.aliases_of(asset), right)


def test_edges(branch):
    assets = list(Asset.objects.on_branch(branch))
    right = Edge.objects.filter(asset__in=assets).newest_first().annotate(last_number=F("last_instance__number"))
    same(edges_of(assets, 5), right[:5])
    assert edges_of([], 5) == []


def test_aliases_and_overrides(asset):
    _watch(asset.branch)
    right = Asset.objects.annotate(**ALSO_KNOWN).get(pk=asset.pk)
    asset.refresh_from_db()
    aliases, overrides = statements.aliases_and_overrides(asset)
    assert [getattr(asset, name) for name in KNOWN] == [getattr(right, name) for name in KNOWN]
    assert [(row.name, row.number, row.updated_at, row.entity_id) for row in aliases] == [
        (row.name, row.number, row.updated_at, row.entity_id) for row in statements.aliases_of(asset)
    ]
    assert [(row.key, row.value, row.declared_value, row.at, row.actor) for row in overrides] == [
        (row.key, row.value, row.declared_value, row.at, row.actor) for row in asset.overrides.order_by("pk")
    ]
    assert aliases
    assert overrides


def test_highlights(branch):
    right = list(Highlight.objects.filter(branch=branch, is_newest=True).at_hand().newest_first()[:2])
    for highlight in right:
        highlight.branch = branch
    same(statements.newest_highlights(branch, 2), right)


def test_consumptions(asset):
    instance = asset.newest_ready
    right = list(Consumption.objects.filter(instance=instance).select_related("component").order_by("-pk")[:2])
    for row in right:
        row.instance = instance
    same(statements.consumptions_of(instance, 2), right)


def facts(rows):
    return {(row.what, row.at, row.who, row.asset_id, row.number, row.detail) for row in rows}


def test_what_happened_on_a_branch(branch):
    found = statements.lately_on_branch(branch, 3, 3, 3).feed
    live = Asset.objects.on_branch(branch)
    made = [asset.newest for asset in live.exclude(newest=None).select_related("newest__asset").order_by("-newest")[:3]]
    uses = Edge.objects.filter(asset__in=live, direction="consumes").order_by("-last_at")[:3]
    moved = Alias.objects.filter(asset__in=live).order_by("-updated_at")[:3]
    right = {("registered", row.created_at, row.producer_id, row.asset.asset_id, row.number, row.state) for row in made}
    right |= {
        ("consumed", row.last_at, row.last_entity_id, row.asset.asset_id, row.last_instance.number, "") for row in uses
    }
    right |= {
        ("alias", row.updated_at, row.entity_id, row.asset.asset_id, row.instance.number, row.name) for row in moved
    }
    right |= {("edited", row.at, row.actor, row.asset.asset_id, None, row.key) for row in PropertyEdit.objects.all()}
    right |= {("deployed", row.at, row.actor, "", None, row.version_id) for row in _newest(SpecVersion, branch=branch)}
    gone = Asset.objects.filter(branch=branch, deleted_at__isnull=False)
    right |= {("deleted", row.deleted_at, row.deleted_by, row.asset_id, None, "") for row in gone}
    assert facts(found) == right
    assert {row.what for row in found} == {"registered", "consumed", "alias", "edited", "deployed", "deleted"}


def test_what_happened_to_an_asset(asset):
    found, name = statements.last_of_asset(asset, 3), asset.asset_id
    right = {
        ("registered", row.created_at, row.producer_id, name, row.number, row.state)
        for row in asset.instances.order_by("-number")[:3]
    }
    right |= {
        ("consumed", row.at, row.entity_id, name, row.instance.number, row.reference)
        for row in _newest(Consumption, asset=asset)
    }
    numbers = dict(asset.instances.values_list("uid", "number"))
    right |= {
        ("alias", row.at, row.entity_id, name, numbers[row.to_uid], row.name) for row in _newest(AliasMove, asset=asset)
    }
    right |= {("declared", row.at, row.entity_id, name, None, "") for row in _newest(DefinitionRevision, asset=asset)}
    right |= {("edited", row.at, row.actor, name, None, row.key) for row in _newest(PropertyEdit, asset=asset)}
    assert facts(found) == right
    assert {row.what for row in found} == {"registered", "consumed", "alias", "declared", "edited"}


def _newest(model, **which):
    return model.objects.filter(**which).order_by("-pk")[:3]


def test_menus(busy, branch):
    busy.register(MODEL, branch="user/ada")
    busy.register("data/other", project="another")
    project, perimeter = branch.project, branch.project.perimeter
    found = menus.all(
        perimeter=perimeter.pk, project=project.pk, branch=branch.pk, kind="models", asset_id="churn_model"
    )
    projects = Project.objects.filter(perimeter=perimeter).order_by("name")
    right = [("projects", place, row.pk, row.name, "", 0) for place, row in enumerate(projects, start=1)]
    assert sorted(projects_menu.all(perimeter=perimeter.pk)) == right
    holding = set(Asset.objects.live().filter(kind="models", asset_id="churn_model").values_list("branch", flat=True))
    branches = Branch.objects.filter(project=project).main_first()
    right += [
        ("branches", place, row.pk, row.key, row.git_name, int(row.pk in holding))
        for place, row in enumerate(branches, start=1)
    ]
    right.append(("evaluations", 1, 1, "", "", 0))
    assert sorted(found) == sorted(right)


@pytest.fixture
def projects(busy):
    """One with more branches than are shown, one that nothing was refreshed in, and one with neither."""
    for number in range(4):
        busy.register("data/features", branch=f"feature/{number}")
    busy.register("data/pending", project="another", state="pending")
    Project.objects.create(perimeter=busy.alpha, name="empty", created_at=timezone.now())
    return list(Project.objects.filter(perimeter=busy.alpha).with_freshness().freshest_first())


def test_projects_by_freshness(busy, projects):
    found = project_statements.freshest_projects([busy.alpha], 2)
    assert [(row.name, row.refreshed_at, row.total) for row in found] == [
        (row.name, row.refreshed_at, len(projects)) for row in projects[:2]
    ]
    assert found[0].refreshed_at
    assert not found[1].refreshed_at
    assert all(row.perimeter == busy.alpha for row in found)
    assert project_statements.freshest_projects([busy.beta], 2) == []
    assert project_statements.freshest_projects([], 2) == []


def test_the_first_branches_of_each_project(projects):
    found = project_statements.first_branches(projects, 3)
    right = []
    for project in sorted(projects, key=lambda project: project.pk):
        branches = Branch.objects.filter(project=project).main_first().with_freshness()
        right += [(row, row.refreshed_at, len(branches), project) for row in branches[:3]]
    assert [(row, row.refreshed_at, row.total, row.project) for row in found] == right


def test_the_freshest_branches_of_a_project(projects):
    for project in projects:
        branches = Branch.objects.filter(project=project).with_freshness().with_deploy().freshest_first()
        found = project_statements.freshest_branches(project, 3)
        assert [(row, row.refreshed_at, row.total, row.project, row.spec) for row in found] == [
            (row, row.refreshed_at, len(branches), project, row.spec) for row in branches[:3]
        ]
        assert all("document" in row.spec.get_deferred_fields() for row in found if row.spec)


def test_the_newest_highlight_of_each_project(busy, projects):
    found = project_statements.highlights_of(projects)
    assert [row.pk for row in found] == [
        project.newest_highlight_id for project in projects if project.newest_highlight_id
    ]
    assert found[0].branch.project in projects
    assert project_statements.highlights_of([]) == []

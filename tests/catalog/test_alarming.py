"""Which branches alarm: the rule in Python, as a condition and as SQL."""

import pytest
from django.utils import timezone

from access.models import Perimeter
from access.statements import Statement
from catalog.alarming import ALARMING, alarming, alarms
from catalog.models import Asset, Branch, Project, SpecVersion
from obproject.branches import branch_key

pytestmark = pytest.mark.both

NAMES = {
    "main": True,
    "master": True,
    "feature/new-model": False,
    "user.alice": False,
    "User.Bob": False,
    "user_carol": False,
    "users": False,
}
DEPLOYED = {"feature/live": True, "user.dora": False, "user/eve": True, "usery": True, "user_frank": False, "été": True}


@pytest.fixture
def branches(db):
    project = Project.objects.create(
        perimeter=Perimeter.objects.create(name="alpha"), name="churn", created_at=timezone.now()
    )
    for name in [*NAMES, *DEPLOYED]:
        key = branch_key(name)
        git_name = "" if name in (key, "user_carol") and name not in ("main", "master") else name
        branch = Branch.objects.create(project=project, key=key, git_name=git_name, created_at=timezone.now())
        if name in DEPLOYED:
            branch.spec = SpecVersion.objects.create(branch=branch, document="{}", at=timezone.now(), actor="ada")
            branch.save()
    return Branch.objects.all()


def test_main_alarms_and_what_is_deployed_but_never_somebodys_own(branches):
    wanted = {branch_key(name) for name, alarms in (NAMES | DEPLOYED).items() if alarms}
    assert {branch.key for branch in branches if alarms(branch)} == wanted
    assert set(branches.filter(alarming()).values_list("key", flat=True)) == wanted
    asked = Statement(f"SELECT branch.key FROM catalog_branch AS branch WHERE {ALARMING} AND %(now)s IS NOT NULL")
    assert {key for (key,) in asked.all(now=timezone.now())} == wanted


def test_assets_are_asked_by_their_branches(branches):
    for branch in branches:
        Asset.objects.create(branch=branch, kind="data", asset_id="xkcd", created_at=timezone.now())
    found = Asset.objects.filter(alarming("branch__"))
    assert {asset.branch.key for asset in found} == {branch.key for branch in branches if alarms(branch)}

"""Take down what was deployed from a branch: its flows at their orchestrators, its assets, its spec.

Runs, artifacts and cards stay; they are Metaflow's. The spec goes last, and only when no flow is left: it is what tells
a second try which flows there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from obproject.branches import branch_key, check_branch, check_project, is_main
from obproject.catalogue.branch import BranchCatalogue
from obproject.deploy.choice import delete_live
from obproject.deploy.metaflow_commands import DeployerError
from obproject.errors import AssetError, InvalidInput, NoServer, NotAccepted
from obproject.json_types import Json
from obproject.project.record import live_flows
from obproject.settings import HOW_TO_CONFIGURE, Settings, find_settings


@dataclass(frozen=True)
class Failure:
    """One thing that could not be deleted."""

    what: str
    why: str
    is_held: bool = False
    """Whether the catalogue keeps it, because an alias with gates points to it."""


@dataclass
class TeardownResult:
    """What was deleted, or would be: flows (``flow TrainFlow``), assets (``data/xkcd``) and ``spec``."""

    project: str
    branch: str
    """The branch as it was named."""
    perimeter: str
    dry_run: bool = False
    deleted: list[str] = field(default_factory=list)
    """What was deleted, in this order; in a dry run what would be."""
    failed: list[Failure] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.failed

    @property
    def status(self) -> str:
        """``ok``, ``noop`` if there was nothing to delete, ``dry_run``, or ``partial`` if something failed."""
        if self.failed:
            return "partial"
        if not self.deleted:
            return "noop"
        return "dry_run" if self.dry_run else "ok"

    @property
    def document(self) -> Json:
        """The result for programs."""
        return {
            "status": self.status,
            "project": self.project,
            "branch": self.branch,
            "branch_key": branch_key(self.branch),
            "perimeter": self.perimeter,
            "dry_run": self.dry_run,
            "deleted": self.deleted,
            "failed": [{"what": one.what, "why": one.why, "held": one.is_held} for one in self.failed],
        }


def teardown(
    target: str,
    *,
    settings: Settings | None = None,
    dry_run: bool = False,
    force: bool = False,
    authorize: str | None = None,
    dags_folder: Path | None = None,
    say: Callable[[str], None] | None = None,
) -> TeardownResult:
    """Delete all that was deployed from a branch; ``target`` is ``PROJECT/BRANCH``, with the git name or the key.

    All assets of the branch go that the catalogue has, whether a spec names them or not. ``authorize`` is a production
    token for flows that another user has deployed, ``dags_folder`` where Airflow's DAGs are; ``say`` prints
    progress. ``main`` and ``master`` are refused unless ``force`` is set.

    What could not be deleted is in the result. Raises InvalidInput for a target that can't be meant, NoServer, and
    AssetError where the catalogue can't list what there is: then nothing was deleted.
    """
    project, branch = _parse(target)
    if is_main(branch) and not force and not dry_run:
        raise InvalidInput(
            f"{branch!r} is the production branch of {project!r}. To tear it down all the same, force it."
        )
    settings = settings or find_settings()
    if settings.url is None:
        raise NoServer(f"Tearing down {target}: no asset catalogue is configured. {HOW_TO_CONFIGURE}")
    result = TeardownResult(project, branch, settings.perimeter, dry_run)
    catalogue = BranchCatalogue(settings, project, branch)
    spec = catalogue.spec()
    assets = [(folder, item["asset"]["id"]) for folder, item in catalogue.assets()]
    deletions = _Deletions(result, say or _say_nothing)
    for name, entry in live_flows(spec).items():
        deletions.delete(f"flow {name}", partial(delete_live, entry, project, branch, authorize, dags_folder))
    flows_are_gone = result.ok
    for folder, asset_id in assets:
        deletions.delete(f"{folder}/{asset_id}", partial(catalogue.delete_asset, folder, asset_id))
    if spec is not None and flows_are_gone:
        deletions.delete("spec", catalogue.delete_spec)
    return result


def _parse(target: str) -> tuple[str, str]:
    project, slash, branch = target.partition("/")
    if not slash:
        raise InvalidInput(f"{target!r} names no branch; expected PROJECT/BRANCH, such as churn/feature/new-model.")
    try:
        return check_project(project), check_branch(branch)
    except ValueError as error:
        raise InvalidInput(f"{target!r}: {error}.") from None


class _Deletions:
    """Deletes one thing after the other, and notes the result of each."""

    def __init__(self, result: TeardownResult, say: Callable[[str], None]) -> None:
        self._result, self._say = result, say

    def delete(self, what: str, act: Callable[[], None]) -> None:
        if not self._result.dry_run:
            self._say(f"Deleting {what} ...")
            try:
                act()
            except (AssetError, DeployerError) as error:
                self._result.failed.append(Failure(what, str(error), isinstance(error, NotAccepted)))
                return
        self._result.deleted.append(what)


def _say_nothing(_text: str) -> None:
    """Print no progress."""

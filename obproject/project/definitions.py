"""What a project folder declares: ``obproject.toml`` and the assets below ``data/`` and ``models/``.

:func:`read_project` reads and validates all of it and reports every problem at once, each with its file, the line or
key, what was found and what is expected. Keys that it does not know are left alone, but for those of what
:mod:`obproject.project.metrics`, :mod:`obproject.project.gates` and :mod:`obproject.project.freshness` read. Standard
library only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from obproject import lengths
from obproject.branches import check_alias, check_asset_id, check_branch, check_perimeter
from obproject.first_steps import PROJECT_NAME_RULE, is_project_name, suggested_project
from obproject.json_types import Json
from obproject.kinds import COLLECTIONS, KIND_OF, Collection
from obproject.project.checked_toml import (
    DefinitionError,
    Problem,
    Table,
    check_characters,
    line_of,
    mismatch,
    read_text,
    read_toml,
    reason_of,
    shorten,
    up_to,
)
from obproject.project.freshness import read_freshness
from obproject.project.gates import read_gates
from obproject.project.metrics import MetricDefinition, read_left_out, read_metrics
from obproject.project.root import PROJECT_FILE

ASSET_FILE = "asset_config.toml"
README_SUFFIXES = (".md", ".markdown")
DEPLOY_FILE = "obproject_deploy.toml"

DEPLOYERS = ("argo-workflows", "step-functions", "airflow", "none")
"""What flows can be deployed to, by the names of Metaflow's commands; none leaves them to be run by hand."""
CHECKS = ("neutral", "failure", "none")
"""What the check of a commit on GitHub may come to if its branch is worse; none sets no check."""
DEFAULT_ENVIRONMENT = "default"
DEFAULT_PACKAGE_SUFFIXES = ".html"

_PACKAGE_SUFFIXES = re.compile(r"\.\w+(,\.\w+)*")
_CONFIG_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class AssetDefinition:
    """One ``asset_config.toml`` with the README beside it."""

    folder: Collection
    id: str
    name: str
    description: str
    asset_kind: str
    source: str
    """The file, relative to the project, with ``/`` between its parts."""
    properties: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    blobs: list[Any] = field(default_factory=list)
    icon: str | None = None
    readme: str | None = None
    metrics: tuple[MetricDefinition, ...] = ()
    """In the order of the file, which is the order in which pages show them."""
    compare_ignore: tuple[str, ...] = ()
    """Names of what comparisons leave out, or beginnings of names with a ``*`` behind them."""
    gates: Json | None = field(default=None, repr=False)
    """What is under ``[gates]``, by alias; None if the file does not speak of gates."""
    freshness: Json | None = field(default=None, repr=False)
    """What is under ``[freshness]``; None if the file does not speak of it."""


@dataclass(frozen=True)
class Environment:
    """One ``[environments.NAME]``: what is different for the branches that ``[branch_to_environment]`` gives to it."""

    name: str = DEFAULT_ENVIRONMENT
    perimeter: str | None = None
    deployer: str | None = None
    dags_folder: str | None = None
    deployment_config: str = "config.yml"
    """Name of the file in an app's folder that configures the app."""
    flow_configs: Mapping[str, str] = field(default_factory=dict)
    """Files for the Configs of flows, by the name of the Config, relative to the project."""


@dataclass(frozen=True)
class Dependencies:
    """``[dependencies]``: what flows are deployed with."""

    environment: str | None = None
    """Metaflow's ``--environment``; None leaves it to Metaflow."""
    package_suffixes: str = DEFAULT_PACKAGE_SUFFIXES
    include_pyproject_toml: bool = True


@dataclass(frozen=True)
class ProjectConfig:
    """The keys of ``obproject.toml`` that deploying and asset branches need; None where a key is absent."""

    project: str
    title: str | None = None
    perimeter: str | None = None
    branch: str | None = None
    version: str | None = None
    created_at: str | None = None
    dev_assets_branch: str | None = None
    promotion_aliases: tuple[str, ...] = ()
    deployer: str | None = None
    dags_folder: str | None = None
    auto_tags: bool = True
    compare_with: str | None = None
    """The branch that others are compared with; None leaves it to main and master."""
    check: str = CHECKS[0]
    """What the check of a commit comes to whose branch is worse."""
    left_out_of_runs: tuple[str, ...] = ()
    """Names of parameters and configs that the catalogue is never told."""
    timezone: str | None = field(default=None, repr=False)
    """Where the days of the project begin, such as ``Europe/Berlin``; None: in UTC."""
    dependencies: Dependencies = Dependencies()
    branch_to_environment: tuple[tuple[str, str], ...] = ()
    """Patterns of git branches with the name of their environment, in the order of the file."""
    environments: Mapping[str, Environment] = field(default_factory=dict)

    def environment_of(self, git_branch: str) -> Environment:
        """Return the environment of a branch: by its very name, else by the first pattern that fits."""
        named = dict(self.branch_to_environment).get(git_branch)
        fitting = (name for pattern, name in self.branch_to_environment if fnmatchcase(git_branch, pattern))
        name = named or next(fitting, DEFAULT_ENVIRONMENT)
        return self.environments.get(name) or Environment(name)


@dataclass(frozen=True)
class DeployRule:
    """``obproject_deploy.toml`` of one flow or app: from which branches it is deployed, and how an app is."""

    branches: tuple[str, ...] | None = None
    """Patterns of git branches; None if it is deployed from all."""
    command: tuple[str, ...] = ()
    """The program that deploys an app, with its arguments."""

    def admits(self, git_branch: str) -> bool:
        """Say whether it is deployed from a branch."""
        return self.branches is None or any(fnmatchcase(git_branch, pattern) for pattern in self.branches)


@dataclass(frozen=True)
class ProjectDefinition:
    """Everything that a project folder declares."""

    root: Path
    config: ProjectConfig
    assets: tuple[AssetDefinition, ...]
    """Data before models, each by folder name."""
    readme: str | None
    notes: tuple[str, ...] = ()
    """Sentences on what is read otherwise than one may think."""


def read_project(root: Path) -> ProjectDefinition:
    """Read and validate a project folder; raise DefinitionError with all its problems if there are any."""
    problems: list[Problem] = []
    config, folders = _read_config(root, problems)
    assets = [
        asset for folder in COLLECTIONS for asset in _read_assets(root, folder, folders.get(folder, folder), problems)
    ]
    _check_ids_differ(assets, problems)
    readme = read_readme(root, root, problems)
    if problems:
        raise DefinitionError(problems)
    notes = tuple(_notes(root, assets))
    return ProjectDefinition(root=root, config=config, assets=tuple(assets), readme=readme, notes=notes)


def _read_config(root: Path, problems: list[Problem]) -> tuple[ProjectConfig, dict[Collection, str]]:
    """Return the configuration and the folder names that it sets for the kinds of assets."""
    values = read_toml(root / PROJECT_FILE, PROJECT_FILE, problems)
    if values is None:
        return ProjectConfig(project=""), {}
    table = Table(values, PROJECT_FILE, problems)
    config = ProjectConfig(
        project=table.text("project", required=True, check=_check_project_name) or "",
        title=table.text("title"),
        timezone=table.text("timezone"),
        perimeter=table.text("perimeter", check=check_perimeter),
        branch=table.text("branch", check=check_branch),
        version=table.text("version", check=up_to(lengths.VERSION_ID_LENGTH)),
        created_at=table.text("created_at"),
        dev_assets_branch=table.table("dev-assets").text("branch", check=check_branch),
        promotion_aliases=tuple(table.table("promotion").texts("aliases", check=check_alias)),
        deployer=table.table("deploy").text("deployer", check=check_deployer),
        dags_folder=table.table("deploy").text("dags_folder"),
        auto_tags=table.table("deploy").table("tags").flag("auto", default=True),
        compare_with=table.table("deploy").text("compare_with", check=check_branch),
        check=table.table("deploy").text("check", check=_check_check) or CHECKS[0],
        left_out_of_runs=read_left_out_of_runs(table),
        dependencies=_read_dependencies(table.table("dependencies")),
        branch_to_environment=tuple(table.table("branch_to_environment").all_texts().items()),
        environments={name: _read_environment(name, inner) for name, inner in table.table("environments").tables()},
    )
    directories = table.table("obproject_dirs")
    names = {folder: directories.text(folder, check=_inside("folder")) for folder in COLLECTIONS}
    folders = {folder: name for folder, name in names.items() if name is not None}
    for folder, name in folders.items():
        if not (root / name).is_dir():
            directories.report(folder, repr(name), "the name of a folder that exists in the project")
    if folders.get("data", "data") == folders.get("models", "models"):
        directories.report("data", "the same folder as for models", "a folder of its own for each kind of asset")
    return config, folders


def read_left_out_of_runs(table: Table) -> tuple[str, ...]:
    """Return the names under ``[runs] leave_out`` of ``obproject.toml``."""
    return tuple(table.table("runs").texts("leave_out", check=up_to(lengths.NAME_LENGTH)))


def _read_dependencies(table: Table) -> Dependencies:
    return Dependencies(
        environment=table.text("environment"),
        package_suffixes=table.text("package_suffixes", check=_check_suffixes) or DEFAULT_PACKAGE_SUFFIXES,
        include_pyproject_toml=table.flag("include_pyproject_toml", default=True),
    )


def _read_environment(name: str, table: Table) -> Environment:
    return Environment(
        name=name,
        perimeter=table.text("perimeter", check=check_perimeter),
        deployer=table.text("deployer", check=check_deployer),
        dags_folder=table.text("dags_folder"),
        deployment_config=table.text("deployment_config", check=_inside("file")) or Environment.deployment_config,
        flow_configs=table.table("flow_configs").all_texts(check_key=_check_config_name),
    )


def read_deploy_rule(root: Path, directory: Path, problems: list[Problem]) -> DeployRule:
    """Return what ``obproject_deploy.toml`` in a folder of a flow or app says; what is wrong goes to ``problems``."""
    path = directory / DEPLOY_FILE
    if not path.exists():
        return DeployRule()
    source = path.relative_to(root).as_posix()
    values = read_toml(path, source, problems)
    deploy = Table(values or {}, source, problems).table("deploy")
    branches = deploy.texts("branches") if "branches" in deploy else None
    return DeployRule(tuple(branches) if branches is not None else None, tuple(deploy.texts("command")))


def _read_assets(root: Path, folder: Collection, name: str, problems: list[Problem]) -> list[AssetDefinition]:
    """Read every asset below one folder; stray files and hidden folders there are ignored."""
    parent = root / name
    if not parent.exists():
        return []
    try:
        entries = sorted(
            entry for entry in parent.iterdir() if entry.is_dir() and not entry.name.startswith((".", "_"))
        )
    except OSError as error:
        problems.append(mismatch(name, "", reason_of(error), "a folder with one folder for each asset"))
        return []
    assets = (_read_asset(root, folder, directory, problems) for directory in entries)
    return [asset for asset in assets if asset is not None]


def _read_asset(root: Path, folder: Collection, directory: Path, problems: list[Problem]) -> AssetDefinition | None:
    """Read one asset; None, with a problem noted, if it has no id that could be compared with the others'."""
    readme = read_readme(root, directory, problems)
    path = directory / ASSET_FILE
    source = path.relative_to(root).as_posix()
    values = read_toml(path, source, problems)
    if values is None:
        return None
    _check_source(source, problems)
    table = Table(values, source, problems)
    asset_id = table.text("id", required=True, check=check_asset_id)
    name = table.text("name", required=True, check=up_to(lengths.NAME_LENGTH))
    description = table.text("description", required=True, check=up_to(lengths.DESCRIPTION_LENGTH))
    asset_kind = table.text("kind", check=up_to(lengths.ASSET_KIND_LENGTH))
    asset = AssetDefinition(
        folder=folder,
        id=asset_id or "",
        name=name or "",
        description=description or "",
        asset_kind=asset_kind or KIND_OF[folder],
        source=source,
        properties=table.text_table("properties", check=_check_property),
        tags=table.text_table("tags", check=up_to(lengths.TAG_LENGTH)),
        blobs=table.json_list("blobs", most=lengths.BLOBS),
        icon=table.text("icon", check=up_to(lengths.ICON_LENGTH)),
        readme=readme,
        metrics=read_metrics(table),
        compare_ignore=read_left_out(table),
        gates=read_gates(table),
        freshness=read_freshness(table),
    )
    return asset if asset_id else None


def _check_ids_differ(assets: list[AssetDefinition], problems: list[Problem]) -> None:
    first_source: dict[tuple[Collection, str], str] = {}
    for asset in assets:
        first = first_source.setdefault((asset.folder, asset.id), asset.source)
        if first != asset.source:
            found = f"{asset.id!r}, which is the id in {first} too"
            problems.append(mismatch(asset.source, "key 'id'", found, "an id that no other asset of its kind has"))


def _check_project_name(name: str) -> str:
    if is_project_name(name):
        return name
    raise ValueError(
        f"found {shorten(name)}, expected {PROJECT_NAME_RULE}, as Metaflow's @project demands; "
        f"for example {suggested_project(name)!r}"
    )


def check_deployer(name: str) -> str:
    """Return the name of a deployer; raise ValueError for another name."""
    if name not in DEPLOYERS:
        raise ValueError(f"found {shorten(name)}, expected one of {', '.join(DEPLOYERS)}")
    return name


def _check_check(word: str) -> str:
    if word not in CHECKS:
        raise ValueError(f"found {shorten(word)}, expected one of {', '.join(CHECKS)}")
    return word


def _check_suffixes(text: str) -> str:
    if not _PACKAGE_SUFFIXES.fullmatch(text):
        raise ValueError(f"found {shorten(text)}, expected endings of files such as '.html,.json'")
    return text


def _check_config_name(name: str) -> str:
    if not _CONFIG_NAME.fullmatch(name):
        raise ValueError(f"found {shorten(name)}, expected the name of a Config")
    return name


def _inside(what: str) -> Callable[[str], str]:
    """Return a check that a text is the relative path of a folder or file below the project."""

    def check(name: str) -> str:
        path = Path(name)
        if path.is_absolute() or ".." in path.parts or path == Path():
            raise ValueError(f"found {shorten(name)}, expected a {what} inside the project, relative to it")
        return path.as_posix()

    return check


def _check_source(source: str, problems: list[Problem]) -> None:
    try:
        up_to(lengths.SOURCE_LENGTH)(check_characters(source))
    except ValueError as error:
        problems.append(Problem(source, "", f"in its path: {error}"))


def _check_property(text: str) -> str:
    size = len(text.encode())
    if size > lengths.ANNOTATION_BYTES:
        raise ValueError(f"found {size:,} bytes, expected at most {lengths.ANNOTATION_BYTES:,}")
    return text


def _find_readmes(directory: Path) -> list[Path]:
    """Return ``README.md`` and ``README.markdown`` in any case, in this order, capitals first."""
    try:
        paths = sorted(path for path in directory.iterdir() if path.stem.lower() == "readme" and path.exists())
    except OSError:
        return []
    return [path for suffix in README_SUFFIXES for path in paths if path.suffix.lower() == suffix]


def _notes(root: Path, assets: Iterable[AssetDefinition]) -> Iterator[str]:
    flows = sorted(root.glob("flows/[!._]*/"))
    for folder in (root, *((root / asset.source).parent for asset in assets), *flows):
        first, *others = _find_readmes(folder) or [folder]
        for path in others:
            yield f"{path.relative_to(root).as_posix()} is left out, as {first.name} beside it is the README."


def read_readme(root: Path, directory: Path, problems: list[Problem]) -> str | None:
    """Return the stripped text of the README in a directory; None if there is none or nothing is in it.

    It is ``README.md`` or ``README.markdown``, in any case. Of several the first of these is read, capitals first.

    What is wrong with it is added to ``problems``.
    """
    path = next(iter(_find_readmes(directory)), None)
    if path is None:
        return None
    source = path.relative_to(root).as_posix()
    text = read_text(path, source, problems, missing="a README")
    if text is None:
        return None
    if "\0" in text:
        problems.append(mismatch(source, line_of(text, text.index("\0")), "a NUL character", "text"))
    text = text.strip()
    if len(text) > lengths.README_LENGTH:
        problems.append(mismatch(source, "", f"{len(text):,} characters", f"at most {lengths.README_LENGTH:,}"))
    return text or None

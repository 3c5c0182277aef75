"""The plan of a deployment: all that it will do, read and validated before any change and any request."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from obproject.branches import branch_key, check_branch
from obproject.deploy.apps import App, read_apps
from obproject.deploy.choice import configured_deployers, find_deployer
from obproject.deploy.deployers import Deployer
from obproject.deploy.metaflow_commands import Command, DeployableFlow
from obproject.deploy.options import Options
from obproject.deploy.projects import ProjectFolder
from obproject.errors import AssetError
from obproject.project.checked_toml import DefinitionError, Problem, read_toml
from obproject.project.ci import CI, AmbiguousCI, find_ci
from obproject.project.definitions import ProjectConfig, ProjectDefinition, read_project
from obproject.project.git import Checkout, GitError, read_checkout
from obproject.project.record import Source, build_record, build_spec
from obproject.project.root import PROJECT_FILE
from obproject.project.workflows import Workflow, import_folders, read_workflows
from obproject.settings import Settings, find_settings

SPEC_FILE = "project_spec.json"
_WITH_PACKAGES = ("conda", "pypi", "fast-bakery")
"""The environments of Metaflow in which its decorators for packages work."""
_UNTOLD = "HEAD"
"""The name that git gives instead of a branch on a detached HEAD."""


@dataclass(frozen=True)
class Plan:
    """What is about to be deployed of one project, and where."""

    folder: ProjectFolder
    project: ProjectDefinition
    git_branch: str
    """The branch of the code, which filters and environments look at."""
    source: Source
    settings: Settings
    workflows: list[Workflow]
    apps: list[App]
    record: dict[str, Any]
    deployer: Deployer | None
    runnable: list[DeployableFlow]
    """The workflows with all that their commands need."""
    ci: CI | None

    @property
    def root(self) -> Path:
        return self.folder.root

    @property
    def name(self) -> str:
        """The project's name."""
        return self.project.config.project

    @property
    def branch(self) -> str:
        """The git name of the branch that is deployed to."""
        return self.source.branch_name

    @property
    def flows(self) -> list[DeployableFlow]:
        """The workflows that are deployed; none without a deployer."""
        return self.runnable if self.deployer else []

    @property
    def spec_file(self) -> Path:
        return self.root / SPEC_FILE

    def variables(self) -> dict[str, str]:
        """Return the environment variables that name the project, branch and perimeter of an app."""
        place = {"OB_PROJECT": self.name, "OB_BRANCH": self.branch}
        return place | _settings_variables(self.settings)

    def app_command(self, app: App) -> Command:
        return app.deploy_command(self.root, self.variables())


def make_plan(folder: ProjectFolder, options: Options) -> Plan:
    """Read and validate everything that a deployment is made of; raise DefinitionError with all that is wrong."""
    return _Planner(folder, options, os.environ).plan()


class _Planner:
    """Collects what a plan is made of, part by part, and the problems that it meets."""

    def __init__(self, folder: ProjectFolder, options: Options, environ: Mapping[str, str]) -> None:
        self.folder, self.root = folder, folder.root
        self.options, self.environ = options, environ
        self.problems: list[Problem] = []

    def plan(self) -> Plan:
        project = self._project()
        self.config = project.config if project else ProjectConfig(project="")
        self._check_choice()
        self.ci = self._ci()
        self.checkout = self._checkout()
        self.branch, self.git_branch = self._branches()
        self.environment = self.config.environment_of(self.git_branch)
        settings = self._settings()
        self.workflows = self._workflows()
        self.apps = read_apps(self.root, self.git_branch, self.environment.deployment_config, self.problems)
        self.deployer = self._deployer()
        self.configs = self._configs()
        self._check_environment()
        if project is None or settings is None or self.problems:
            raise DefinitionError(self.problems)
        return self._assembled(project, settings)

    def _assembled(self, project: ProjectDefinition, settings: Settings) -> Plan:
        source = self._source()
        commit = (self.ci and self.ci.commit) or _newest_commit(self.checkout)
        spec = build_spec(
            project=project,
            workflows=self.workflows,
            apps=[app.name for app in self.apps],
            source=source,
            perimeter=settings.perimeter,
            now=datetime.now(UTC),
        )
        return Plan(
            folder=self.folder,
            project=project,
            git_branch=self.git_branch,
            source=source,
            settings=settings,
            workflows=self.workflows,
            apps=[] if self.options.skip_apps else self.apps,
            record=build_record(spec=spec, version_id=self.config.version or commit or _digest(project)),
            deployer=self.deployer,
            runnable=[self._deployable(flow, commit, settings) for flow in self.workflows],
            ci=self.ci,
        )

    def _report(self, source: str, message: str, where: str = "") -> None:
        self.problems.append(Problem(source, where, message))

    def _project(self) -> ProjectDefinition | None:
        try:
            return read_project(self.root)
        except DefinitionError as error:
            self.problems.extend(error.problems)
            return None

    def _check_choice(self) -> None:
        """A project that is on its own may be named, but not by another's name."""
        project = self.config.project
        for name in self.options.projects:
            if not self.folder.name and project and name != project:
                self._report("--project", f"found {name!r}, expected {project!r}, which is the only project here")

    # Where the code comes from

    def _ci(self) -> CI | None:
        try:
            ci = find_ci(self.environ)
        except AmbiguousCI as error:
            self._report("environment", str(error))
            return None
        if ci and self.options.branch and self.options.branch != ci.branch:
            # The job is about another branch, as that of a merged pull request is: git knows what is checked out.
            return replace(ci, branch=self.options.branch, commit=None, merge_commit=None)
        return ci

    def _checkout(self) -> Checkout | None:
        try:
            return read_checkout(self.root, self.ci.commit if self.ci else None)
        except GitError as error:
            self._report("git", f"does not answer for {self.root}: {error}")
            return None

    def _branches(self) -> tuple[str, str]:
        """Return the branch to deploy to and the branch of the code: from the options, else from the CI or git."""
        detected = (self.ci and self.ci.branch) or (self.checkout and self.checkout.branch)
        git_branch = self.options.branch or detected
        target = self.options.branch or self.config.branch or detected
        if not target:
            self._report("branch", self._why_no_branch())
            return _UNTOLD, _UNTOLD
        try:
            check_branch(target)
            if branch_key(target) == branch_key(_UNTOLD):
                raise ValueError(
                    f"{target!r} is what git says on a detached HEAD, and no branch; name it with --branch"
                )
        except ValueError as error:
            self._report("branch", str(error))
        return target, git_branch or target

    def _why_no_branch(self) -> str:
        if self.ci:
            return f"{self.ci.system} builds no branch here, but a tag or a merge; name the branch with --branch"
        if self.checkout:
            return "git is on a detached HEAD, which is no branch; name the branch with --branch"
        return f"{self.root} is in no git repository, so it has no branch; name one with --branch"

    def _source(self) -> Source:
        page = (self.ci and self.ci.page) or self.environ.get("CI_URL")
        return Source(self.branch, self.checkout, self.environ.get("COMMIT_URL"), page)

    # Where it goes

    def _settings(self) -> Settings | None:
        perimeter = self.options.perimeter or self.environment.perimeter
        fallback = self.config.perimeter or self.environ.get("PERIMETER_NAME")
        try:
            settings = find_settings(perimeter=perimeter, project_perimeter=fallback)
        except AssetError as error:
            self._report("settings", str(error))
            return None
        if settings.url is None and not (self.options.spec_only or self.options.dry_run):
            remedy = f"set ASSETSITE_URL to its address, or use --no-server to write only {SPEC_FILE}"
            self._report("settings", f"no server is configured; {remedy}")
        return settings

    def _deployer(self) -> Deployer | None:
        """Return the deployer; what would keep it from deploying the flows is reported."""
        options, environment, config = self.options, self.environment, self.config
        if options.skip_flows or options.spec_only:
            return None
        name = options.deployer or environment.deployer or config.deployer or self._configured_deployer()
        folder = options.dags_folder or environment.dags_folder or config.dags_folder
        dags_folder = self.root / Path(folder).expanduser() if folder else None
        deployer = find_deployer(name, authorize=options.authorize, dags_folder=dags_folder)
        if deployer and self.workflows:
            self._check_deployable(deployer)
        return deployer

    def _configured_deployer(self) -> str:
        found = configured_deployers()
        if len(found) > 1:
            self._report("deployer", f"Metaflow is configured for {' and '.join(found)}; choose one with --deployer")
        return found[0] if found else "none"

    def _check_deployable(self, deployer: Deployer) -> None:
        for reason in deployer.lacks():
            self._report("deployer", reason)
        for flow in self.workflows:
            if flow.is_plain:
                message = (
                    f"found {flow.flow_name}, a plain FlowSpec, expected a ProjectFlow, for only that has a branch"
                )
                self._report(flow.source, message)

    # Flows

    def _check_environment(self) -> None:
        """Report an environment that this Metaflow does not have, as the vendor's Metaflow has others."""
        named = self.config.dependencies.environment
        if named and self.workflows:
            from metaflow.plugins import ENVIRONMENTS

            known = ["local", *sorted(environment.TYPE for environment in ENVIRONMENTS)]
            if named not in known:
                message = f"found {named!r}, expected an environment of this Metaflow: {', '.join(known)}"
                self._report(PROJECT_FILE, message, "[dependencies] key 'environment'")

    def _workflows(self) -> list[Workflow]:
        try:
            return read_workflows(self.root, self.git_branch, self.folder.repository)
        except DefinitionError as error:
            self.problems.extend(error.problems)
            return []

    def _configs(self) -> dict[str, Path]:
        """Return the files of all Configs that flows may have, by name."""
        found: dict[str, Path] = {}
        for name, path in self.environment.flow_configs.items():
            found[name] = self.root / path
            if not self.options.skip_flows and not found[name].is_file():
                where = f"[environments.{self.environment.name}.flow_configs] key {name!r}"
                self._report(PROJECT_FILE, f"found {path!r}, expected a file that exists in the project", where)
        self._check_config_names()
        dependencies = self.root / "pyproject.toml"
        if self.config.dependencies.include_pyproject_toml and dependencies.is_file():
            read_toml(dependencies, dependencies.name, self.problems)
            found.setdefault("project_deps", dependencies)
        return found

    def _check_config_names(self) -> None:
        """Report flows of which it can't be told whether they have a Config that the environment has a file for."""
        for flow in self.workflows:
            names = [name for name in self.environment.flow_configs if name not in flow.config_names]
            if names and flow.unclear_config:
                message = (
                    f"found a Config whose name the code does not tell, and the environment has a file for {names[0]!r}"
                    ", expected the name as a string or a constant"
                )
                self._report(flow.source, message, f"line {flow.unclear_config}")

    def _deployable(self, flow: Workflow, commit: str | None, settings: Settings) -> DeployableFlow:
        config, wanted = self.config, (*flow.config_names, "project_deps")
        declared = {name: path for name, path in self.configs.items() if name in wanted}
        asked = config.dependencies.environment or _environment_for(flow.environment)
        return DeployableFlow(
            name=flow.flow_name,
            project=config.project,
            branch=self.branch,
            file=self.root / flow.source,
            configs={"project_config": self.root / PROJECT_FILE, **declared},
            config_names=flow.config_names,
            tags=replace(self.ci, commit=commit).tags if self.ci and config.auto_tags else (),
            package_suffixes=config.dependencies.package_suffixes,
            environment=asked or (_environment_for("pypi") if self._has_packages() else None),
            environment_of_runs=asked,
            variables={"PYTHONPATH": self._python_path(), **_settings_variables(settings)},
        )

    def _has_packages(self) -> bool:
        """Say whether a ProjectFlow gets ``@pypi_base`` from the project's ``pyproject.toml``."""
        from metaflow import pyproject_toml_parser

        from obproject.flow import declared_packages

        if "project_deps" not in self.configs:
            return False
        try:
            packages = pyproject_toml_parser(self.configs["project_deps"].read_text(encoding="utf-8"))
        except (OSError, ValueError):
            # Metaflow says what is wrong with it.
            return False
        return bool(declared_packages({"project_config": {}, "project_deps": packages}))

    def _python_path(self) -> str:
        folders = import_folders(self.root, self.folder.repository)
        inherited = self.environ.get("PYTHONPATH")
        return os.pathsep.join([*map(str, folders), *([inherited] if inherited else [])])


def _environment_for(needed: str | None) -> str | None:
    """Return the environment to ask Metaflow for; None where the one that it is configured for will do."""
    if needed is None:
        return None
    from metaflow.metaflow_config_funcs import from_conf

    return None if from_conf("DEFAULT_ENVIRONMENT", "local") in _WITH_PACKAGES else needed


def _settings_variables(settings: Settings) -> dict[str, str]:
    found = {"ASSETSITE_URL": settings.url, "ASSETSITE_PERIMETER": settings.perimeter}
    return {name: value for name, value in found.items() if value}


def _newest_commit(checkout: Checkout | None) -> str | None:
    return checkout.commits[0].sha if checkout and checkout.commits else None


def _digest(project: ProjectDefinition) -> str:
    """Return a version for a folder without commits: the same as long as what it declares is the same."""
    gates = [(asset.source, asset.gates) for asset in project.assets if asset.gates is not None]
    freshness = [(asset.source, asset.freshness) for asset in project.assets if asset.freshness is not None]
    later = [repr(said) for said in (gates, freshness, project.config.timezone) if said]
    content = repr((project.config, project.assets, project.readme)) + "".join(later)
    return f"content-{hashlib.sha256(content.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"

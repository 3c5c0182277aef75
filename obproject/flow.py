"""``ProjectFlow``: a FlowSpec that belongs to a project and has ``self.prj``."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metaflow import Config, FlowMutator, FlowSpec, config_expr, project, pypi_base, pyproject_toml_parser
from metaflow.exception import MetaflowException

from obproject.settings import plain

if TYPE_CHECKING:
    from obproject.prj import ProjectContext


class _ProjectMutator(FlowMutator):
    """Adds to a flow what its project asks for."""

    def pre_mutate(self, mutable_flow: Any) -> None:
        for _, step in mutable_flow.steps:
            step.add_decorator("assetsite_task")
        configs = dict(mutable_flow.configs)
        if packages := declared_packages(configs):
            mutable_flow.add_decorator(pypi_base, deco_kwargs=packages, duplicates=mutable_flow.ERROR)

    def add_to_package(self) -> list[tuple[Any, ...]]:
        """Ship the modules of the project's ``src``, which Metaflow, packing the folder of the flow, leaves out."""
        from metaflow.packaging_sys import ContentType

        root = _project_of_flow()
        if root is None:
            return []
        source = root / "src"
        files = sorted(source.rglob("*.py"))
        return [(str(path), path.relative_to(source).as_posix(), ContentType.USER_CONTENT) for path in files]


def declared_packages(configs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of ``@pypi_base``; empty if the flow is to manage its packages itself."""
    included = (configs["project_config"].get("dependencies") or {}).get("include_pyproject_toml", True)
    declared = configs["project_deps"] or {}
    if not included or plain("OBPROJECT_SKIP_PYPI_BASE") == "1" or not declared.get("packages"):
        return {}
    return {name: declared[name] for name in ("packages", "python") if declared.get(name)}


class ProjectFileError(MetaflowException):
    """``obproject.toml`` can't be used."""

    headline = "The project file can't be used"


def _folders_of_flow() -> list[Path]:
    """Return where the flow is that is started: the folder of the script, and that of the flow's code.

    They differ where a Runner or Deployer loads the flow into another program.
    """
    from metaflow.parameters import current_flow

    classes = getattr(current_flow, "flow_cls", object).__mro__
    functions = [member for found in classes for member in vars(found).values() if inspect.isfunction(member)]
    files = [sys.argv[0], *(function.__code__.co_filename for function in functions[:1])]
    return list(dict.fromkeys(Path(file).resolve().parent for file in files))


def _project_of_flow() -> Path | None:
    from obproject.project.root import find_project_root

    return next((root for folder in _folders_of_flow() if (root := find_project_root(folder))), None)


def default_project_file(_context: Any) -> str:
    """Return the project file of the flow that is started: above its own folder, else above the present one."""
    from obproject.project.root import PROJECT_FILE, find_project_root

    if root := _project_of_flow() or find_project_root(Path.cwd()):
        return str(root / PROJECT_FILE)
    if "resume" in sys.argv:
        # The run that is resumed has its own; Metaflow asks for a default all the same.
        return PROJECT_FILE
    places = " or ".join(dict.fromkeys(map(str, [*_folders_of_flow(), Path.cwd()])))
    raise ProjectFileError(
        f"there is no obproject.toml in {places}, or above. Move the flow into its project, start it there, "
        "or name the file before the command: python flow.py --config project_config FILE run"
    )


def _read_project_file(text: str) -> dict[str, Any]:
    # Imported here because a task gets from its run what was read.
    import tomllib

    from obproject.project.checked_toml import Problem, Table
    from obproject.project.definitions import read_left_out_of_runs
    from obproject.project.root import PROJECT_FILE

    try:
        config = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProjectFileError(f"obproject.toml is no valid TOML: {error}") from None
    if not isinstance(config.get("project"), str):
        raise ProjectFileError("obproject.toml: key 'project' is missing; the name of the project is expected.")
    problems: list[Problem] = []
    # No flow starts that would tell what it was meant to leave out.
    read_left_out_of_runs(Table(config, PROJECT_FILE, problems))
    if problems:
        raise ProjectFileError(str(problems[0]))
    return config


@_ProjectMutator()
@project(name=config_expr("project_config.project"))
class ProjectFlow(FlowSpec):
    """Base class of a project's flows: a FlowSpec that reads ``obproject.toml`` and has :attr:`prj`.

    The file is looked for in the folder of the flow and above, then in the present folder and above; or name it:
    ``python flow.py --config project_config FILE run``.
    """

    project_config = Config("project_config", default=default_project_file, parser=_read_project_file)
    project_deps = Config("project_deps", default_value="", parser=pyproject_toml_parser)
    project_spec = Config("project_spec", default_value="{}")

    # Everything else that is set on a flow becomes an artifact.
    _EPHEMERAL = FlowSpec._EPHEMERAL | {"_prj"}
    _prj: ProjectContext | None = None

    @property
    def prj(self) -> ProjectContext:
        """The project that this flow belongs to, and its assets. Usable in steps."""
        if self._prj is None:
            # Imported here because of a flow's processes only those of steps ask the catalogue.
            from obproject.prj import ProjectContext

            self._prj = ProjectContext(self)
        return self._prj

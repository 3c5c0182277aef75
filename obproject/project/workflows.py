"""The flows of a project folder, found by reading ``flows/*/flow.py`` without running them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from obproject.project.checked_toml import DefinitionError, Problem
from obproject.project.definitions import read_deploy_rule, read_readme
from obproject.project.flow_code import EvaluationCard, FlowCode, FlowCodeError, read_flow


@dataclass(frozen=True)
class Workflow:
    """One flow of a project."""

    flow_name: str
    source: str
    """The file, relative to the project, with ``/`` between its parts."""
    readme: str | None
    is_plain: bool = False
    """Whether it is a plain FlowSpec, which belongs to no project."""
    highlight_step: str | None = None
    evaluation_card: EvaluationCard | None = None
    config_names: tuple[str, ...] = ()
    """The Configs that it declares."""
    unclear_config: int | None = None
    """The line of a Config whose name its code does not tell."""
    environment: str | None = None
    """The environment of Metaflow that its decorators for packages need."""


def import_folders(root: Path, repository: Path | None = None) -> list[Path]:
    """Return the folders of a project that are on the path when its flows run, beside the flow's own."""
    folders = [root, root / "src", *([repository] if repository else [])]
    return list(dict.fromkeys(folders))


def read_workflows(root: Path, git_branch: str | None = None, repository: Path | None = None) -> list[Workflow]:
    """Find the flows of a project, by folder name; raise DefinitionError with all that is wrong with them.

    Folders without a ``flow.py``, and hidden ones, are no flows. With a branch, flows that are not deployed from it
    are left out, unread. ``repository`` is the folder above the project that holds several.
    """
    problems: list[Problem] = []
    workflows = list(_read_all(root, git_branch, import_folders(root, repository), problems))
    first_source: dict[str, str] = {}
    for flow in workflows:
        first = first_source.setdefault(flow.flow_name, flow.source)
        if first != flow.source:
            problems.append(Problem(flow.source, "", f"found the flow {flow.flow_name}, which {first} has too"))
    if problems:
        raise DefinitionError(problems)
    return workflows


def _read_all(
    root: Path, git_branch: str | None, folders: Sequence[Path], problems: list[Problem]
) -> Iterator[Workflow]:
    for path in sorted(root.glob("flows/[!._]*/flow.py")):
        rule = read_deploy_rule(root, path.parent, problems)
        if git_branch is None or rule.admits(git_branch):
            source = path.relative_to(root).as_posix()
            if code := _read_code(path, source, folders, problems):
                yield _workflow(code, source, read_readme(root, path.parent, problems))


def _read_code(path: Path, source: str, folders: Sequence[Path], problems: list[Problem]) -> FlowCode | None:
    try:
        return read_flow(path, folders)
    except SyntaxError as error:
        problems.append(Problem(source, f"line {error.lineno or 1}", f"found a syntax error ({error.msg})"))
    except FlowCodeError as error:
        problems.append(Problem(source, f"line {error.line}" if error.line else "", str(error)))
    except (OSError, ValueError) as error:
        problems.append(Problem(source, "", str(error)))
    return None


def _workflow(code: FlowCode, source: str, readme: str | None) -> Workflow:
    return Workflow(
        flow_name=code.name,
        source=source,
        readme=readme,
        is_plain=code.is_plain,
        highlight_step=code.highlight_step,
        evaluation_card=code.evaluation_card,
        config_names=code.config_names,
        unclear_config=code.unclear_config,
        environment=code.environment,
    )

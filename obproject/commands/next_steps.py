"""The end of what ``obproject doctor`` says: which of the first steps are done, and how to do the next one."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

from obproject import first_steps
from obproject.connection import Connection
from obproject.errors import AssetError
from obproject.json_types import Json
from obproject.project.place import ProjectFile
from obproject.project.root import PROJECT_FILE
from obproject.settings import Settings

FLOW_FILES = ("*.py", "flows/*.py", "flows/*/*.py", "src/*.py")
MOST_FILES = 200
PLAIN, OURS = "FlowSpec", "ProjectFlow"
_REGISTERING = "register_"
"""How the methods begin that register something."""
_LOOKS_FOR = 1.0
"""Seconds in which a site at the usual address has to answer."""


@dataclass(frozen=True)
class NextStep:
    """One of the first steps, by the name that the site's own page has for it."""

    step: str
    done: bool
    message: str
    """What there is to do, or what is done."""
    paste: str = ""
    """Lines that do it."""


@dataclass(frozen=True)
class Flow:
    """A flow as its file declares it."""

    file: str
    name: str
    is_ours: bool
    registers: bool


@dataclass(frozen=True)
class NextSteps:
    """All of the first steps, in order, and where the site shows them or what came of them."""

    steps: list[NextStep]
    page: str = ""

    @property
    def next(self) -> NextStep | None:
        """The first that is not done."""
        return next((step for step in self.steps if not step.done), None)

    @property
    def document(self) -> Json:
        """Return what ``--json`` adds."""
        steps = [{"step": one.step, "done": one.done, "message": one.message, "paste": one.paste} for one in self.steps]
        return {"first_steps": steps, "page": self.page}

    def __str__(self) -> str:
        """Return the steps with how to do the next one; one line where all are done."""
        if self.next is None:
            return f"next: nothing is left to do; what your runs make is at {self.page}"
        lines = [f"{'done' if one.done else 'to do':<8} {one.step:<11} {one.message}" for one in self.steps]
        pasted = "".join(f"\n    {line}".rstrip(" ") for line in self.next.paste.splitlines())
        shown = f"\n\nThe result shows at {self.page}" if self.page else ""
        return "\n".join(["First steps", *lines]) + f"\n\nnext: {self.next.message}\n{pasted}{shown}"


def next_steps(settings: Settings, project: str | None, file: ProjectFile, *, answers: bool) -> NextSteps:
    """Look at what is done. ``answers``: whether the catalogue that is configured does."""
    flows = list(_flows(file.path.parent if file.path else file.folder))
    own = next((flow for flow in flows if flow.is_ours), None)
    told = _told(settings, project) if answers and project else {}
    newest = told.get("newest") or {}
    has_arrived = newest.get("state") == "ready"
    found = [
        _catalogue(settings, answers=answers),
        _project(settings, project, file),
        _base_class(flows, own),
        _lines(flows, own),
        _run(own),
    ]
    if has_arrived:
        # However it was made, such as by a script: nothing of it is missing.
        found = [one if one.done else replace(one, done=True, message="done", paste="") for one in found]
    if settings.url is None or not answers:
        return NextSteps(found)
    path = newest["url"] if has_arrived else urlsplit(settings.url).path + _path(settings, project)
    return NextSteps(found, urljoin(settings.url, path))


def _told(settings: Settings, project: str) -> Json:
    """Return what the site has noticed; nothing if it is an older one, which has no such page."""
    try:
        return Connection(replace(settings, retries=0)).request(
            "GET", _path(settings, project, ".json"), about="asking what has arrived"
        )
    except AssetError:
        return {}


def _path(settings: Settings, project: str | None, suffix: str = "") -> str:
    asked = f"?{urlencode({'project': project})}" if project else ""
    return f"/{settings.perimeter}/~first-steps{suffix}{asked}"


def _catalogue(settings: Settings, *, answers: bool) -> NextStep:
    if answers:
        return NextStep("client", True, f"the client is installed and finds {settings.url}")
    if settings.url:
        return NextStep("client", False, f"start the catalogue, as nothing usable answers at {settings.url}", "")
    if _is_at_the_usual_address():
        return NextStep(
            "client",
            False,
            f"say where the catalogue is: one is at {first_steps.USUAL_ADDRESS}",
            first_steps.settings_lines(first_steps.USUAL_ADDRESS),
        )
    return NextStep(
        "client",
        False,
        "start a catalogue in another shell (pip install assetsite brings it), and say here where it is",
        f"{first_steps.SERVE}\n{first_steps.settings_lines(first_steps.USUAL_ADDRESS)}",
    )


def _is_at_the_usual_address() -> bool:
    usual = Settings(first_steps.USUAL_ADDRESS, timeout=_LOOKS_FOR, retries=0)
    try:
        me = Connection(usual).request("GET", "/v1/me", about="looking for a catalogue on this machine")
    except AssetError:
        return False
    return isinstance(me.get("perimeters"), list)


def _project(settings: Settings, project: str | None, file: ProjectFile) -> NextStep:
    if project:
        return NextStep("project", True, f"the project is {project!r}")
    name = first_steps.suggested_project(_folder_of(file.folder).name)
    where = file.path or file.folder / PROJECT_FILE
    verb = "say in" if file.path else "make the file"
    return NextStep("project", False, f"{verb} {where}", first_steps.project_lines(name, settings.perimeter))


def _folder_of(folder: Path) -> Path:
    """Return the top of the git repository around a folder, else the folder."""
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), folder)


def _base_class(flows: list[Flow], own: Flow | None) -> NextStep:
    if own:
        return NextStep("base", True, f"{own.name} in {own.file} is a {OURS}")
    if not flows:
        return NextStep("base", False, "write a flow: this one runs as flow.py", first_steps.FIRST_FLOW)
    first = flows[0]
    return NextStep(
        "base", False, f"give {first.name} in {first.file} its base", first_steps.BASE_CLASS.format(flow=first.name)
    )


def _lines(flows: list[Flow], own: Flow | None) -> NextStep:
    registering = next((flow for flow in flows if flow.registers), None)
    if registering:
        return NextStep("lines", True, f"{registering.name} in {registering.file} registers something")
    where = f"a step of {own.name} in {own.file}" if own else "a step"
    return NextStep(
        "lines", False, f"have {where} register what it has made, as here self.points", first_steps.REGISTERING
    )


def _run(own: Flow | None) -> NextStep:
    from metaflow.util import get_username

    command = f"python {own.file if own else 'flow.py'} run"
    if get_username():
        return NextStep("run", False, "run it", command)
    return NextStep("run", False, "say who you are, and run it", f"export METAFLOW_USER=me\n{command}")


def _flows(root: Path) -> Iterator[Flow]:
    """Yield the flows of the files in a project's folder, read without running them."""
    files = [path for pattern in FLOW_FILES for path in sorted(root.glob(pattern))]
    for path in files[:MOST_FILES]:
        for node in _statements(path):
            if (
                isinstance(node, ast.ClassDef)
                and (bases := _bases(node))
                and (bases & {PLAIN, OURS} or _has_steps(node))
            ):
                yield Flow(path.relative_to(root).as_posix(), node.name, PLAIN not in bases, _registers(node))


def _statements(path: Path) -> list[ast.stmt]:
    """Return what a file has outside of functions and classes; nothing of it where Python can't read it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as of "\d", which Python tells whoever runs the file
            return ast.parse(path.read_bytes()).body
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _bases(flow: ast.ClassDef) -> set[str]:
    return {ast.unparse(base).rpartition(".")[2] for base in flow.bases}


def _has_steps(flow: ast.ClassDef) -> bool:
    """Say whether it is a flow though its base, such as one of the team's own, does not tell so."""
    decorators = [one for node in flow.body if isinstance(node, ast.FunctionDef) for one in node.decorator_list]
    return any(isinstance(one, ast.Name) and one.id == "step" for one in decorators)


def _registers(flow: ast.ClassDef) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr.startswith(_REGISTERING) for node in ast.walk(flow))

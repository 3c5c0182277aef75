"""A run or a session as pages show it: what is known of it, in words, and in one sentence what was not told."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.conf import settings

from catalog.models import Run
from catalog.pagekit.repositories import commit_url, repository_url
from catalog.pagekit.uses import EntityLink
from catalog.states import RunState, State
from obproject.sessions import is_session_id

IN_A_LINE = 3
"""How many parameters stand beside the commit, and how long each may be."""
LONGEST_IN_A_LINE = 40


@dataclass(frozen=True)
class RunFacts:
    """`name` is that of the run or session; `run` is empty if nothing is known of it."""

    name: str
    run: Run

    @classmethod
    def of(cls, name: str, run: Run | None) -> "RunFacts":
        return cls(name, run or Run())

    @property
    def is_session(self) -> bool:
        return is_session_id(self.name)

    @property
    def link(self) -> EntityLink:
        return run_link(self.name)

    @property
    def origin(self) -> EntityLink | None:
        """The run that it resumes."""
        return run_link(self.run.origin) if self.run.origin else None

    @property
    def look(self) -> State:
        """The state of an instance whose symbol and colour the state of the run has."""
        looks = {RunState.SUCCEEDED.value: State.READY, RunState.FAILED.value: State.FAILED}
        return looks.get(self.run.state, State.PENDING)

    @property
    def commit_url(self) -> str:
        return commit_url(self.run.repository, self.run.commit)

    @property
    def repository_url(self) -> str:
        return repository_url(self.run.repository)

    @property
    def since(self) -> Any:
        """When a session began, as far as that is known: it has written by then."""
        return self.run.started_at or self.run.first_at

    @property
    def seconds(self) -> float | None:
        """How long it took, where both ends are known."""
        if not (self.run.started_at and self.run.finished_at):
            return None
        return max(0.0, (self.run.finished_at - self.run.started_at).total_seconds())

    @property
    def versions(self) -> str:
        named = (("Metaflow", self.run.metaflow_version), ("Python", self.run.python_version))
        return ", ".join(f"{name} {version}" for name, version in named if version)

    @property
    def parameters(self) -> list[tuple[str, str]]:
        return _as_text(self.run.parameters)

    @property
    def configs(self) -> list[tuple[str, str]]:
        return _as_text(self.run.configs)

    @property
    def has_values(self) -> bool:
        return bool(self.run.parameters or self.run.configs or self.run.left_out)

    @property
    def in_a_line(self) -> list[tuple[str, str]]:
        """The first few parameters that are short and no lists or tables."""
        told = self.run.parameters or {}
        scalars = _as_text({name: value for name, value in told.items() if not isinstance(value, dict | list)})
        return [(name, text) for name, text in scalars if len(name) + len(text) < LONGEST_IN_A_LINE][:IN_A_LINE]

    @property
    def more_values(self) -> int:
        return len(self.run.parameters or {}) + len(self.run.configs or {}) - len(self.in_a_line)

    @property
    def is_known(self) -> bool:
        """Whether anything but its name is."""
        run = self.run
        return run.reported_at is not None or bool(run.state or run.finished_at or run.commit)

    @property
    def untold(self) -> str:
        """What nobody has told, as a list in words; empty if all is known."""
        run = self.run
        missing = [
            *(["who started it"] if not run.user else []),
            *(["when it started"] if not run.started_at else []),
            *(["how it ended"] if not run.state and not self.is_session else []),
            *(["the commit"] if not run.commit else []),
            *(["whether there were changes beside the commit"] if run.commit and run.dirty is None else []),
            *(["the parameters"] if run.parameters is None and not self.is_session else []),
            *(["the versions of Metaflow and Python"] if not self.versions else []),
        ]
        return " and ".join([", ".join(missing[:-1]), missing[-1]] if len(missing) > 1 else missing)


def run_link(name: str) -> EntityLink:
    """A run by its name, with its address in the Metaflow UI, if there is one."""
    ui = settings.METAFLOW_UI_URL
    return EntityLink("flow", name, f"{ui}/{quote(name)}" if ui and not is_session_id(name) else "")


def value_text(value: Any) -> str:
    """A value of a parameter as people read it; of one that was left out, what it was."""
    omitted = value.get("_omitted") if isinstance(value, dict) and len(value) == 1 else None
    if isinstance(omitted, dict):
        if isinstance(omitted.get("file"), str):
            return f"file {omitted['file']}"
        if isinstance(omitted.get("length"), int) and isinstance(omitted.get("digest"), str):
            digest = omitted["digest"]
            return f"left out: {omitted['length']:,} characters, {digest[:19]}{'…' if digest[19:] else ''}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _as_text(values: dict[str, Any] | None) -> list[tuple[str, str]]:
    """By name, as databases keep no order of their own."""
    return [(name, value_text(value)) for name, value in sorted((values or {}).items())]

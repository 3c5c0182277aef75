"""The layout of Metaflow's datastore: the only module that knows Metaflow's paths, file names and settings.

Every path is relative to a datastore root and uses "/", whether the root is a folder or a bucket.
"""

import json
import os
import re
from pathlib import Path
from typing import NamedTuple

# Letters and digits of any script (Python class names may have them) and the few signs that schedulers put into ids
SEGMENT = re.compile(r"[\w:=@+~-][\w.:=@+~-]{0,199}")
CARD_FILE = re.compile(r"(?P<type>\w{1,100})(?:-(?P<id>\w{1,100}))?-(?P<uuid>[A-Za-z0-9]{5,64})\.html", re.ASCII)
CARD_BASES = ("mf.cards/", "")


class TaskPath(NamedTuple):
    """The four names of a task's pathspec."""

    flow: str
    run: str
    step: str
    task: str

    @classmethod
    def parse(cls, pathspec: str) -> "TaskPath | None":
        """The task that `pathspec` names; None if it can't be a task's, or a name could lead out of its folder."""
        names = pathspec.split("/")
        return cls(*names) if len(names) == 4 and all(SEGMENT.fullmatch(name) for name in names) else None

    @property
    def run_folder(self) -> str:
        """The folder of the run's files."""
        return f"{self.flow}/{self.run}"

    @property
    def folder(self) -> str:
        """The folder of the task's files."""
        return "/".join(self)

    @property
    def card_folders(self) -> list[str]:
        """The folders that may hold the task's cards: below `mf.cards`, or below the root if it was made for cards
        alone; with the step in the path, or, as before June 2022, without it."""
        run, step, task = f"{self.flow}/runs/{self.run}/", f"steps/{self.step}/", f"tasks/{self.task}"
        return [base + run + middle + task for base in CARD_BASES for middle in (step, "")]


class CardName(NamedTuple):
    """The parts of the name of a card's file. `key`, the name without its suffix, is safe in a URL."""

    key: str
    type: str
    id: str | None
    uuid: str

    @classmethod
    def parse(cls, file_name: str) -> "CardName | None":
        """The parsed file name, or None if it is no card's."""
        match = CARD_FILE.fullmatch(file_name)
        return cls(file_name.removesuffix(".html"), match["type"], match["id"], match["uuid"]) if match else None


def html_path(task_cards: str, key: str) -> str:
    """The path of a card's page, below one of `TaskPath.card_folders`."""
    return f"{task_cards}/cards/{key}.html"


def live_path(task_cards: str, key: str) -> str:
    """The path of the newest data that a running task wrote into a card."""
    return f"{task_cards}/runtime/{key}.data.json"


def metaflow_setting(name: str) -> str | None:
    """A setting of Metaflow's own (`METAFLOW_<name>`): from the environment, or else its configuration file."""
    variable = f"METAFLOW_{name}"
    value = os.environ.get(variable) or _configuration_file().get(variable)
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _configuration_file() -> dict[str, object]:
    """Metaflow's configuration of this user and profile; a missing or broken one has no settings."""
    profile = os.environ.get("METAFLOW_PROFILE")
    # Without a home folder the `~` stays, as it does for Metaflow
    home = Path(os.path.expanduser(os.environ.get("METAFLOW_HOME", "~/.metaflowconfig")))  # noqa: PTH111
    try:
        settings = json.loads((home / (f"config_{profile}.json" if profile else "config.json")).read_text())
    except (OSError, ValueError):
        return {}
    return settings if isinstance(settings, dict) else {}

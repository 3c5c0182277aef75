"""How the branch that was deployed stands beside the project's main branch, as the catalogue tells it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from obproject.branches import MAIN_BRANCHES, branch_key, is_main
from obproject.connection import Connection
from obproject.deploy.plan import Plan
from obproject.errors import AssetError, AssetNotFound
from obproject.json_types import Json

PATIENCE = 20.0
"""Seconds that the catalogue has for each answer; a deploy waits no longer for what only tells."""


@dataclass(frozen=True)
class Comparison:
    """A branch, compared with another one of its project."""

    base: str
    head: str
    sentence: str
    """The verdict."""
    is_worse: bool
    """Whether anything is worse than on the other branch."""
    markdown: str

    def page(self, branch_page: str) -> str:
        """Return the address of the page that compares, by that of the branch."""
        return f"{branch_page.rstrip('/').rpartition('/')[0]}/compare/{_pair(self.base, self.head)}"

    @property
    def document(self) -> Json:
        """The comparison for programs."""
        return {"base": self.base, "sentence": self.sentence, "worse": self.is_worse}


class NotCompared(Exception):
    """The catalogue tells of no comparison, in a sentence for the user."""


def compared(plan: Plan) -> Comparison | None:
    """Ask the catalogue how a branch stands beside the project's main branch, or the one that ``compare_with`` names.

    None for a main branch, and for that branch itself. Raises NotCompared if there is no answer.
    """
    wanted = plan.project.config.compare_with
    bases = (wanted,) if wanted else MAIN_BRANCHES
    head = branch_key(plan.branch)
    if is_main(head) or head in map(branch_key, bases):
        return None
    asked = Connection(replace(plan.settings, timeout=PATIENCE, retries=0))
    try:
        return next(_found(asked, plan, bases, head))
    except StopIteration:
        raise NotCompared(f"the catalogue has no branch {' and no branch '.join(bases)} of {plan.name}") from None
    except AssetError as error:
        raise NotCompared(" ".join(str(error).split())) from error


def _found(asked: Connection, plan: Plan, bases: tuple[str, ...], head: str) -> Iterator[Comparison]:
    for base in bases:
        path = f"/{plan.settings.perimeter}/{plan.name}/compare/{_pair(branch_key(base), head)}"
        about = f"comparing {plan.branch} with {base}"
        try:
            said = asked.request("GET", f"{path}.json", about=about)
        except AssetNotFound as error:
            if error.detail.get("branch") in (base, branch_key(base)):
                continue
            raise NotCompared(
                f"the catalogue at {plan.settings.url} can't compare branches; it is older than this program"
            ) from error
        sentence, worse = said.get("sentence"), said.get("worse")
        if not isinstance(sentence, str) or not isinstance(worse, int):
            raise NotCompared(f"{about}: the catalogue answered with something else than a comparison")
        markdown = asked.text(f"{path}.md", "text/markdown", about=about)
        yield Comparison(branch_key(base), head, sentence, worse > 0, markdown)


def _pair(base: str, head: str) -> str:
    return f"{base}...{head}"

"""What the environment of a CI job says about the branch, the commits and the CI system itself.

A CI often checks out a detached HEAD or a merge commit of its own, so its word on branch and commit comes before git's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Environ = Mapping[str, str]


class AmbiguousCI(ValueError):
    """The environment is that of several CI systems at once."""


@dataclass(frozen=True)
class CI:
    """One job of a CI system."""

    system: str
    branch: str | None = None
    """The git branch that is built: in the build of a pull request its source; None in the build of a tag."""
    commit: str | None = None
    """The commit that was pushed, never one that the CI made to try a merge."""
    merge_commit: str | None = None
    """The commit that the CI made of the pushed one and the target branch."""
    page: str | None = None
    """Address of the CI's page on this job."""
    run_tag: str | None = None
    """A tag that leads from what is deployed to this job."""

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags for what this job deploys; they go on to its runs."""
        commit = f"commit-hash:{self.commit}" if self.commit else None
        merged = f"merge-commit-hash:{self.merge_commit}" if self.merge_commit else None
        return tuple(tag for tag in (commit, merged, self.run_tag) if tag)


def find_ci(environ: Environ) -> CI | None:
    """Return the CI job of this environment, None outside of one; raise AmbiguousCI if there are several."""
    active = _active(environ)
    if len(active) > 1:
        names = " and ".join(name for name, _ in active)
        signs = ", ".join(_SIGNS[name] for name, _ in active)
        raise AmbiguousCI(f"the environment is that of {names} at once ({signs}); unset what is not true")
    return active[0][1](environ) if active else None


def find_branch(environ: Environ) -> str | None:
    """Return the git branch that the CI builds; None outside a CI and in the build of a tag."""
    ci = _first(environ)
    return ci.branch if ci else None


def find_commit(environ: Environ) -> str | None:
    """Return the sha of the commit that the CI builds."""
    ci = _first(environ)
    return ci.commit if ci else None


def _first(environ: Environ) -> CI | None:
    return next((read(environ) for _, read in _active(environ)), None)


def _active(environ: Environ) -> list[tuple[str, Callable[[Environ], CI]]]:
    return [(name, read) for name, (is_active, read) in _SYSTEMS.items() if is_active(environ)]


def _github(environ: Environ) -> CI:
    head = _branch_of(environ.get("GITHUB_HEAD_REF") or environ.get("GH_HEAD_REF"))
    is_tag = environ.get("GITHUB_REF_TYPE") == "tag"
    name = head or _branch_of(_unless_merge(environ.get("GITHUB_REF_NAME")) or environ.get("GH_REF"))
    built = environ.get("GITHUB_SHA") or None
    pushed = github_event(environ).get("pull_request", {}).get("head", {}).get("sha") if head else None
    run = environ.get("GITHUB_RUN_ID")
    address = [environ.get(name) for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY")]
    return CI(
        system="GitHub Actions",
        branch=None if is_tag else name,
        commit=pushed or built,
        merge_commit=_other(built, pushed),
        page="/".join([*map(str, address), "actions/runs", run]) if all(address) and run else None,
        run_tag=_tag("gh-action-run", run),
    )


def _gitlab(environ: Environ) -> CI:
    name = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME") or environ.get("CI_COMMIT_REF_NAME")
    built = environ.get("CI_COMMIT_SHA") or None
    pushed = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or None
    return CI(
        system="GitLab CI",
        branch=None if environ.get("CI_COMMIT_TAG") else _branch_of(name),
        commit=pushed or built,
        merge_commit=_other(built, pushed),
        page=environ.get("CI_JOB_URL") or environ.get("CI_PIPELINE_URL") or None,
        run_tag=_tag("gitlab-pipeline-run", environ.get("CI_PIPELINE_ID")),
    )


def _azure(environ: Environ) -> CI:
    name = environ.get("SYSTEM_PULLREQUEST_SOURCEBRANCH") or environ.get("BUILD_SOURCEBRANCH")
    built = environ.get("BUILD_SOURCEVERSION") or None
    pushed = environ.get("SYSTEM_PULLREQUEST_SOURCECOMMITID") or None
    address = [environ.get(name) for name in ("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECT", "BUILD_BUILDID")]
    collection, project, build = address
    return CI(
        system="Azure DevOps",
        branch=_branch_of(name),
        commit=pushed or built,
        merge_commit=_other(built, pushed),
        page=f"{collection}{project}/_build/results?buildId={build}" if all(address) else None,
        run_tag=_tag("azure-pipeline-run", build),
    )


def _circleci(environ: Environ) -> CI:
    return CI(
        system="CircleCI",
        branch=_branch_of(environ.get("CIRCLE_BRANCH")),
        commit=environ.get("CIRCLE_SHA1") or None,
        page=environ.get("CIRCLE_BUILD_URL") or None,
        run_tag=_tag("circleci-run", environ.get("CIRCLE_BUILD_NUM")),
    )


def github_event(environ: Environ) -> dict[str, Any]:
    """Return GitHub's document of the event that started the job; empty if it can't be read."""
    try:
        event = json.loads(Path(environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    except (KeyError, OSError, ValueError):
        return {}
    return event if isinstance(event, dict) else {}


def github_headers(environ: Environ) -> dict[str, str] | None:
    """Return what says to GitHub's API who is asking; None without a token."""
    token = environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN")
    return {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"} if token else None


def _branch_of(ref: str | None) -> str | None:
    """Return the branch of a ref; None for refs of another sort, such as those of tags and of merges."""
    name = (ref or "").removeprefix("refs/heads/")
    return name if name and not name.startswith("refs/") else None


def _unless_merge(name: str | None) -> str | None:
    """Return the name of a ref unless it is that of a pull request's merge, such as ``12/merge``."""
    number, _, rest = (name or "").partition("/")
    return None if number.isdigit() and rest == "merge" else name


def _other(built: str | None, pushed: str | None) -> str | None:
    return built if pushed and built != pushed else None


def _tag(system: str, run: str | None) -> str | None:
    return f"obproject-deploy-{system}:{run}" if run else None


_SYSTEMS: dict[str, tuple[Callable[[Environ], bool], Callable[[Environ], CI]]] = {
    "GitHub Actions": (lambda environ: environ.get("GITHUB_ACTIONS") == "true", _github),
    "GitLab CI": (lambda environ: environ.get("GITLAB_CI") == "true", _gitlab),
    "Azure DevOps": (lambda environ: bool(environ.get("SYSTEM_COLLECTIONURI")), _azure),
    "CircleCI": (lambda environ: environ.get("CIRCLECI") == "true", _circleci),
}
_SIGNS = {
    "GitHub Actions": "GITHUB_ACTIONS",
    "GitLab CI": "GITLAB_CI",
    "Azure DevOps": "SYSTEM_COLLECTIONURI",
    "CircleCI": "CIRCLECI",
}

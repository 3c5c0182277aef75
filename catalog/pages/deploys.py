"""What the newest deploy of a branch said: its spec, read without trust, as it may have any shape."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from access.errors import BadRequest
from catalog.filter_values import time_of
from catalog.models import Asset, Branch
from catalog.readmes.addresses import Folder
from catalog.wire.shapes import time_shape

COMMITS = 5


@dataclass(frozen=True)
class Commit:
    """A commit that came with a deploy. `url` and `at` may be unknown."""

    sha: str
    title: str
    owner: str
    url: str
    at: datetime | None


@dataclass(frozen=True)
class Deploy:
    """The newest deploy. Addresses are empty where the spec has none that a browser may follow.

    `folder` is that of the project in its repository, at the commit; None where the deploy does not tell it.
    """

    version: str
    at: datetime
    actor: str
    readme: str
    ci_url: str
    url: str
    commits: list[Commit]
    folder: Folder | None

    @property
    def shape(self) -> dict[str, Any]:
        return {
            "version_id": self.version,
            "at": time_shape(self.at),
            "by": self.actor,
            "ci_url": self.ci_url or None,
            "commit_url": self.url or None,
            "commits": [{"sha": row.sha, "title": row.title, "owner": row.owner} for row in self.commits],
            "readme": self.readme,
        }


def deploy_of(branch: Branch) -> Deploy | None:
    if branch.spec is None:
        return None
    spec = json.loads(branch.spec.document)
    commits = [_commit(event) for event in _objects(spec.get("deployment_events"))[:COMMITS]]
    code = _objects(spec.get("code"))
    version = branch.spec.version_id
    of_version = next((commit.url for commit in commits if commit.sha and commit.sha in version), "")
    return Deploy(
        version=version,
        at=branch.spec.at,
        actor=branch.spec.actor,
        readme=_text(spec.get("markdown")),
        ci_url=_web(spec.get("ci_url")),
        url=of_version or (_web(code[0].get("url")) if code else ""),
        commits=commits,
        folder=_folder(code),
    )


_HAS_LINKS = re.compile(r"\]\s*[(:]|\b(?:src|href)\s*=", re.I)


def readme_folder_of(asset: Asset) -> Folder | None:
    """The folder in which an asset's README stands, beside its declaration. The spec is read if there are any links."""
    branch = asset.branch
    if not asset.source or not _HAS_LINKS.search(asset.readme) or branch.spec is None:
        return None
    folder = _folder(_objects(json.loads(branch.spec.document).get("code")))
    return folder.below(asset.source.rpartition("/")[0]) if folder else None


def _folder(code: list[dict[str, Any]]) -> Folder | None:
    """By the page of the newest commit, and the project's path in the repository, which older clients don't tell."""
    path = _text(code[0].get("path")) if code else ""
    return Folder.of(_web(code[0].get("url")), path) if path else None


def _commit(event: dict[str, Any]) -> Commit:
    return Commit(
        sha=_text(event.get("commit_sha")),
        title=_text(event.get("pr_title")),
        owner=_text(event.get("owner")),
        url=_web(event.get("commit_link")),
        at=_time(event.get("timestamp")),
    )


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _web(value: Any) -> str:
    """An address that a browser may follow, and no `javascript:` or the like."""
    try:
        return value if isinstance(value, str) and urlsplit(value).scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _time(value: Any) -> datetime | None:
    """A time in UTC; None for what is none, or can't be told in UTC."""
    try:
        return time_of("timestamp", _text(value))
    except BadRequest:
        return None

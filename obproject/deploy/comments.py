"""The page of a CI job and the comment on its pull request.

A comment begins with a mark that is not shown. The next deployment finds it by that and replaces the comment, so that
there is one for each project. These are the calls of the CI platforms' own APIs.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from obproject.deploy.markdown import shortened
from obproject.deploy.platform_calls import NoAnswer, call
from obproject.project.ci import Environ, github_event, github_headers

MOST_CHARACTERS = 60_000
"""How long a comment may be; GitHub takes 65,536."""
PAGES = 20
"""How many pages of comments are looked through for an earlier one."""
PAGE_SIZE = 100


@dataclass(frozen=True)
class Conversation(ABC):
    """The comments on one pull request."""

    address: str
    headers: Mapping[str, str]

    def say(self, mark: str, text: str, page: str | None = None) -> None:
        """Write a comment in place of the one with the same mark; raise NoAnswer if that fails.

        One that is too long is cut, and leads to a page that has the rest.
        """
        hidden = f"<!-- {mark} -->"
        body = shortened(f"{hidden}\n{text}", MOST_CHARACTERS, page)
        earlier = self.find(hidden)
        if earlier is None:
            self.add(body)
        else:
            self.replace(earlier, body)

    @abstractmethod
    def find(self, hidden: str) -> Any:
        """Return what identifies the comment that begins with a text; None if there is none."""

    @abstractmethod
    def add(self, body: str) -> None:
        """Write a new comment."""

    @abstractmethod
    def replace(self, earlier: Any, body: str) -> None:
        """Write a comment anew."""

    def request(self, method: str, address: str, body: Any = None, **query: Any) -> Any:
        """Make one call and return the answer's JSON; raise NoAnswer if it fails."""
        return call(method, address, self.headers, body, **query)

    def find_in_pages(self, hidden: str) -> dict[str, Any] | None:
        """Look for a comment page by page, where the address lists the comments."""
        for page in range(1, PAGES + 1):
            comments = self.request("GET", self.address, per_page=PAGE_SIZE, page=page)
            if not isinstance(comments, list):
                raise NoAnswer(f"{self.address} answered with no list of comments")
            for comment in comments:
                if str(comment.get("body", "")).startswith(hidden):
                    return dict(comment)
            if len(comments) < PAGE_SIZE:
                break
        return None


class GitHubConversation(Conversation):
    """Comments of GitHub's issues, which pull requests are."""

    def find(self, hidden: str) -> Any:
        return self.find_in_pages(hidden)

    def add(self, body: str) -> None:
        self.request("POST", self.address, {"body": body})

    def replace(self, earlier: Any, body: str) -> None:
        self.request("PATCH", earlier["url"], {"body": body})


class GitLabConversation(Conversation):
    """Notes of a GitLab merge request."""

    def find(self, hidden: str) -> Any:
        return self.find_in_pages(hidden)

    def add(self, body: str) -> None:
        self.request("POST", self.address, {"body": body})

    def replace(self, earlier: Any, body: str) -> None:
        self.request("PUT", f"{self.address}/{earlier['id']}", {"body": body})


class AzureConversation(Conversation):
    """Threads of a pull request in Azure DevOps."""

    _VERSION = "7.0"

    def find(self, hidden: str) -> Any:
        threads = self.request("GET", self.address, **{"api-version": self._VERSION})
        for thread in threads.get("value", []):
            for comment in thread.get("comments", []):
                if str(comment.get("content", "")).startswith(hidden):
                    return thread["id"], comment["id"]
        return None

    def add(self, body: str) -> None:
        thread = {"comments": [{"parentCommentId": 0, "content": body, "commentType": 1}], "status": "closed"}
        self.request("POST", self.address, thread, **{"api-version": self._VERSION})

    def replace(self, earlier: Any, body: str) -> None:
        thread, comment = earlier
        address = f"{self.address}/{thread}/comments/{comment}"
        self.request("PATCH", address, {"content": body}, **{"api-version": self._VERSION})


def find_conversation(system: str, environ: Environ = os.environ) -> Conversation | None:
    """Return the pull request of a CI job; None if there is none, or no token to write to it."""
    find = {"GitHub Actions": _github, "GitLab CI": _gitlab, "Azure DevOps": _azure}.get(system)
    return find(environ) if find else None


def _github(environ: Environ) -> Conversation | None:
    headers = github_headers(environ)
    address = environ.get("COMMENTS_URL") or github_event(environ).get("pull_request", {}).get("comments_url")
    return GitHubConversation(address, headers) if headers and address else None


def _gitlab(environ: Environ) -> Conversation | None:
    api, project, request = (
        environ.get(name) for name in ("CI_API_V4_URL", "CI_MERGE_REQUEST_PROJECT_ID", "CI_MERGE_REQUEST_IID")
    )
    project = project or environ.get("CI_PROJECT_ID")
    token, job_token = environ.get("GITLAB_TOKEN"), environ.get("CI_JOB_TOKEN")
    if not api or not project or not request or not (token or job_token):
        return None
    headers = {"PRIVATE-TOKEN": token} if token else {"JOB-TOKEN": str(job_token)}
    return GitLabConversation(f"{api}/projects/{quote(project, safe='')}/merge_requests/{request}/notes", headers)


def _azure(environ: Environ) -> Conversation | None:
    collection, project, repository, request, token = (
        environ.get(name)
        for name in (
            "SYSTEM_COLLECTIONURI",
            "SYSTEM_TEAMPROJECT",
            "BUILD_REPOSITORY_ID",
            "SYSTEM_PULLREQUEST_PULLREQUESTID",
            "SYSTEM_ACCESSTOKEN",
        )
    )
    if not collection or not project or not repository or not request or not token:
        return None
    address = f"{collection}{quote(project)}/_apis/git/repositories/{repository}/pullRequests/{request}/threads"
    return AzureConversation(address, {"Authorization": f"Bearer {token}"})


def write_to_job_page(system: str, text: str, environ: Environ = os.environ) -> str | None:
    """Put a text on the page of a CI job, where the platform has such; return what has to be printed for it.

    Raises OSError if the platform's file can't be written.
    """
    if system == "GitHub Actions" and (path := environ.get("GITHUB_STEP_SUMMARY")):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")
    elif system == "Azure DevOps" and (folder := environ.get("AGENT_TEMPDIRECTORY")):
        file_name = Path(folder, f"obproject-deploy-{os.getpid()}.md")
        with file_name.open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")
        return f"##vso[task.uploadsummary]{file_name}"
    return None

"""What a CI system says in its environment about the branch, the commit and itself.

A CI often checks out a detached HEAD or a merge commit of its own, so its word on the branch comes before git's.
"""

from __future__ import annotations

from collections.abc import Mapping

# In order: the source branch of a pull request comes before the ref that was checked out.
_BRANCH_VARIABLES = (
    "GITHUB_HEAD_REF",
    "GITHUB_REF_NAME",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME",
    "CI_COMMIT_REF_NAME",
    "SYSTEM_PULLREQUEST_SOURCEBRANCH",
    "BUILD_SOURCEBRANCH",
    "CIRCLE_BRANCH",
)
_COMMIT_VARIABLES = ("GITHUB_SHA", "CI_COMMIT_SHA", "BUILD_SOURCEVERSION", "CIRCLE_SHA1")
_PAGE_VARIABLES = ("CI_JOB_URL", "CI_PIPELINE_URL", "CIRCLE_BUILD_URL", "CI_URL")


def find_branch(environ: Mapping[str, str]) -> str | None:
    """Return the git branch that the CI builds; None outside a CI and in the build of a tag."""
    if environ.get("GITHUB_REF_TYPE") == "tag" or environ.get("CI_COMMIT_TAG"):
        return None
    refs = (environ.get(variable, "").removeprefix("refs/heads/") for variable in _BRANCH_VARIABLES)
    return next((name for name in refs if name and not name.startswith("refs/")), None)


def find_commit(environ: Mapping[str, str]) -> str | None:
    """Return the sha of the commit that the CI builds."""
    return _first(environ, _COMMIT_VARIABLES)


def find_page(environ: Mapping[str, str]) -> str | None:
    """Return the address of the CI's page on this build."""
    github = [environ.get(name) for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")]
    if all(github):
        server, repository, run = github
        return f"{server}/{repository}/actions/runs/{run}"
    azure = [environ.get(name) for name in ("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECT", "BUILD_BUILDID")]
    if all(azure):
        collection, project, build = azure
        return f"{collection}{project}/_build/results?buildId={build}"
    return _first(environ, _PAGE_VARIABLES)


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((environ[name] for name in names if environ.get(name)), None)

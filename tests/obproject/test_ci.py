"""Branch, commits and names from the environment of CI systems."""

import json
from pathlib import Path

import pytest

from obproject.project.ci import CI, AmbiguousCI, find_branch, find_ci, find_commit

GITHUB = {"GITHUB_ACTIONS": "true"}
GITLAB = {"GITLAB_CI": "true"}
AZURE = {"SYSTEM_COLLECTIONURI": "https://dev.example/o/"}
CIRCLE = {"CIRCLECI": "true"}


@pytest.mark.parametrize(
    ("environ", "branch"),
    [
        ({}, None),
        ({"GITHUB_HEAD_REF": "feature/x"}, None),
        (GITHUB | {"GITHUB_HEAD_REF": "feature/x", "GITHUB_REF_NAME": "12/merge"}, "feature/x"),
        (GITHUB | {"GITHUB_HEAD_REF": "", "GITHUB_REF_NAME": "main", "GITHUB_REF_TYPE": "branch"}, "main"),
        (GITHUB | {"GITHUB_REF_NAME": "release/v2"}, "release/v2"),
        (GITHUB | {"GITHUB_REF_NAME": "v1.0", "GITHUB_REF_TYPE": "tag"}, None),
        (GITHUB | {"GITHUB_REF_NAME": "12/merge"}, None),
        (GITHUB | {"GH_HEAD_REF": "feature/x", "GH_REF": "refs/pull/1/merge"}, "feature/x"),
        (GITHUB | {"GH_HEAD_REF": "", "GH_REF": "refs/heads/main"}, "main"),
        (GITLAB | {"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "feature/x", "CI_COMMIT_REF_NAME": "other"}, "feature/x"),
        (GITLAB | {"CI_COMMIT_REF_NAME": "main"}, "main"),
        (GITLAB | {"CI_COMMIT_REF_NAME": "refs/merge-requests/1/head"}, None),
        (GITLAB | {"CI_COMMIT_REF_NAME": "v1.0", "CI_COMMIT_TAG": "v1.0"}, None),
        (AZURE | {"SYSTEM_PULLREQUEST_SOURCEBRANCH": "refs/heads/feature/x", "BUILD_SOURCEBRANCH": "x"}, "feature/x"),
        (AZURE | {"BUILD_SOURCEBRANCH": "refs/heads/main"}, "main"),
        (AZURE | {"BUILD_SOURCEBRANCH": "refs/tags/v1"}, None),
        (CIRCLE | {"CIRCLE_BRANCH": "feature/x"}, "feature/x"),
        (CIRCLE | {"CIRCLE_TAG": "v1"}, None),
    ],
)
def test_fault_26_the_ci_names_the_branch(environ: dict[str, str], branch: str | None) -> None:
    assert find_branch(environ) == branch


@pytest.mark.parametrize(
    ("environ", "page"),
    [
        (GITHUB, None),
        (
            GITHUB | {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "o/r", "GITHUB_RUN_ID": "7"},
            "https://github.com/o/r/actions/runs/7",
        ),
        (
            AZURE | {"SYSTEM_TEAMPROJECT": "p", "BUILD_BUILDID": "7"},
            "https://dev.example/o/p/_build/results?buildId=7",
        ),
        (GITLAB | {"CI_JOB_URL": "https://gitlab.example/j/7"}, "https://gitlab.example/j/7"),
        (CIRCLE | {"CIRCLE_BUILD_URL": "https://circle.example/7"}, "https://circle.example/7"),
    ],
)
def test_the_ci_names_its_page(environ: dict[str, str], page: str | None) -> None:
    ci = find_ci(environ)
    assert ci is not None
    assert ci.page == page


@pytest.mark.parametrize(
    ("environ", "tags"),
    [
        (
            GITHUB | {"GITHUB_SHA": "a1", "GITHUB_RUN_ID": "7"},
            ("commit-hash:a1", "obproject-deploy-gh-action-run:7"),
        ),
        (
            GITLAB | {"CI_COMMIT_SHA": "m1", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "a1", "CI_PIPELINE_ID": "7"},
            ("commit-hash:a1", "merge-commit-hash:m1", "obproject-deploy-gitlab-pipeline-run:7"),
        ),
        (
            AZURE | {"BUILD_SOURCEVERSION": "m1", "SYSTEM_PULLREQUEST_SOURCECOMMITID": "a1", "BUILD_BUILDID": "7"},
            ("commit-hash:a1", "merge-commit-hash:m1", "obproject-deploy-azure-pipeline-run:7"),
        ),
        (
            CIRCLE | {"CIRCLE_SHA1": "a1", "CIRCLE_BUILD_NUM": "7"},
            ("commit-hash:a1", "obproject-deploy-circleci-run:7"),
        ),
        (CIRCLE, ()),
    ],
)
def test_tags_lead_to_the_commit_and_the_job(environ: dict[str, str], tags: tuple[str, ...]) -> None:
    ci = find_ci(environ)
    assert ci is not None
    assert ci.tags == tags


def test_githubs_merge_commit_is_told_from_the_one_that_was_pushed(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"head": {"sha": "pushed"}}}))
    pull_request = GITHUB | {"GITHUB_HEAD_REF": "feature/x", "GITHUB_SHA": "merge", "GITHUB_EVENT_PATH": str(event)}
    found = find_ci(pull_request)
    assert found == CI("GitHub Actions", branch="feature/x", commit="pushed", merge_commit="merge")
    event.write_text("no JSON")
    assert find_commit(pull_request) == "merge"


def test_several_ci_systems_at_once_are_refused() -> None:
    with pytest.raises(AmbiguousCI, match=r"GitHub Actions and GitLab CI at once \(GITHUB_ACTIONS, GITLAB_CI\)"):
        find_ci(GITHUB | GITLAB)

"""The check of a commit on GitHub, which says in one sentence how its branch stands beside the main branch."""

from __future__ import annotations

import os

from obproject.deploy.comparison import Comparison
from obproject.deploy.markdown import shortened
from obproject.deploy.platform_calls import call
from obproject.project.ci import CI, Environ, github_headers

NAME = "assetsite"
LONGEST_TITLE, LONGEST_SUMMARY = 255, 60_000
GITHUB = "https://api.github.com"


def set_check(
    ci: CI, comparison: Comparison, *, fails: bool, page: str, of: str = "", environ: Environ = os.environ
) -> bool:
    """Set the check of the commit that a job of GitHub is about; return False if there is none, or no token for it.

    ``fails`` says whether a comparison that is worse is a failure, ``of`` which of several projects it is about.
    Raises NoAnswer if GitHub does not take it.
    """
    repository, headers = environ.get("GITHUB_REPOSITORY"), github_headers(environ)
    if ci.system != "GitHub Actions" or not repository or not headers or not ci.commit:
        return False
    title = comparison.sentence
    check = {
        "name": f"{NAME} ({of})" if of else NAME,
        "head_sha": ci.commit,
        "status": "completed",
        "conclusion": "failure" if fails and comparison.is_worse else "neutral",
        "details_url": page,
        "output": {
            "title": title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…",
            "summary": shortened(comparison.markdown, LONGEST_SUMMARY, page),
        },
    }
    call("POST", f"{environ.get('GITHUB_API_URL') or GITHUB}/repos/{repository}/check-runs", headers, check)
    return True

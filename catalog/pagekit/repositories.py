"""Where the web shows a repository and a commit of it, as far as that can be told from the repository's address."""

import re
from urllib.parse import quote

_ON_THE_WEB = re.compile(
    r"https://(?P<host>[a-z0-9][a-z0-9.-]*(?::\d{1,5})?)/(?P<path>[\w.~+-]+(?:/[\w.~+-]+)+)/?", re.I
)
_BY_SSH = re.compile(
    r"(?:ssh://)?(?:git@)?(?P<host>github\.com|gitlab\.com|bitbucket\.org|codeberg\.org)[:/](?P<path>[\w.~+/-]+)", re.I
)
_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.I)


def repository_url(repository: str) -> str:
    """The page of a repository; empty if its address is not known to lead to one.

    Any https address with an owner and a name is taken for one; by ssh only the well-known hosts are.
    """
    found = _ON_THE_WEB.fullmatch(repository) or _BY_SSH.fullmatch(repository)
    if found is None:
        return ""
    parts = found["path"].removesuffix(".git").strip("/").split("/")
    if len(parts) < 2 or {"", ".", ".."} & set(parts):
        return ""
    return f"https://{found['host'].lower()}/{quote('/'.join(parts))}"


def commit_url(repository: str, commit: str) -> str:
    """The page of a commit, as GitHub, GitLab and those after their manner have it; empty if there is none."""
    url = repository_url(repository)
    if not url or not _COMMIT.fullmatch(commit):
        return ""
    return f"{url}/{'commits' if url.startswith('https://bitbucket.org/') else 'commit'}/{commit}"


def comparison_url(repository: str, base: str, commit: str) -> str:
    """The page of what is different between two commits, as the hosts show it; empty if there is none."""
    url = repository_url(repository)
    if not url or base == commit or not (_COMMIT.fullmatch(base) and _COMMIT.fullmatch(commit)):
        return ""
    if url.startswith("https://bitbucket.org/"):
        return f"{url}/branches/compare/{commit}%0D{base}#diff"
    return f"{url}/{'-/' if url.startswith('https://gitlab.com/') else ''}compare/{base}...{commit}"

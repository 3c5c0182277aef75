"""Where the links of a README lead: to other hosts, to its repository at the commit that was deployed, or nowhere."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit

URL_SCHEMES = {"http", "https", "mailto"}

_COMMIT_PAGE = re.compile(
    r"(?P<repository>https?://(?P<host>[^/?#]+)/[^?#]+?)(?P<dash>/-)?/commits?/(?P<sha>[0-9a-f]{7,64})/?", re.I
)
_BLANK = re.compile(r"[\t\r\n]|^[\0-\x20]+|[\0-\x20]+$")
"""What browsers take out of an address."""
_NO_HOST = re.compile(r"[\s%<>\\^`{|}]")
_SAFE = "/:@!$&'()*+,;=~-._"


@dataclass(frozen=True)
class Folder:
    """A folder of a repository at one commit.

    `file_page` and `folder_page` are the addresses below which the web shows files and folders; `path` is the folder
    itself, relative to the root of the repository, empty for the root.
    """

    file_page: str
    folder_page: str
    path: str = ""

    @classmethod
    def of(cls, commit_page: str, path: str) -> "Folder | None":
        """By the address of a commit's page, as GitHub, GitLab, Bitbucket, Gitea and those after their manner have it.

        None for other addresses, and for a path that leads out of the repository.
        """
        found = _COMMIT_PAGE.fullmatch(commit_page)
        inside = _joined("", path)
        if found is None or inside is None or "/_git/" in found["repository"]:
            return None
        file_page, folder_page = _manner(found["host"].lower(), found["dash"] or "")
        repository, sha = found["repository"], found["sha"]
        return cls(f"{repository}/{file_page}/{sha}", f"{repository}/{folder_page}/{sha}", inside)

    def below(self, path: str) -> "Folder | None":
        """A folder of this one; None if it is outside of the repository."""
        inside = _joined(self.path, path)
        return None if inside is None else Folder(self.file_page, self.folder_page, inside)

    def address_of(self, link: SplitResult) -> str:
        """Where a relative link leads, from the root of the repository if it begins with `/`; empty: nowhere."""
        path = unquote(link.path)
        inside = _joined("" if path.startswith("/") else self.path, path)
        if not path or inside is None or ":" in path.partition("/")[0]:
            return ""
        is_folder = not inside or path.endswith(("/", "/.", "/..")) or path in (".", "..")
        page = self.folder_page if is_folder else self.file_page
        address = f"{page}/{quote(inside, safe=_SAFE)}".rstrip("/")
        return address + (f"?{link.query}" if link.query else "") + (f"#{link.fragment}" if link.fragment else "")


def address_of(link: str, folder: Folder | None) -> str:
    """Where a link of a README in `folder` leads; empty if nowhere that is known and harmless.

    Links within the README are not meant: those begin with `#`.
    """
    link = _BLANK.sub("", link)
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    if parts.netloc and _NO_HOST.search(parts.netloc):
        return ""
    if parts.scheme:
        is_whole = parts.path if parts.scheme == "mailto" else parts.netloc
        return link if is_whole and parts.scheme in URL_SCHEMES else ""
    if parts.netloc:
        return f"https:{link}"
    return folder.address_of(parts) if folder else ""


def _manner(host: str, dash: str) -> tuple[str, str]:
    """What stands before the commit in the addresses of files and of folders."""
    if host == "bitbucket.org":
        return "src", "src"
    if host == "codeberg.org" or re.search(r"\b(gitea|forgejo)\b", host):
        return "src/commit", "src/commit"
    dash = dash or ("/-" if re.search(r"\bgitlab\b", host) else "")
    return f"{dash}/blob".lstrip("/"), f"{dash}/tree".lstrip("/")


def _joined(folder: str, path: str) -> str | None:
    """A path below the root, without `.` and `..`; None if it leads out."""
    parts: list[str] = []
    for part in f"{folder}/{path}".split("/"):
        if part == ".." and not parts:
            return None
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)

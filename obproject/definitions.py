"""What a project folder declares: ``obproject.toml`` and the assets below ``data/`` and ``models/``.

:func:`read_project` reads and validates all of it and reports every problem at once, each with its file, the line or
key, what was found and what is expected. Keys that it does not know are left alone. Standard library only.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Any, Literal

from obproject import lengths
from obproject.branches import check_alias, check_asset_id, check_branch, check_perimeter

PROJECT_FILE = "obproject.toml"
ASSET_FILE = "asset_config.toml"
README_FILE = "README.md"

AssetFolder = Literal["data", "models"]
ASSET_FOLDERS: tuple[AssetFolder, ...] = ("data", "models")
DEFAULT_ASSET_KINDS: dict[AssetFolder, str] = {"data": "data", "models": "model"}

_PROJECT_NAME = re.compile(r"[a-z0-9_]{1,128}")
# Control characters, but for those that a text of several lines has, and lone surrogates, which no encoding can hold.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_TOML_POSITION = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a project folder."""

    source: str
    """The file or folder, relative to the project."""
    where: str
    """``line 3`` or ``key 'name'``; empty if the file as a whole is meant."""
    message: str
    """What was found and what is expected."""

    def __str__(self) -> str:
        return f"{self.source}: {self.where}: {self.message}" if self.where else f"{self.source}: {self.message}"


class DefinitionError(ValueError):
    """A project folder has problems: all of them, in ``problems``."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


@dataclass(frozen=True)
class AssetDefinition:
    """One ``asset_config.toml`` with the README beside it."""

    folder: AssetFolder
    id: str
    name: str
    description: str
    asset_kind: str
    source: str
    """The file, relative to the project, with ``/`` between its parts."""
    properties: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    blobs: list[Any] = field(default_factory=list)
    icon: str | None = None
    readme: str | None = None


@dataclass(frozen=True)
class ProjectConfig:
    """The keys of ``obproject.toml`` that deploying and asset branches need; None where a key is absent."""

    project: str
    title: str | None = None
    perimeter: str | None = None
    branch: str | None = None
    version: str | None = None
    created_at: str | None = None
    dev_assets_branch: str | None = None
    promotion_aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProjectDefinition:
    """Everything that a project folder declares."""

    root: Path
    config: ProjectConfig
    assets: tuple[AssetDefinition, ...]
    """Data before models, each by folder name."""
    readme: str | None


def find_project_root(start: Path) -> Path | None:
    """Return the nearest folder at or above ``start`` that holds an ``obproject.toml``."""
    start = start.resolve()
    return next((folder for folder in (start, *start.parents) if (folder / PROJECT_FILE).is_file()), None)


def read_project(root: Path) -> ProjectDefinition:
    """Read and validate a project folder; raise DefinitionError with all its problems if there are any."""
    problems: list[Problem] = []
    config, folders = _read_config(root, problems)
    assets = [
        asset for folder in ASSET_FOLDERS for asset in _read_assets(root, folder, folders.get(folder, folder), problems)
    ]
    _check_ids_differ(assets, problems)
    readme = read_readme(root, root, problems)
    if problems:
        raise DefinitionError(problems)
    return ProjectDefinition(root=root, config=config, assets=tuple(assets), readme=readme)


def _read_config(root: Path, problems: list[Problem]) -> tuple[ProjectConfig, dict[AssetFolder, str]]:
    """Return the configuration and the folder names that it sets for the kinds of assets."""
    values = _read_toml(root / PROJECT_FILE, PROJECT_FILE, problems)
    if values is None:
        return ProjectConfig(project=""), {}
    table = _Table(values, PROJECT_FILE, problems)
    config = ProjectConfig(
        project=table.text("project", required=True, check=_check_project_name) or "",
        title=table.text("title"),
        perimeter=table.text("perimeter", check=check_perimeter),
        branch=table.text("branch", check=check_branch),
        version=table.text("version", check=_up_to(lengths.VERSION_ID_LENGTH)),
        created_at=table.text("created_at"),
        dev_assets_branch=table.table("dev-assets").text("branch", check=check_branch),
        promotion_aliases=tuple(table.table("promotion").texts("aliases", check=check_alias)),
    )
    directories = table.table("obproject_dirs")
    names = {folder: directories.text(folder, check=_check_folder) for folder in ASSET_FOLDERS}
    folders = {folder: name for folder, name in names.items() if name is not None}
    for folder, name in folders.items():
        if not (root / name).is_dir():
            directories.report(folder, repr(name), "the name of a folder that exists in the project")
    if folders.get("data", "data") == folders.get("models", "models"):
        directories.report("data", "the same folder as for models", "a folder of its own for each kind of asset")
    return config, folders


def _read_assets(root: Path, folder: AssetFolder, name: str, problems: list[Problem]) -> list[AssetDefinition]:
    """Read every asset below one folder; stray files and hidden folders there are nobody's business."""
    parent = root / name
    if not parent.exists():
        return []
    try:
        entries = sorted(
            entry for entry in parent.iterdir() if entry.is_dir() and not entry.name.startswith((".", "_"))
        )
    except OSError as error:
        problems.append(_mismatch(name, "", _reason(error), "a folder with one folder for each asset"))
        return []
    assets = (_read_asset(root, folder, directory, problems) for directory in entries)
    return [asset for asset in assets if asset is not None]


def _read_asset(root: Path, folder: AssetFolder, directory: Path, problems: list[Problem]) -> AssetDefinition | None:
    """Read one asset; None, with a problem noted, if it has no id that could be compared with the others'."""
    readme = read_readme(root, directory, problems)
    path = directory / ASSET_FILE
    source = path.relative_to(root).as_posix()
    values = _read_toml(path, source, problems)
    if values is None:
        return None
    _check_source(source, problems)
    table = _Table(values, source, problems)
    asset_id = table.text("id", required=True, check=check_asset_id)
    name = table.text("name", required=True, check=_up_to(lengths.NAME_LENGTH))
    description = table.text("description", required=True, check=_up_to(lengths.DESCRIPTION_LENGTH))
    asset_kind = table.text("kind", check=_up_to(lengths.ASSET_KIND_LENGTH))
    asset = AssetDefinition(
        folder=folder,
        id=asset_id or "",
        name=name or "",
        description=description or "",
        asset_kind=asset_kind or DEFAULT_ASSET_KINDS[folder],
        source=source,
        properties=table.text_table("properties", check=_check_property),
        tags=table.text_table("tags", check=_up_to(lengths.TAG_LENGTH)),
        blobs=table.json_list("blobs", most=lengths.BLOBS),
        icon=table.text("icon", check=_up_to(lengths.ICON_LENGTH)),
        readme=readme,
    )
    return asset if asset_id else None


def _check_ids_differ(assets: list[AssetDefinition], problems: list[Problem]) -> None:
    first_source: dict[tuple[AssetFolder, str], str] = {}
    for asset in assets:
        first = first_source.setdefault((asset.folder, asset.id), asset.source)
        if first != asset.source:
            found = f"{asset.id!r}, which is the id in {first} too"
            problems.append(_mismatch(asset.source, "key 'id'", found, "an id that no other asset of its kind has"))


def _check_project_name(name: str) -> str:
    if _PROJECT_NAME.fullmatch(name):
        return name
    fixed = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")[:128] or "my_project"
    raise ValueError(
        f"found {_shorten(name)}, expected at most 128 characters of a-z, 0-9 and '_', as Metaflow's @project demands; "
        f"for example {fixed!r}"
    )


def _check_folder(name: str) -> str:
    path = Path(name)
    if path.is_absolute() or ".." in path.parts or path == Path():
        raise ValueError(f"found {_shorten(name)}, expected a folder inside the project, relative to it")
    return path.as_posix()


def _check_source(source: str, problems: list[Problem]) -> None:
    try:
        _up_to(lengths.SOURCE_LENGTH)(_check_characters(source))
    except ValueError as error:
        problems.append(Problem(source, "", f"in its path: {error}"))


def _check_key(key: str) -> str:
    try:
        return _up_to(lengths.KEY_LENGTH)(_check_characters(key))
    except ValueError as error:
        raise ValueError(f"in the key itself: {error}") from None


def _check_property(text: str) -> str:
    size = len(text.encode())
    if size > lengths.ANNOTATION_BYTES:
        raise ValueError(f"found {size:,} bytes, expected at most {lengths.ANNOTATION_BYTES:,}")
    return text


def _up_to(longest: int) -> Callable[[str], str]:
    """Return a check that a text has at most this many characters."""

    def check(text: str) -> str:
        if len(text) > longest:
            raise ValueError(f"found {len(text):,} characters, expected at most {longest:,}")
        return text

    return check


def _check_characters(text: str) -> str:
    if unfit := _UNFIT.search(text):
        raise ValueError(
            f"found the character U+{ord(unfit[0]):04X}, expected no control characters and no lone surrogates"
        )
    return text


# Reading files


def _read_toml(path: Path, source: str, problems: list[Problem]) -> dict[str, Any] | None:
    text = _read_text(path, source, problems, missing=f"a file {path.name} there")
    if text is None:
        return None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problems.append(_syntax_problem(source, text, str(error)))
    except RecursionError:
        problems.append(_mismatch(source, "", "values nested too deeply", "a TOML file"))
    return None


def _syntax_problem(source: str, text: str, message: str) -> Problem:
    """Make a problem of a parser's message, which ends with the position."""
    position = _TOML_POSITION.search(message)
    line = (position and position[1]) or str(text.count("\n") + 1)
    return _mismatch(source, f"line {line}", f"a syntax error ({_TOML_POSITION.sub('', message)})", "valid TOML")


def read_readme(root: Path, directory: Path, problems: list[Problem]) -> str | None:
    """Return the stripped text of the README in a directory; None if there is none or nothing is in it.

    What is wrong with it is added to ``problems``.
    """
    path = directory / README_FILE
    if not path.exists():
        return None
    source = path.relative_to(root).as_posix()
    text = _read_text(path, source, problems, missing="a README")
    if text is None:
        return None
    if "\0" in text:
        problems.append(_mismatch(source, _line_of(text, text.index("\0")), "a NUL character", "text"))
    text = text.strip()
    if len(text) > lengths.README_LENGTH:
        problems.append(_mismatch(source, "", f"{len(text):,} characters", f"at most {lengths.README_LENGTH:,}"))
    return text or None


def _read_text(path: Path, source: str, problems: list[Problem], *, missing: str) -> str | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        problems.append(_mismatch(source, "", "nothing", missing))
    except OSError as error:
        problems.append(_mismatch(source, "", _reason(error), "a file that can be read"))
    else:
        try:
            # Some editors begin a file with a byte order mark, which TOML does not allow.
            return content.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            problems.append(_mismatch(source, f"line {line}", f"the byte 0x{content[error.start]:02x}", "UTF-8 text"))
    return None


def _line_of(text: str, position: int) -> str:
    return f"line {text.count(chr(10), 0, position) + 1}"


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


# Checking values


class _Table:
    """One TOML table: typed access to its keys, which notes a problem for each value that does not fit."""

    def __init__(self, values: dict[str, Any], source: str, problems: list[Problem], name: str = "") -> None:
        self._values = values
        self._source = source
        self._problems = problems
        self._name = name

    def report(self, key: str, found: str, expected: str) -> None:
        self._problems.append(_mismatch(self._source, self._place(key), found, expected))

    def _place(self, key: str) -> str:
        return f"[{self._name}] key {_shorten(key)}" if self._name else f"key {_shorten(key)}"

    def text(self, key: str, *, required: bool = False, check: Callable[[str], str] | None = None) -> str | None:
        """Return a string that is not blank and passes ``check``; None if it is absent or wrong."""
        if key not in self._values:
            if required:
                self.report(key, "nothing", "a string, for this key is mandatory")
            return None
        return self._checked(key, self._values[key], check)

    def texts(self, key: str, *, check: Callable[[str], str]) -> list[str]:
        """Return a list of strings that pass ``check``; those that don't are left out."""
        found = self._values.get(key, [])
        if not isinstance(found, list):
            self.report(key, _describe(found), "a list of strings")
            return []
        checked = (self._checked(key, value, check) for value in found)
        return [value for value in checked if value is not None]

    def table(self, key: str) -> _Table:
        """Return a table below this one, empty if it is absent or wrong."""
        found = self._values.get(key, {})
        if not isinstance(found, dict):
            self.report(key, _describe(found), "a table")
            found = {}
        return _Table(found, self._source, self._problems, key)

    def text_table(self, key: str, *, check: Callable[[str], str]) -> dict[str, str]:
        """Return a table of strings that pass ``check``; an empty string is a value like any other here."""
        table = self.table(key)
        for name in table._values:
            table._passed(name, name, _check_key)
        checked = {name: table._checked(name, value, check, blank=True) for name, value in table._values.items()}
        return {name: value for name, value in checked.items() if value is not None}

    def json_list(self, key: str, *, most: int) -> list[Any]:
        """Return a list of at most so many elements, which JSON can carry."""
        found = self._values.get(key, [])
        if not isinstance(found, list):
            self.report(key, _describe(found), "a list")
            return []
        if len(found) > most:
            self.report(key, f"{len(found):,} elements", f"at most {most:,}")
        for value in found:
            if (misfit := _find_unportable(value)) is not None:
                self.report(
                    key, _describe(misfit), "only strings, finite numbers, booleans, lists and tables in the list"
                )
        return found

    def _checked(
        self, key: str, value: object, check: Callable[[str], str] | None, *, blank: bool = False
    ) -> str | None:
        if not isinstance(value, str):
            self.report(key, _describe(value), f"a string{_quoting_hint(value)}")
        elif not value.strip() and not blank:
            self.report(key, "an empty string", "a string with something in it")
        elif self._passed(key, value, _check_characters) is not None:
            return self._passed(key, value, check) if check else value
        return None

    def _passed(self, key: str, text: str, check: Callable[[str], str]) -> str | None:
        """Return what a check makes of a text; None, with a problem noted, if it does not pass."""
        try:
            return check(text)
        except ValueError as error:
            self._problems.append(Problem(self._source, self._place(key), str(error)))
            return None


def _find_unportable(value: object) -> object | None:
    """Return the first part of a TOML value that JSON or the catalogue's databases can't carry."""
    if isinstance(value, list):
        return next((misfit for item in value if (misfit := _find_unportable(item)) is not None), None)
    if isinstance(value, dict):
        return _find_unportable([*value.keys(), *value.values()])
    unfit = (
        isinstance(value, date | time)
        or (isinstance(value, float) and value - value != 0)
        or (isinstance(value, str) and _UNFIT.search(value) is not None)
    )
    return value if unfit else None


def _quoting_hint(value: object) -> str:
    """Say how a plain value looks as a string, where that is what the user must have meant."""
    return f' (write "{value}")' if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _describe(value: object) -> str:
    match value:
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the string {_shorten(value)}"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"


def _shorten(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:77]}...")


def _mismatch(source: str, where: str, found: str, expected: str) -> Problem:
    return Problem(source, where, f"found {found}, expected {expected}")

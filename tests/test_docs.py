"""The docs tell the truth: settings, routes, filters, limits, commands and the client's names are in them."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver

import obproject
from assetsite.command import COMMANDS, HELP
from catalog import limits
from catalog.filters import FILTERS
from lineage.pages.routes import FORMS
from obproject import Asset, AssetInstance, DeleteResult, EntityRef, EvalsLogger, ProjectEvent
from obproject.assets import Alias, AliasMove
from obproject.highlights import Highlight
from obproject.prj import ProjectContext
from tests.places import CHECKOUT, modules_in, place

CONFIGURATION = (CHECKOUT / "docs/configuration.md").read_text()
API = (CHECKOUT / "docs/api.md").read_text()
PUBLIC_CLASSES = [
    Alias,
    AliasMove,
    Asset,
    AssetInstance,
    DeleteResult,
    EntityRef,
    EvalsLogger,
    Highlight,
    ProjectContext,
    ProjectEvent,
]
EVERYTHING = "\n".join(path.read_text() for path in [CHECKOUT / "README.md", *(CHECKOUT / "docs").glob("*.md")])


def test_every_setting_of_the_site_is_explained():
    named = set(re.findall(r'env\.\w+\("([A-Z_]+)"', place("assetsite/settings.py").read_text()))
    assert len(named) > 10
    assert {name for name in named if f"`{name}`" not in CONFIGURATION} == set()


def test_every_setting_of_the_flow_side_is_explained():
    code = "\n".join(path.read_text() for path in modules_in("obproject").values())
    named = set(re.findall(r'(?:environ(?:\.get\(|\[)|plain\()"((?:ASSETSITE|OB|OBP|OBPROJECT)_\w+)"', code))
    named |= {f"ASSETSITE_{name}" for name in re.findall(r'(?:_first|_number|_switch)\(\w*,? ?"([A-Z]+)"', code)}
    assert {"ASSETSITE_URL", "ASSETSITE_TOKEN", "ASSETSITE_PERIMETER"} <= named
    assert {name for name in named if f"`{name}`" not in CONFIGURATION} == set()


def test_the_configuration_of_nginx_is_printed_as_it_is():
    assert f"```nginx\n{(CHECKOUT / 'container/nginx.conf').read_text()}```" in CONFIGURATION


@pytest.mark.parametrize("name", [name for name, app in get_commands().items() if app in ("access", "catalog")])
def test_every_command_is_explained(name):
    assert re.search(rf"`assetsite (manage )?{name}\b", CONFIGURATION)


@pytest.mark.parametrize("suffix", FORMS)
def test_every_form_of_an_answer_is_explained(suffix):
    assert f"| `{suffix}` |" in (CHECKOUT / "docs/lineage.md").read_text()


def routes(patterns: list, prefix: str = "") -> list[str]:
    found = []
    for entry in patterns:
        if isinstance(entry, URLResolver):
            found += routes(entry.url_patterns, prefix + str(entry.pattern))
        elif isinstance(entry, URLPattern):
            found.append(prefix + str(entry.pattern))
    return found


def test_every_route_of_the_api_is_in_the_docs():
    mine = [route for route in routes(get_resolver().url_patterns) if route.startswith("v1/") and ".*" not in route]
    assert len(mine) > 12
    for route in mine:
        last = [part for part in route.split("/") if "<" not in part][-1]
        assert last in API, route


@pytest.mark.parametrize("row", FILTERS, ids=lambda row: row.name)
def test_every_filter_is_in_the_docs_as_its_row_says(row):
    examples = ", ".join(f"`{example}`" for example in row.examples)
    assert f"| {examples} | {row.doc} |" in API
    assert all(example.startswith(f"{row.name}=") for example in row.examples)
    assert f"`{row.name}=" in (CHECKOUT / "docs/wire.md").read_text()
    assert all(f"`{alias}`" in API for alias in row.aliases)


def test_the_limits_in_the_docs_are_those_of_the_code():
    for number in (
        limits.ANNOTATIONS, limits.TAGS, limits.TAG_LENGTH, limits.BLOBS, limits.DESCRIPTION_LENGTH,
        limits.README_LENGTH, limits.ALIASES, limits.DEFINITIONS, limits.JSON_DEPTH, limits.LIST_PAGE_MOST,
        limits.SUMMARY_PAGE_MOST, limits.KEY_LENGTH,
    ):  # fmt: skip
        assert f"{number:,}" in API, number
    assert f"{limits.BODY_BYTES // 1024**2} MiB" in API
    assert f"{limits.ANNOTATION_BYTES // 1024} KiB" in API


@pytest.mark.parametrize("name", obproject.__all__)
def test_every_public_name_of_the_client_is_in_the_docs(name):
    assert f"`{name}" in EVERYTHING


@pytest.mark.parametrize("owner", PUBLIC_CLASSES)
def test_every_public_name_of_a_class_is_in_the_reference(owner):
    names = {name for name in dir(owner) if not name.startswith("_") and name not in dir(tuple)}
    reference = (CHECKOUT / "docs/prj.md").read_text()
    assert {name for name in names - {"as_data"} if not re.search(rf"\b{name}\b", reference)} == set()


def test_every_page_is_in_the_list_of_the_readme():
    readme = (CHECKOUT / "README.md").read_text()
    assert [path.name for path in (CHECKOUT / "docs").glob("*.md") if f"(docs/{path.name})" not in readme] == []


def test_links_between_the_docs_lead_somewhere():
    for page in [CHECKOUT / "README.md", CHECKOUT / "SECURITY.md", *(CHECKOUT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            to = (page.parent / target).resolve()
            assert to.exists() or place(str(to.relative_to(CHECKOUT))).exists(), f"{page.name} links to {target}"


def headings_of(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ (.+)$", text, re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The headings of a page, as links name them."""
    headings = headings_of(page)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_to_headings_lead_to_one():
    for page in [CHECKOUT / "README.md", *(CHECKOUT / "docs").glob("*.md")]:
        for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text()):
            other = page.parent / target if target else page
            assert not other.exists() or anchor in anchors(other), f"{page.name} links to {target}#{anchor}"


@pytest.mark.parametrize("page", sorted((CHECKOUT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_nothing_stands_twice_on_a_page(page):
    headings = headings_of(page)
    assert len(headings) == len(set(headings))


def test_every_line_of_the_changelog_is_about_something_else():
    begins = [line[:60] for line in (CHECKOUT / "CHANGELOG.md").read_text().splitlines() if line.startswith("- ")]
    assert len(begins) == len(set(begins))


def test_every_make_target_of_the_readme_exists():
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", EVERYTHING)) <= targets


def test_every_command_of_the_docs_exists():
    code = "\n".join(re.findall(r"```.*?```|`[^`]+`", EVERYTHING, re.DOTALL))
    named = set(re.findall(r"(?:^|`|bin/)assetsite ([a-z]+)", code, re.MULTILINE))
    assert {"serve", "manage"} <= named <= {*COMMANDS, *HELP}
    assert set(re.findall(r"assetsite manage ([a-z_]+)", code)) <= set(get_commands())


def test_the_changelog_begins_with_the_version_or_what_comes_after_it():
    version = re.search(r'^version = "(.+)"', (CHECKOUT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    headings = re.findall(r"^## (.+)$", (CHECKOUT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[headings[0] == "Unreleased"] == version[1]

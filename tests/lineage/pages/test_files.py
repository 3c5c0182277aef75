"""An answer as a file: each suffix its own format, with the same content."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from lineage.pages.routes import FORMS
from tests.catalog.pages.conftest import text_of
from tests.lineage.pages.conftest import BRANCH, LINEAGE, answered, drawn

pytestmark = pytest.mark.slow

TYPES = {
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".csv": "text/csv",
    ".dot": "text/vnd.graphviz",
    ".mmd": "text/vnd.mermaid",
    ".ndjson": "application/x-ndjson",
}
PAGES = [LINEAGE, f"{BRANCH}/models/churn_model/lineage", f"{BRANCH}/models/churn_model/v1/lineage"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("suffix", FORMS)
def test_each_page_has_each_form(linked, vic, page, suffix):
    answer = vic.get(page + suffix)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith(TYPES[suffix])
    assert answer.content


def test_a_page_leads_to_its_files_with_the_same_question(linked, vic):
    page = text_of(vic.get(f"{LINEAGE}?focus=data/features&depth=2"))
    for suffix in FORMS:
        assert f'href="{LINEAGE}{suffix}?focus=data/features&amp;depth=2"' in page


@pytest.mark.parametrize("page", PAGES)
def test_the_drawing_of_its_own_is_the_drawing_of_the_page(linked, vic, page):
    svg = text_of(vic.get(f"{page}.svg?depth=2"))
    assert drawn(svg) == answered(vic.get(f"{page}.json?depth=2"))
    root = ElementTree.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_the_drawing_of_its_own_needs_nothing_from_elsewhere(linked, vic):
    svg = text_of(vic.get(f"{LINEAGE}.svg"))
    assert "var(--" not in svg
    assert "prefers-color-scheme: dark" in svg
    assert set(re.findall(r'<use [^>]*?href="([^"#]*)#', svg)) == {""}
    used = set(re.findall(r'<use [^>]*?href="#([\w-]+)"', svg))
    assert used <= set(re.findall(r'<(?:symbol|path|use) [^>]*?id="([\w-]+)"', svg))
    links = re.findall(r'<a href="([^"]+)"', svg)
    assert links
    assert all(link.startswith("http://testserver/alpha/churn/") and ".svg" not in link for link in links)


def test_its_policy_lets_it_have_its_own_style_and_no_other(linked, vic):
    policy = vic.get(f"{LINEAGE}.svg")["Content-Security-Policy"]
    assert "'sha256-" in policy
    assert "unsafe-inline" not in policy
    assert "'sha256-" not in vic.get(LINEAGE)["Content-Security-Policy"]


def test_an_answer_in_a_format_without_room_for_it_says_in_its_headers_what_it_leaves_out(linked, vic):
    assert vic.get(f"{LINEAGE}.csv")["X-Lineage-Complete"] == "true"
    assert vic.get(f"{PAGES[1]}.csv")["X-Lineage-Complete"] == "false"

"""What pages do with times, numbers, icons and Markdown."""

from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser

import pytest

from catalog.templatetags.icons import pictogram
from catalog.templatetags.markdown import markdown
from catalog.templatetags.numbers import grouped, metric
from catalog.templatetags.times import exact, machine, relative_time


def elements(html):
    """Every element of `html` as a browser would see it: (tag, attributes)."""
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append((tag, dict(attributes)))
    parser.feed(html)
    return found


NOW = datetime(2026, 3, 4, 20, 11, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (9, "just now"),
        (10, "10 s ago"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (86_399, "23 h ago"),
        (86_400, "1 d ago"),
        (59 * 86_400, "59 d ago"),
        (60 * 86_400, "2 mo ago"),
        (729 * 86_400, "24 mo ago"),
        (730 * 86_400, "2 y ago"),
        (-5, "just now"),
        (-7200, "in 2 h"),
    ],
)
def test_times_are_told_relative_to_now(seconds, text):
    assert relative_time(NOW - timedelta(seconds=seconds), NOW) == text


def test_exact_times_are_in_utc_whatever_zone_they_come_in():
    at = NOW.astimezone(timezone(timedelta(hours=-7)))
    assert exact(at) == "2026-03-04 20:11:04 UTC"
    assert machine(at) == "2026-03-04T20:11:04Z"


def test_counts_and_metrics_are_written_for_people():
    assert (grouped(48210), metric(0.934), metric(None)) == ("48,210", "0.934", "\N{EN DASH}")


@pytest.mark.parametrize(
    ("declared", "drawn"),
    [("🦊", "🦊"), (" 🏳️‍🌈 ", "🏳️‍🌈"), ("openai", ""), ("<b>", ""), (None, ""), ("", ""), ("🦊" * 9, "")],
)
def test_only_pictures_are_drawn_as_icons(declared, drawn):
    assert pictogram(declared) == drawn


def test_headings_of_a_readme_stand_below_those_of_the_page():
    assert markdown("# One\n\n###### Six") == "<h3>One</h3>\n<h6>Six</h6>\n"
    assert markdown("# One", 1) == "<h2>One</h2>\n"


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "![x](javascript:alert(1))",
        '[x](https://e.org "a\\"onmouseover=alert(1)")',
        '![a"><script>alert(1)</script>](https://e.org/x.png)',
        "`<script>`",
        "<a href='https://e.org' onclick='x()'>y</a>",
    ],
)
def test_nothing_in_a_readme_runs(source):
    for tag, attributes in elements(markdown(source)):
        assert tag in {"p", "a", "code"}
        assert set(attributes) <= {"href", "title", "rel"}
        assert attributes.get("href", "https:").startswith("https:")


def test_html_in_a_readme_is_shown_as_text():
    assert markdown("<b>bold</b>") == "<p>&lt;b&gt;bold&lt;/b&gt;</p>\n"


def test_images_become_links_so_that_nothing_is_fetched():
    html = markdown("![A *chart*](https://e.org/chart.png)")
    assert html == '<p><a href="https://e.org/chart.png" rel="noopener noreferrer nofollow">A *chart*</a></p>\n'


def test_an_image_inside_a_link_becomes_the_text_of_that_link():
    html = markdown("[![build](https://e.org/badge.svg)](https://e.org/ci)")
    assert html == '<p><a href="https://e.org/ci" rel="noopener noreferrer nofollow">build</a></p>\n'


def test_relative_links_lose_their_address():
    assert "href" not in markdown("[setup](docs/setup.md) and ![x](x.png)")


def test_tables_lists_and_code_survive():
    html = markdown("| a | b |\n|---|--:|\n| 1 | 2 |\n\n3. three\n\n```py\nx < y\n```")
    assert "<td>1</td>" in html
    assert '<ol start="3">' in html
    assert "<pre><code>x &lt; y" in html
    assert "style=" not in html

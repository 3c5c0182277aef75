"""Template tags: times, numbers, icons and Markdown."""

import re
import time
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path

import pytest

from catalog.templatetags import markdown as markdown_tags
from catalog.templatetags.icons import pictogram
from catalog.templatetags.markdown import MOST_TEXT, is_cut, markdown
from catalog.templatetags.names import breakable, isolated
from catalog.templatetags.numbers import grouped, metric
from catalog.templatetags.times import exact, machine, relative_time

TEMPLATES = Path(__file__).parents[2] / "templates"


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


def table(rows, columns):
    """A table whose rows are as short as can be: they are filled up to `columns`."""
    return "|" + "a|" * columns + "\n|" + "-|" * columns + "\n" + "|a|\n" * rows


COSTLY = {
    "brackets": "[" * 300_000,
    "images": "![" * 150_000,
    "brackets on lines": "[a\n" * 100_000,
    "links that do not end": "[a](" * 150_000,
    "a large table": "|" + "a|" * 400 + "\n|" + "-|" * 400 + "\n" + ("|" + "b|" * 400 + "\n") * 1000,
    "tables with short rows": table(500, 500) * 3,
    "deep quotes": ">" * 300_000 + " a",
    "deeper and deeper quotes": "\n".join(">" * depth + " a" for depth in range(700)),
    "stars": "*" * 300_000,
    "stars in words": "*a**b" * 60_000,
    "lists": "* a\n" * 80_000,
    "lines": "a\n" * 150_000,
    "backticks": "".join("`" * count + "a" for count in range(1, 700)),
}


@pytest.mark.parametrize("source", COSTLY.values(), ids=COSTLY)
def test_no_readme_takes_long(source):
    before = time.monotonic()
    html = markdown(source)
    assert time.monotonic() - before < 3  # a tenth of that where nothing else runs
    assert len(html) < 300_000
    assert is_cut(source)


def test_tables_have_so_many_cells_in_all_and_no_word_is_lost():
    source = table(40, 300) + "\nbehind"
    assert not is_cut(source)
    html = markdown(source)
    assert html.count("<td>") + html.count("<th>") <= 4_000
    assert html.count("a") >= 40 + 300
    assert "<p>behind</p>" in html


def test_a_very_long_readme_is_cut_at_the_end_of_a_line():
    line = "Some words of a very long text.\n"
    assert not is_cut(line * (MOST_TEXT // len(line)))
    source = line * (MOST_TEXT // len(line) + 1)
    assert is_cut(source)
    assert markdown(source).endswith("very long text.</p>\n")


def test_a_readme_that_ends_within_the_limit_is_whole():
    source = "A sentence, *stressed*, with a [link](https://example.org) in it.\n\n" * 600
    assert not is_cut(source)
    assert markdown(source).count("<p>") == 600


def test_a_text_is_rendered_once():
    renders = markdown_tags._html.cache_info().misses
    htmls = {markdown("# Rendered *once*", 1) for _ in range(3)}
    assert len(htmls) == 1
    assert markdown_tags._html.cache_info().misses == renders + 1
    assert markdown("# Rendered *once*", 2) not in htmls


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("EvaluateFlow/179/start/1", ["Evaluate", "Flow/", "179/", "start/", "1"]),
        ("customer_churn-v2.parquet", ["customer_", "churn-", "v2.", "parquet"]),
        ("HTTPServer", ["HTTP", "Server"]),
        ("LongTrainingAndCalibrationFlow", ["Long", "Training", "And", "Calibration", "Flow"]),
        ("rows 2026", ["rows 2026"]),
        ("f" * 30, ["f" * 24, *"f" * 6]),
        ("\u0646\u0645\u0648\u0630\u062c", ["\u0646\u0645\u0648\u0630\u062c"]),
        ("", [""]),
    ],
)
def test_names_break_between_their_words(name, parts):
    assert breakable(name) == "<wbr>".join(parts)


def test_a_name_that_may_break_is_still_text():
    assert breakable("a/<b>&") == "a/<wbr>&lt;b&gt;&amp;"
    assert breakable(12) == "12"


def test_only_what_is_written_from_right_to_left_is_isolated():
    assert isolated("churn v2") == "churn v2"
    assert isolated("\u0646\u0645\u0648\u0630\u062c v2") == "\u2068\u0646\u0645\u0648\u0630\u062c v2\u2069"


USERS_WRITE = r"name|title|asset_id|actor|user|owner|about|description|state_reason|entity_id|declared_by_id|git_branch"
SHOWN = re.compile(rf"{{{{ (?!(?:[\w.]+\.)?(?:project|perimeter)\.)(?:[\w.]+\.)?(?:{USERS_WRITE})(?:\|[^}}]*)? }}}}")
APART = re.compile(r"""<bdi[^>]*>$|dir="auto"[^>]*>$|class="visually-hidden">[^<]*$""")
OUR_OWN_WORDS = {"styleguide.html", "sign_in.html", "api.html", "_members.html", "_alias.html", "base_site.html"}
DRAWN = {"_drawing.html"}  # where static/drawing.css does it


def test_what_users_write_is_kept_apart_from_the_words_around_it():
    """In text by <bdi>, in titles of pages by `isolated`. Names of projects and perimeters are in Latin letters."""
    bare = []
    for path in TEMPLATES.rglob("*.html"):
        text = re.sub(r"{% comment %}.*?{% endcomment %}|{#.*?#}", "", path.read_text(), flags=re.DOTALL)
        for found in SHOWN.finditer(text):
            before = re.sub(r"{%.*?%}", "", text[: found.start()])
            in_attribute = before.rfind("<") > before.rfind(">")
            if not (in_attribute or APART.search(before) or "|isolated" in found[0]):
                bare.append((path.name, found[0]))
    assert [one for one in bare if one[0] not in OUR_OWN_WORDS | DRAWN] == []

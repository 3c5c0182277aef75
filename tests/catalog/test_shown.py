"""Values as pages show them: times, numbers, names and icons."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from catalog.shown.icons import pictogram
from catalog.shown.names import breakable, isolated
from catalog.shown.numbers import grouped, metric
from catalog.shown.times import exact, machine, relative_time
from tests.places import STATIC, TEMPLATES

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


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("EvaluateFlow/179/start/1", ["Evaluate", "Flow/", "179/", "start/", "1"]),
        ("customer_churn-v2.parquet", ["customer_", "churn-", "v2.", "parquet"]),
        ("HTTPServer", ["HTTP", "Server"]),
        ("needs 0.7872@127.0.0.1:8000", ["needs 0.7872@", "127.0.0.1:", "8000"]),
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
OF_LATIN_LETTERS = r"(?:[\w.]+\.)?(?:project|perimeter)\."
SHOWN = re.compile(rf"{{{{-? (?!{OF_LATIN_LETTERS})(?:[\w.]+\.)?(?:{USERS_WRITE})(?:\|[^}}]*)? -?}}}}")
# text in drawings is isolated by their stylesheets
APART = re.compile(r"""<bdi[^>]*>$|dir="auto"[^>]*>$|class="visually-hidden">[^<]*$|<text[^>]*>$|@$""")
OUR_OWN_WORDS = {"styleguide.html", "sign_in.html", "api.html", "_members.html", "base_site.html"}
DRAWN = {"_drawing.html", "_held_drawing.html", "_metrics_drawing.html"}  # files of their own, with such a stylesheet
DRAWINGS = ("drawing.css", "held.css", "plots.css")


def test_what_users_write_is_kept_apart_from_the_words_around_it():
    """In text by <bdi>, in titles of pages by `isolated`, in sentences by `said`.

    Names of projects and perimeters are in Latin letters.
    """
    bare = []
    for path in TEMPLATES.rglob("*.html"):
        text = re.sub(r"{% comment %}.*?{% endcomment %}|{#.*?#}", "", path.read_text(), flags=re.DOTALL)
        for found in SHOWN.finditer(text):
            before = re.sub(r"{%.*?%}", "", text[: found.start()])
            in_attribute = before.rfind("<") > before.rfind(">")
            if not (in_attribute or APART.search(before) or re.search(r"[|](isolated|said)\b", found[0])):
                bare.append((path.name, found[0]))
    assert [one for one in bare if one[0] not in OUR_OWN_WORDS | DRAWN] == []
    for sheet in DRAWINGS:
        assert re.search(r" text { [^}]*unicode-bidi: plaintext;", (STATIC / sheet).read_text()), sheet

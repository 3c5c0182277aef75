"""What is said of freshness: `catalog.freshness.words`."""

import tomllib
from dataclasses import replace
from datetime import date, timedelta

import pytest

from catalog.freshness import words
from catalog.freshness.declared import Declared, checked
from catalog.freshness.learning import Expectation, learn
from catalog.states import Watch
from tests.catalog.freshness.test_learning import BERLIN, daily, local

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TIMES = daily(54, 6.5, BERLIN, weekdays=range(5))
MON_WED_FRI = daily(100, 6, BERLIN, weekdays=(0, 2, 4))
FRIDAY = TIMES[-1]
LEARNED = learn(TIMES, now=FRIDAY, timezone=BERLIN)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (FRIDAY, "next expected 2026-11-02 06:30 CET"),
        (LEARNED.due_at, "expected 2026-11-02 06:30 CET, late after 2026-11-02 12:30 CET"),
        (LEARNED.due_at + 11 * HOUR, "late by 11 h; expected 2026-11-02 06:30 CET"),
        (LEARNED.due_at + 11.9 * HOUR, "late by 11 h; expected 2026-11-02 06:30 CET"),
        (LEARNED.due_at + 28 * DAY, "nothing for 31 d, usually daily; no more news of it"),
    ],
)
def test_how_it_stands_in_a_line(now, said):
    assert words.plain(words.sentence(LEARNED, now, FRIDAY), BERLIN) == said


def test_what_is_not_watched_or_only_learned_from():
    now = TIMES[-1]
    young = learn(TIMES[:8], now=TIMES[7], timezone=BERLIN)
    assert words.plain(words.sentence(young, TIMES[7])) == "9 of 16 days seen; nothing is called late before"
    few = learn(TIMES[:2], now=TIMES[1])
    assert words.plain(words.sentence(few, TIMES[1])) == "seen 2 of 6 times; nothing is called late before"
    assert words.plain(words.sentence(Expectation(Watch.LEARNING), now)) == "nothing is called late yet"
    assert words.plain(words.sentence(Expectation(Watch.OFF), now)) == "not watched"
    unreadable = learn(TIMES, now=now, declared=Declared.of({"every": "x"}))
    assert words.plain(words.sentence(unreadable, now)).startswith("not watched: what is declared can't be read (fre")
    nothing_came = learn([], now=now, declared=Declared.of({"every": "1d"}))
    assert words.plain(words.sentence(nothing_came, now)) == "nothing is expected yet: no version that counts has come"


def test_how_often_it_comes():
    assert words.usually(LEARNED) == "usually every 24 h"
    noisy = replace(LEARNED, usual=85_000, told=LEARNED.told | {"spread": 1200})
    assert words.usually(noisy) == "usually every 24 h ± 20 min"
    declared = Declared.of({"cron": "0 6 * * 1-5", "timezone": BERLIN})
    assert words.usually(learn(TIMES, now=FRIDAY, declared=declared)) == (
        "declared: at 06:00 on weekdays, Europe/Berlin"
    )
    assert words.usually(Expectation(Watch.OFF)) == ""


def test_how_it_is_known():
    assert [words.plain(parts, BERLIN) for parts in words.how_known(LEARNED)] == [
        "As in the last weeks: at this moment of each of the last 6 weeks, by the clocks of Europe/Berlin, "
        "the next one came 3 d later (the median).",
        "Known since 2026-09-07 06:30 CEST.",
        "Expected 2026-11-02 06:30 CET; late 2026-11-02 12:30 CET, 6 h after that: a quarter of the gap, "
        "and 10 min at least.",
    ]
    monthly = [local(date(2025 + month // 12, month % 12 + 1, 1), 6) for month in range(20)]
    assert words.plain(words.how_known(learn(monthly, now=monthly[-1]))[0]) == (
        "As the last 19 gaps were: 31 d (the median)."
    )
    declared = Declared.of({"every": "1d", "except": ["2026-12-25"], "at": "data_until"})
    assert [words.plain(parts) for parts in words.how_known(learn(TIMES, now=FRIDAY, declared=declared))] == [
        "Declared: every 1 d.",
        "What counts is the time of the data, by the annotation data_until, not when a version came.",
        "Nothing is expected on 1 declared day.",
        "Expected 2026-10-31 05:30 UTC; late 2026-10-31 11:30 UTC, 6 h after that: a quarter of the gap, "
        "and 10 min at least.",
    ]
    at_once = learn(TIMES, now=FRIDAY, declared=Declared.of({"every": "1d", "grace": "0m"}))
    assert words.plain(words.how_known(at_once)[-1]) == (
        "Expected 2026-10-31 05:30 UTC; late 2026-10-31 05:30 UTC, at once: the grace that is declared."
    )
    for other in (
        Expectation(Watch.OFF),
        Expectation(Watch.LEARNED),
        Expectation(Watch.LEARNING),
        learn([], now=FRIDAY),
    ):
        assert words.how_known(other)


def test_each_reason_for_the_slack_has_words():
    for by, why in [("slack", why) for why in ("quarter", "half", "spread", "lates", "least", "grace")] + [
        (by, "quarter") for by in ("before", "usual", "twice", "silence", "irregular")
    ]:
        told = LEARNED.told | {"late_by": by, "why": why}
        assert not words.plain(words.how_known(replace(LEARNED, told=told))[-1]).endswith(": .")


@pytest.mark.parametrize(
    ("times", "toml"),
    [
        (TIMES, 'cron = "30 6 * * 1-5"\ntimezone = "Europe/Berlin"\ngrace = "6h"\n'),
        (daily(60), 'every = "1d"\ngrace = "6h"\n'),
        (
            daily(100, 6, BERLIN, weekdays=(0, 2, 4)),
            'cron = "0 6 * * 1,3,5"\ntimezone = "Europe/Berlin"\ngrace = "12h"\n',
        ),
        (daily(200)[::7], 'every = "1w"\ngrace = "42h"\n'),
    ],
)
def test_the_toml_declares_what_was_learned(times, toml):
    expected = learn(times, now=times[-1], timezone=BERLIN)
    text = words.toml(expected)
    assert text == f"[freshness]\n{toml}"
    declared = Declared.of(checked(tomllib.loads(text)["freshness"]))
    assert abs(declared.next_due(times[-1]) - expected.due_at) <= 2 * HOUR


def test_what_comes_irregularly_is_not_declared():
    assert words.toml(replace(LEARNED, told=LEARNED.told | {"late_by": "irregular"})) == ""
    assert words.toml(Expectation(Watch.LEARNING)) == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (5, "1 min"),
        (1_200, "20 min"),
        (3_600, "1 h"),
        (5_400, "1 h 30 min"),
        (39_600, "11 h"),
        (86_400, "24 h"),
        (2 * 86_400 + 3 * 3_600, "2 d 3 h"),
        (28 * 86_400 + 3_600, "28 d"),
    ],
)
def test_lengths_of_time(seconds, said):
    assert words.length(seconds) == said

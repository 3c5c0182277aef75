"""`[freshness]` as it is declared and kept, and when a version is due by it: `catalog.freshness.declared`."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.freshness.declared import Declared, FreshnessProblems, checked, data_time
from tests.lanes import first

BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def problems_of(declared):
    with pytest.raises(FreshnessProblems) as caught:
        checked(declared)
    return [str(problem) for problem in caught.value.problems]


def test_what_is_kept_is_in_one_form():
    declared = {
        "cron": " 0 6  * * 1-5 ",
        "timezone": BERLIN,
        "grace": "30 m",
        "except": ["2026-12-26", date(2026, 12, 25), "2026-12-25"],
        "at": "data_until",
        "off": False,
    }
    kept = {
        "cron": "0 6 * * 1-5",
        "timezone": BERLIN,
        "grace": "30m",
        "except": ["2026-12-25", "2026-12-26"],
        "at": "data_until",
    }
    assert checked(declared) == kept
    assert checked(kept) == kept
    assert checked({}) == checked({"except": [], "off": False}) == {}
    assert checked({"at": "data_until"}) == {"at": "data_until"}  # the rest is learned


PROBLEMS = [
    ([], "freshness: a table is expected, with some of every, cron, timezone, grace, except, at, off"),
    ({"evry": "1d"}, "freshness.evry: not known here; known are every, cron"),
    ({"every": "1d", "cron": "0 6 * * *"}, "freshness.cron: every says already when a version is expected"),
    ({"every": "daily"}, "freshness.every: daily is no length of time; write a whole number and m, h, d or w, such as"),
    ({"every": 5}, "freshness.every: 5 is no length of time"),
    ({"every": "4m"}, "freshness.every: 4m is too short: from 5 min to 366 d"),
    ({"every": "53w"}, "freshness.every: 53w is too long"),
    ({"grace": "-5m"}, "freshness.grace: -5m is no length of time"),
    (
        {"cron": "0 6 * *"},
        "freshness.cron: 0 6 * * has 4 fields; five are expected (minute, hour, day of the month, mo",
    ),
    ({"cron": "@daily"}, "freshness.cron: @daily has 1 fields; five are expected"),
    ({"cron": "* * * * * *"}, "freshness.cron: * * * * * * has 6 fields"),
    ({"cron": "0 24 * * *"}, "freshness.cron: 24 can't be the hour: 0 to 23; also *, lists (1,3), ranges (1-5), st"),
    (
        {"cron": "0 6 * * 1-9"},
        "freshness.cron: 1-9 can't be the day of the week: 0 to 7 or SUN to SAT, 0 and 7 being Su",
    ),
    ({"cron": "0 0 30 2 *"}, "freshness.cron: 0 0 30 2 * never comes: there is no such day"),
    ({"cron": 6}, "freshness.cron: a text of at most 100 characters is expected"),
    ({"cron": "0 " * 60}, "freshness.cron: a text of at most 100 characters is expected"),
    ({"timezone": "Berlin"}, 'freshness.timezone: Berlin is not known as a time zone; write a name such as "Europe/B'),
    ({"timezone": "localtime"}, "freshness.timezone: localtime is not known"),
    ({"timezone": "right/UTC"}, "freshness.timezone: right/UTC is not known"),
    ({"timezone": "../../etc/passwd"}, "freshness.timezone: ../../etc/passwd is not known"),
    ({"except": "2026-12-25"}, "freshness.except: a list of dates is expected"),
    ({"except": ["2026-02-30"]}, "freshness.except: 2026-02-30 is no date; write it as 2026-12-25"),
    ({"except": ["20261225"]}, "freshness.except: 20261225 is no date"),
    ({"except": [None]}, "freshness.except: NoneType is no date"),
    ({"except": ["2026-12-25"] * 401}, "freshness.except: at most 400 dates; here are 401"),
    ({"at": ""}, "freshness.at: the name of an annotation is expected"),
    ({"off": "yes"}, "freshness.off: true or false is expected"),
]


@pytest.mark.parametrize(("declared", "problem"), PROBLEMS)
def test_what_is_wrong_is_told_with_what_could_stand_there(declared, problem):
    [said] = problems_of(declared)
    assert said.startswith(problem)


def test_all_problems_are_told_at_once_with_their_file():
    with pytest.raises(FreshnessProblems) as caught:
        checked({"every": "x", "timezone": "y", "z": 1}, "asset_config.toml")
    assert [problem.key for problem in caught.value.problems] == [
        "freshness.z",
        "freshness.every",
        "freshness.timezone",
    ]
    assert str(caught.value).count("asset_config.toml: freshness.") == 3


def test_what_is_kept_and_can_not_be_read_is_not_watched_and_says_why():
    declared = Declared.of({"cron": "0 6 * * *", "of": "a later version"}, BERLIN)
    assert declared.off
    assert not declared.says_when
    assert declared.unreadable.startswith("freshness.of: not known here")
    for odd in (None, {}, [], ""):
        assert not Declared.of(odd).off
    assert Declared.of([1]).off


def test_a_period_counts_from_the_last_one():
    daily = Declared.of({"every": "1d"})
    assert daily.next_due(at("2026-11-30T06:10")) == at("2026-12-01T06:10")
    assert daily.grace == timedelta(hours=6)
    assert daily.usual == timedelta(days=1)
    assert Declared.of({"every": "5m"}).grace == timedelta(minutes=10)
    assert Declared.of({"every": "1d", "grace": "0m"}).grace == timedelta(0)


def test_a_cron_expression_is_meant_in_its_time_zone():
    declared = Declared.of({"cron": "0 6 * * 1-5"}, BERLIN)
    friday = at("2026-03-27T07:00")
    assert declared.next_due(friday) == at("2026-03-30T04:00")  # summer time began on Sunday
    assert Declared.of({"cron": "0 6 * * 1-5", "timezone": "UTC"}, BERLIN).next_due(friday) == at("2026-03-30T06:00")
    assert Declared.of({"cron": "0 6 * * 1-5"}, "Nowhere/Land").next_due(friday) == at("2026-03-30T06:00")
    assert declared.text == "at 06:00 on weekdays, Europe/Berlin"
    assert declared.usual == timedelta(days=1)


@pytest.mark.parametrize(
    ("cron", "after", "due"),
    [
        # by clocks that have no such time, it comes when there is one again; what is twice comes once
        ("30 2 * * *", "2026-03-28T12:00", "2026-03-29T01:00"),
        ("30 2 * * *", "2026-10-24T12:00", "2026-10-25T00:30"),
        ("30 2 * * *", "2026-10-25T00:40", "2026-10-26T01:30"),
        ("0 0 29 2 *", "2026-03-01T00:00", "2028-02-28T23:00"),
        ("0 6 1 * *", "2026-07-31T00:00", "2026-08-01T04:00"),  # a Saturday
        ("0 6 LW * *", "2026-05-01T00:00", "2026-05-29T04:00"),
    ],
)
def test_daylight_saving_leap_days_and_ends_of_months(cron, after, due):
    assert Declared.of({"cron": cron, "timezone": BERLIN}).next_due(at(after)) == at(due)


def test_what_comes_shortly_before_its_moment_has_come_for_it():
    declared = Declared.of({"cron": "0 6 * * *"})
    assert declared.next_due(at("2026-11-30T05:10")) == at("2026-12-01T06:00")
    assert declared.next_due(at("2026-11-30T05:00")) == at("2026-11-30T06:00")
    hourly = Declared.of({"cron": "0 * * * *"})
    assert hourly.next_due(at("2026-11-30T05:50")) == at("2026-11-30T07:00")
    assert hourly.next_due(at("2026-11-30T05:40")) == at("2026-11-30T06:00")


def test_the_grace_is_a_quarter_of_the_nearer_gap():
    declared = Declared.of({"cron": "0 6,9 * * *"})
    assert declared.grace_at(at("2026-11-30T06:00")) == timedelta(minutes=45)
    assert declared.grace_at(at("2026-11-30T09:00")) == timedelta(minutes=45)
    assert Declared.of({"cron": "0 6 * * 1-5"}).grace_at(at("2026-11-30T06:00")) == timedelta(hours=6)
    assert Declared.of({"cron": "0 6 * * *", "grace": "1h"}).grace_at(at("2026-11-30T06:00")) == timedelta(hours=1)
    assert Declared.of({"cron": "*/5 * * * *"}).grace_at(at("2026-11-30T06:00")) == timedelta(minutes=10)


def test_on_excepted_days_nothing_is_expected():
    days = ["2026-12-24", "2026-12-25", "2026-12-28"]
    cron = Declared.of({"cron": "0 6 * * 1-5", "except": days, "timezone": BERLIN})
    assert cron.next_due(at("2026-12-23T05:30")) == at("2026-12-29T05:00")
    every = Declared.of({"every": "12h", "except": days})
    assert every.next_due(at("2026-12-23T15:00")) == at("2026-12-26T03:00")
    # the days are those of the time zone
    assert Declared.of({"every": "1h", "except": ["2026-12-25"], "timezone": "America/New_York"}).next_due(
        at("2026-12-25T02:30")
    ) == at("2026-12-25T03:30")
    everyday = [(date(2026, 1, 1) + timedelta(days=day)).isoformat() for day in range(400)]
    assert Declared.of({"cron": "* * * * *", "except": everyday}).next_due(at("2026-01-01")) == at("2027-02-05T00:00")
    assert Declared.of({"every": "5m", "except": everyday}).next_due(at("2026-01-01")) == at("2027-02-05T00:00")


def test_the_time_of_data():
    assert data_time("2026-11-30T06:00:00+01:00") == at("2026-11-30T05:00")
    assert data_time("2026-11-30", BERLIN) == at("2026-11-29T23:00")
    assert data_time(1_796_000_000) == data_time("1796000000") == datetime.fromtimestamp(1_796_000_000, UTC)
    zeros = ("0001-01-01", "0001-01-01T00:00:00Z", -62_135_596_800, "1899-12-31")
    for odd in (*zeros, None, "", "soon", True, float("nan"), float("inf"), 1e300, [], {}, "9" * 40, "2026-13-01"):
        assert data_time(odd) is None


CRONS = st.sampled_from(
    ["0 6 * * 1-5", "*/5 * * * *", "30 2 * * *", "0 0 29 2 *", "0 9 * * 1#2", "15 6,18 L * *", "0 * 1 1,7 *"]
)
ZONES = st.sampled_from(["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))


@pytest.mark.parametrize("cases", first(1, [10, 2000]))
def test_a_due_is_later_and_on_no_excepted_day(cases):
    @settings(max_examples=cases, deadline=None)
    @given(
        when=st.one_of(
            CRONS.map(lambda cron: {"cron": cron}),
            st.integers(5, 366 * 24 * 60).map(lambda minutes: {"every": f"{minutes}m"}),
        ),
        zone=ZONES,
        days=st.lists(st.integers(0, 20), max_size=5),
        after=MOMENTS,
    )
    def holds(when, zone, days, after):
        excepted = [(after.date() + timedelta(days=day)).isoformat() for day in days]
        declared = Declared.of({**when, "timezone": zone, "except": excepted})
        due = declared.next_due(after)
        assert due is not None
        assert due > after
        assert declared.not_excepted(due) == due
        assert declared.grace_at(due) >= timedelta(minutes=10)

    holds()


ODD = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.text(max_size=3))


@pytest.mark.parametrize("cases", first(1, [10, 2000]))
def test_whatever_is_kept_can_be_asked(cases):
    keys = st.sampled_from(["every", "cron", "timezone", "grace", "except", "at", "off", "more"])
    values = ODD | st.sampled_from(["1d", "0 6 * * *", "0 6 * * x", BERLIN, "30m"])

    @settings(max_examples=cases, deadline=None)
    @given(kept=ODD | st.dictionaries(keys, values, max_size=4), zone=st.text(max_size=8))
    def holds(kept, zone):
        declared = Declared.of(kept, zone)
        if declared.says_when:
            assert declared.next_due(at("2026-11-30")) > at("2026-11-30")
            assert declared.usual > timedelta(0)
            assert declared.text

    holds()

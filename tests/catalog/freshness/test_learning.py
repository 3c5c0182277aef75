"""When the next version is expected, learned from those before: `catalog.freshness.learning`."""

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.freshness.declared import Declared
from catalog.freshness.learning import (
    FOLLOWING,
    LAST,
    advancing,
    after_arrival,
    by_declaration,
    dormant_after,
    learn,
    moments,
)
from catalog.freshness.state import freshness_of
from catalog.states import Freshness, Watch
from tests.lanes import first

BERLIN = "Europe/Berlin"
MINUTE, HOUR, DAY, WEEK = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
MONDAY = date(2026, 9, 7)


def local(day: date, hour: float, zone: str = "UTC") -> datetime:
    return (datetime.combine(day, time(), ZoneInfo(zone)) + timedelta(hours=hour)).astimezone(UTC)


def daily(days: int, hour: float = 6, zone: str = "UTC", begin: date = MONDAY, weekdays=range(7)) -> list[datetime]:
    every = (begin + timedelta(days=number) for number in range(days))
    return [local(day, hour, zone) for day in every if day.weekday() in weekdays]


def alarms(times: list[datetime], zone: str = "UTC") -> list[datetime]:
    """After which versions the next one is called late before it comes."""
    late = []
    for at, (came, following) in enumerate(pairwise(times), 1):
        expected = learn(times[max(at - LAST, 0) : at], now=came, timezone=zone, **looked_up(times[:at], zone))
        if expected.late_at and expected.late_at < following:
            late.append(came)
    return late


def looked_up(times: list[datetime], zone: str = "UTC") -> dict:
    asked = moments(times[-LAST:], now=times[-1], timezone=zone, first=times[0])
    return {
        "first": times[0],
        "then": {at: times[(place := bisect_right(times, at)) : place + FOLLOWING] for at in asked},
    }


def test_the_next_one_is_expected_as_in_the_last_weeks():
    fridays = daily(54, 6.5, BERLIN, weekdays=range(5))
    assert fridays[-1].weekday() == 4
    expected = learn(fridays, now=fridays[-1] + MINUTE, timezone=BERLIN)
    monday = local(MONDAY + timedelta(days=56), 6.5, BERLIN)
    assert (expected.watch, expected.usual) == (Watch.LEARNED, 86_400)
    assert expected.due_at == monday  # winter time began on Sunday
    assert expected.late_at == monday + 6 * HOUR
    assert expected.dormant_at == expected.late_at + 14 * DAY
    assert expected.told["weeks"] == 6
    assert expected.told["zone"] == BERLIN


@pytest.mark.parametrize("before", [date(2026, 3, 29), date(2026, 10, 25)])
@pytest.mark.parametrize("hour", first(2, [2.5, 6, 1, 3, 23]))
def test_daylight_saving_costs_nothing(before, hour):
    times = daily(70, hour, BERLIN, before - timedelta(days=40))
    assert alarms(times, BERLIN) == []
    assert alarms([at for at in times if at != times[50]], BERLIN) == [times[49]]
    # the same for what does not follow the clocks
    assert alarms(daily(70, hour, "UTC", before - timedelta(days=40)), BERLIN) == []


@pytest.mark.parametrize("hours", first(2, [3, 6, 1, 2, 4, 8]))
@pytest.mark.parametrize("before", [date(2026, 3, 29), date(2026, 10, 25)])
def test_daylight_saving_costs_nothing_of_several_a_day(before, hours):
    begin = before - timedelta(days=24)
    times = [local(begin, 0.1) + number * hours * HOUR for number in range(40 * 24 // hours)]
    assert alarms(times, BERLIN) == []


def test_a_young_history_is_only_learned_from():
    times = daily(15)
    expected = learn(times, now=times[-1] + 9 * DAY)
    assert expected.watch == Watch.LEARNING
    assert (expected.due_at, expected.late_at, expected.usual) == (None, None, None)
    assert learn(daily(17), now=times[-1] + 9 * DAY).watch == Watch.LEARNED
    assert learn([], now=times[-1]).watch == Watch.LEARNING
    weekly = [times[0] + number * WEEK for number in range(5)]
    assert learn(weekly, now=weekly[-1]).watch == Watch.LEARNING
    assert learn([*weekly, weekly[-1] + WEEK], now=weekly[-1] + WEEK).watch == Watch.LEARNED


def test_one_missed_run_is_found():
    for missed in ([40], [40, 41], [40, 41, 42]):
        times = [at for number, at in enumerate(daily(60)) if number not in missed]
        assert alarms(times) == [daily(60)[39]]


def test_what_is_made_in_office_hours_is_not_missed_at_night():
    times = [local(day.date(), hour, BERLIN) for day in daily(40, weekdays=range(5)) for hour in range(8, 19)]
    assert alarms(times, BERLIN) == []
    missed = times[-40]
    assert alarms([at for at in times if at != missed], BERLIN) == [times[-41]]


def test_longer_gaps_count_themselves():
    monthly = [local(date(2024 + month // 12, month % 12 + 1, 1), 6, BERLIN) for month in range(36)]
    assert alarms(monthly, BERLIN) == []  # with a leap day, and on weekends as on other days
    last = monthly[-1]
    expected = learn(monthly, now=last, timezone=BERLIN)
    assert expected.due_at == last + 31 * DAY
    assert expected.late_at - expected.due_at == 31 * DAY / 4
    assert expected.dormant_at == expected.late_at + 4 * 31 * DAY


def test_a_long_gap_is_usual_if_there_were_three():
    weekly = daily(400)[::7]
    double = [at for number, at in enumerate(weekly) if number not in (40, 44, 48)]
    assert learn(double, now=double[-1]).late_at == double[-1] + 2 * WEEK
    assert learn(weekly, now=weekly[-1]).late_at == weekly[-1] + WEEK + WEEK / 4


def test_several_at_once_count_as_one():
    rng = Random(1)
    nights = daily(60)
    times = [night + part * MINUTE for night in nights for part in range(rng.randint(1, 4))]
    expected = learn(times[-LAST:], now=times[-1], **looked_up(times))
    assert expected.due_at == nights[-1] + DAY
    assert expected.usual == 86_400
    assert alarms(times) == []
    # two runs at once
    assert alarms(sorted([*nights, *(night + timedelta(seconds=rng.random()) for night in nights)])) == []


def test_a_backfill_at_once_teaches_nothing():
    times = daily(60)
    backfilled = [*times, *(times[-1] + HOUR + number * timedelta(seconds=3) for number in range(100))]
    expected = learn(backfilled[-LAST:], now=backfilled[-1], **looked_up(backfilled))
    assert expected.due_at == times[-1] + DAY
    assert times[-1] + DAY < expected.late_at < times[-1] + 2 * DAY


def test_a_change_from_daily_to_weekly_alarms_once():
    times = daily(80)
    changed = [*times, *(times[-1] + number * WEEK for number in range(1, 12))]
    assert alarms(changed) == [times[-1]]
    relearned = learn(changed[: len(times) + 3], now=changed[len(times) + 2])
    assert relearned.usual == 7 * 86_400
    assert relearned.due_at == times[-1] + 4 * WEEK
    # and the other way round
    weekly = daily(200)[::7]
    faster = [*weekly, *(weekly[-1] + number * DAY for number in range(1, 40))]
    assert alarms(faster) == []
    assert learn(faster, now=faster[-1]).due_at == faster[-1] + DAY
    assert learn(faster, now=faster[-1]).late_at < faster[-1] + 2 * DAY


def test_a_change_of_the_hour_alarms_once():
    times = daily(60, 6)
    later = daily(20, 16, begin=MONDAY + timedelta(days=60))
    assert alarms([*times, *later]) == [times[-1]]


def test_a_change_from_hourly_to_daily_is_learned_in_two_days():
    hourly = [local(MONDAY, 0) + number * HOUR for number in range(24 * 30)]
    changed = [*hourly, *(hourly[-1] + number * DAY for number in range(1, 20))]
    assert len(alarms(changed)) == 2


def test_times_out_of_order_equal_or_in_the_future():
    times = daily(60)
    shuffled = times[:]
    Random(3).shuffle(shuffled)
    now = times[-1] + HOUR
    assert learn(shuffled, now=now) == learn(times, now=now)
    assert learn([*times, times[-1], times[-1]], now=now).due_at == times[-1] + DAY
    # a clock that was a year ahead does not make it fresh for a year
    ahead = learn([*times, now + timedelta(days=365)], now=now)
    assert ahead.due_at <= now + DAY


def test_irregular_ones_are_late_after_twice_the_longest_silence():
    rng = Random(5)
    at, times = local(MONDAY, 9), []
    for _ in range(60):
        at += timedelta(days=rng.expovariate(1 / 1.3))
        times.append(at)
    expected = learn(times, now=at)
    longest = max(after - before for before, after in pairwise(times))
    assert expected.told["late_by"] == "irregular"
    assert abs(expected.late_at - at - 2 * longest) < 2 * HOUR  # several at once count as one


def test_looking_up_says_the_same_as_the_whole_history():
    times = [local(MONDAY, 0) + number * HOUR for number in range(24 * 50)]
    del times[-500:-497]
    asked = moments(times[-LAST:], now=times[-1], timezone=BERLIN, first=times[0])
    assert len(asked) == 6
    part = learn(times[-LAST:], now=times[-1], timezone=BERLIN, **looked_up(times, BERLIN))
    whole = learn(times, now=times[-1], timezone=BERLIN)
    assert (part.due_at, part.late_at) == (whole.due_at, whole.late_at)
    assert moments(daily(60)[-40:], now=times[-1]) == []  # these are all there are


def test_what_is_declared_wins():
    times = daily(60)
    now = times[-1] + MINUTE
    declared = Declared.of({"every": "2d"})
    expected = learn(times, now=now, declared=declared)
    assert expected == by_declaration(declared, times[-1])
    assert (expected.watch, expected.due_at) == (Watch.DECLARED, times[-1] + 2 * DAY)
    assert expected.late_at == expected.due_at + 12 * HOUR
    assert learn(times, now=now, declared=Declared.of({"off": True})).watch == Watch.OFF
    assert learn([], now=now, declared=declared).due_at is None
    # of what is learned, the grace, the time zone and the excepted days may be declared
    graced = Declared.of({"grace": "30m", "timezone": BERLIN, "except": [str((times[-1] + DAY).date())]})
    expected = learn(times, now=now, declared=graced, timezone="Asia/Tokyo")
    assert expected.due_at == local((times[-1] + 2 * DAY).date(), 6)
    assert expected.told["zone"] == BERLIN
    assert expected.told["slack"] == 1800
    assert learn(times, now=now, declared=Declared.NOTHING, timezone="Asia/Tokyo").told["zone"] == "Asia/Tokyo"


def test_old_data_brought_anew_is_no_arrival():
    day = local(MONDAY, 0)
    came = [(day + DAY, day), (day + 2 * DAY, day + DAY), (day + 3 * DAY, day - 30 * DAY), (day + 4 * DAY, None)]
    assert advancing(came) == [day + DAY, day + 2 * DAY]
    assert advancing([*came, (day + 5 * DAY, day + 4 * DAY)])[-1] == day + 5 * DAY


def test_a_write_keeps_the_slack_until_the_pass_has_learned_anew():
    times = daily(60)
    known = learn(times, now=times[-1])
    columns = known.watch, known.usual, known.due_at, known.late_at
    came = times[-1] + DAY + HOUR
    kept = after_arrival(*columns, came, Declared.NOTHING)
    assert kept.due_at == came + DAY
    assert kept.late_at == came + DAY + (known.late_at - known.due_at)
    assert kept.dormant_at == dormant_after(kept.late_at, known.usual)
    declared = Declared.of({"cron": "0 6 * * *"})
    assert after_arrival(Watch.DECLARED, None, None, None, came, declared) == by_declaration(declared, came)
    assert after_arrival(Watch.LEARNING, None, None, None, came, Declared.NOTHING) is None
    assert after_arrival(Watch.OFF, None, None, None, came, declared) is None


@pytest.mark.parametrize("cases", first(1, [25, 3000]))
def test_any_times_can_be_learned_from(cases):
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    gaps = st.sampled_from([0.0, 1e-6, 1.0, 300.0, 3_600.0, 86_400.0, 7 * 86_400.0, 31 * 86_400.0]) | st.floats(0, 1e7)
    zones = st.sampled_from(["UTC", BERLIN, "Australia/Lord_Howe", "America/St_Johns", "nowhere", ""])

    @settings(max_examples=cases, deadline=None)
    @given(
        steps=st.lists(st.tuples(gaps, st.integers(1, 20)), max_size=8),
        zone=zones,
        ahead=st.floats(-1e7, 1e7),
        days=st.lists(st.integers(0, 60), max_size=3),
    )
    def holds(steps, zone, ahead, days):
        at, times = begin, []
        for gap, count in steps:
            for _ in range(count):
                at += timedelta(seconds=gap)
                times.append(at)
        now = at + timedelta(seconds=ahead)
        excepted = [str((now + timedelta(days=day)).date()) for day in days]
        expected = learn(times, now=now, timezone=zone, declared=Declared.of({"except": excepted}))
        if expected.watch == Watch.LEARNED:
            last = min(times[-1], now)
            assert last < expected.due_at <= expected.late_at <= expected.dormant_at
            assert expected.usual > 0
            states = [
                freshness_of(expected.watch, expected.due_at, expected.late_at, expected.dormant_at, then)
                for then in (last, expected.due_at, expected.late_at, expected.dormant_at)
            ]
            assert states[0] == Freshness.FRESH
            assert states[-1] == Freshness.DORMANT
        else:
            assert expected.watch == Watch.LEARNING

    holds()


def test_a_hundred_thousand_are_learned_in_less_than_a_minute():
    times = [local(MONDAY, 0) + number * HOUR for number in range(24 * 50)]
    last, more = times[-LAST:], looked_up(times, BERLIN)
    best = 1.0
    for _ in range(20):
        begin = perf_counter()
        learn(last, now=times[-1], timezone=BERLIN, **more)
        best = min(best, perf_counter() - begin)
    assert best < 0.0006

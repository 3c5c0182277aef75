"""`/styleguide/`: every element of the pages once, with values that are hard to lay out. Served in debug only."""

from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from catalog.declared_metrics import DeclaredMetrics
from catalog.freshness.declared import Declared
from catalog.freshness.learning import learn
from catalog.gates.judgement import Ruling, Says
from catalog.metrics import Metric
from catalog.pagekit.freshness import FreshnessShown, Part
from catalog.pagekit.hits import Hit
from catalog.pagekit.rulings import OUTCOMES, WAITS, RulingRow, as_shown, in_order
from catalog.pagekit.uses import EntityLink
from catalog.plotting import Along, Group, Line, Plot, Point, Range
from catalog.states import State
from obproject.charts import Chart

METRICS = DeclaredMetrics.of([{"name": "training time", "better": "lower", "unit": "s", "noise": 2}])
LONG = "customer_lifetime_value_regression_with_seasonal_decomposition_and_holiday_features_v2_experimental"
HTML = "<b onmouseover=alert(1)>bold</b> & <script>alert(1)</script>"
RIGHT_TO_LEFT = "\u05de\u05d5\u05d3\u05dc \u05d4\u05e0\u05d8\u05d9\u05e9\u05d4"  # "the churn model" in Hebrew
EMOJI = "\N{FOX FACE} fox \N{SNOWMAN}"

ROLES = {
    "grounds": ["page", "sheet", "inset", "hover"],
    "text": ["ink", "ink-2", "ink-3"],
    "lines": ["edge", "edge-2", "edge-3"],
    "meanings": ["accent", "data", "model", "good", "warn", "bad"],
}
ICONS = [
    *("brand", "data", "model", "definition", "flow", "deployment", "person", "ci", "other", "branch"),
    *(
        "ready",
        "pending",
        "failed",
        "info",
        "warning",
        "differs",
        "noise",
        "up",
        "down",
        "same",
        "search",
        "theme",
        "copy",
        "copied",
    ),
    *("open", "previous", "next", "outside", "remove", "add", "menu"),
]

CODE = """class ScoreFlow(ProjectFlow):
    @step
    def start(self):
        self.model = self.prj.get_model("churn_model")
        self.next(self.end)"""

README = """# Churn model

Who is *about to leave*, scored **weekly**. See [the paper](https://example.org/churn) and
![the architecture](https://example.org/architecture.png).

| slice | rows | auc |
|---|---|---|
| new customers | 12,040 | 0.94 |
| `loyal` | 36,170 | 0.97 |

> Retrain after a price change.

1. run `TrainFlow`
2. look at the card

```python
self.prj.get_model("churn_model")
```

<details><summary>More</summary>

Press <kbd>Ctrl</kbd>; <script>alert("gone")</script> see [above](#churn-model).

</details>

> [!WARNING]
> Not for accounts younger than a week.

- [x] trained
- [ ] promoted
"""


def styleguide(request: HttpRequest) -> HttpResponse:
    """Every element of the pages, on one page."""
    parts = (_frame(), _parts(), _rows(), _of_pages(), _compared(), _judged(), _watched())
    return render(request, "styleguide.html", {key: value for part in parts for key, value in part.items()})


styleguide_page = login_not_required(styleguide)


def _compared() -> dict[str, Any]:
    """What stands for deltas, sentences and looks of the room that compares, which this one does not know."""
    looks = [("better", "good", "up"), ("worse", "bad", "down"), ("gone", "warn", "remove"), ("newer", "", "differs")]
    return {
        "sentence": _said("trained on ", (HTML, True), " instead of ", (RIGHT_TO_LEFT, True), (LONG, True)),
        "looks": [SimpleNamespace(word=word, colour=colour, icon=name) for word, colour, name in looks],
        "deltas": [
            _delta("+0.0116", 0.0116, outcome="better", which=_said("holdout v4"), noise=0.0064),
            _delta("\N{MINUS SIGN}0.02 s", -0.02, outcome="worse", data="unknown", which=_said("nothing is known")),
            _delta("+0.001", 0.001, data="other data", which=_said((HTML, True), " v2 here, v4 on main")),
            _delta("+0.0001", 0.0001, noise=0.002, within=True),
            _delta("+1", 1.0, wanted=None),
            _delta("0", 0.0, outcome="equal"),
            _delta("", None, note=_said("in ", (HTML, True), ", the base's is in s")),
        ],
    }


def _judged() -> dict[str, Any]:
    """What rules of gates said: few of them, with all that they can say, and so many that some are folded."""
    numbers = {"has": "0.7991", "needs": "0.8004"}
    few = [
        Ruling("auc >= @production - 0.002", Says.REFUSES, **numbers, short_by="0.0013", reference="v7 has 0.8024"),
        Ruling(f"{LONG} within 5% of @{LONG}", Says.REFUSES, reason="not measured"),
        Ruling(f'"{RIGHT_TO_LEFT}" >= 0.74', Says.WARNS, has="0.7378", needs="0.74", short_by="0.0022"),
        Ruling("parents all @validated", Says.PASSES, reason=HTML),
        Ruling("age <= 7d", Says.EXEMPT, reason="a roll-back need not be young"),
    ]
    waits = RulingRow("approvals = 1", WAITS, "0 of 1", ("an admin or ann may give it",))
    many = [Ruling(f"metric_{number} >= 0.5", Says.PASSES, has="0.9", needs="0.5") for number in range(20)]
    return {
        "few_rulings": as_shown(in_order(few, waits)),
        "many_rulings": as_shown(in_order([*few, *many], waits)),
        "outcomes": OUTCOMES.values(),
    }


def _watched() -> dict[str, Any]:
    """What is expected of assets, in each state; and what is unusual."""
    now = timezone.now()
    daily: list[tuple[int, dict[str, Any]]] = [
        (11, {}),
        (1, {}),
        (-13, {"cron": "0 3 * * 1-5"}),
        (24 * 40, {}),
        (2, {"off": True}),
    ]
    return {
        "watched": [*(_expected(late, 60, declared, now) for late, declared in daily), _expected(2, 3, {}, now)],
        "reasons": {"rows": "521, far above the last 30 values: 290 to 360, median 301", HTML: LONG},
        "sentence_of_parts": [
            Part(HTML, "#", look="title"),
            Part(" by "),
            Part(RIGHT_TO_LEFT, look="name"),
            Part(" of "),
            Part("production", look="alias"),
            Part(" in "),
            Part(LONG, look="code"),
            Part(", "),
            Part(at=now - timedelta(hours=3)),
        ],
    }


def _expected(late: int, count: int, declared: dict[str, Any], now: datetime) -> FreshnessShown:
    """An asset that came so many times, once a day, and was expected so many hours ago."""
    times = [now - timedelta(hours=late + 24 * (number + 1)) for number in range(count)]
    found = learn(times, now=now, declared=Declared.of(declared))
    asset: Any = SimpleNamespace(
        watch=found.watch,
        usual=found.usual,
        due_at=found.due_at,
        late_at=found.late_at,
        dormant_at=found.dormant_at,
        refreshed_at=times[0],
    )
    why = {"kind": "not run", "maker": HTML, "maker_kind": "flow", "since": times[0].isoformat()}
    perimeter = SimpleNamespace(name="default")
    place: Any = SimpleNamespace(key="main", project=SimpleNamespace(name="churn", perimeter=perimeter))
    return FreshnessShown(asset, place, now, found.told, why)


def _said(*parts: str | tuple[str, bool]) -> Any:
    return SimpleNamespace(parts=[part if isinstance(part, tuple) else (part, False) for part in parts])


def _delta(
    text: str,
    change: float | None,
    *,
    outcome: str = "none",
    data: str = "same data",
    which: Any = None,
    noise: float | None = None,
    within: bool = False,
    wanted: str | None = "up",
    note: Any = None,
) -> Any:
    return SimpleNamespace(
        change=change,
        change_text=text,
        outcome=outcome,
        counts=outcome in ("better", "worse"),
        word="not measured",
        wanted=wanted,
        unit="",
        note=note,
        within_noise=within,
        percent_text="+1.5 %" if change else "",
        noise=SimpleNamespace(size=noise, declared=noise < 0.005, steps=17) if noise else None,
        comparability=SimpleNamespace(data=data, words=data, which=which or _said()),
    )


def _frame() -> dict[str, Any]:
    names = ["main", "feature/new-features", "user.alice", f"feature/{LONG}", RIGHT_TO_LEFT, HTML, EMOJI]
    return {
        "switch_perimeters": [_entry("default", current=True), _entry("research")],
        "switch_projects": [_entry("churn", current=True), _entry("xkcd", note="2 branches"), _entry(LONG)],
        "switch_branches": [
            _entry(name, current=name == "feature/new-features", note="2 h ago" if name == "main" else "")
            for name in [*names, *(f"user.person{number}" for number in range(12))]
        ],
        "tabs": [
            {"label": "Overview", "url": "#", "current": False, "count": None},
            {"label": "Data", "url": "#", "current": False, "count": 6},
            {"label": "Models", "url": "#", "current": True, "count": 3},
        ],
        "json_url": "?format=json",
    }


def _entry(label: str, *, current: bool = False, note: str = "") -> dict[str, Any]:
    return {"label": label, "url": f"?name={len(label)}", "current": current, "note": note}


def _parts() -> dict[str, Any]:
    now = timezone.now()
    told = {"runs": 38, "done": 12, "mark": "12-31", "log": "", "failed": "", "over": False, "look_at": "#"}
    running = ["TrainFlow on main", "ComicExplainer on feature/better-features"]
    return {
        "demos": {
            "ready": {**told, "runs": 0},
            "at_work": {**told, "running": running},
            "failed": {**told, "failed": HTML, "log": f"/home/{LONG}/log"},
            "over": {**told, "over": True},
        },
        "roles": ROLES,
        "icons": ICONS,
        "long": LONG,
        "html": HTML,
        "right_to_left": RIGHT_TO_LEFT,
        "emoji": EMOJI,
        "code": CODE,
        "readme": README,
        "times": [now - timedelta(seconds=seconds) for seconds in (3, 40, 600, 7200, 86_400 * 3, 86_400 * 400)],
        "chips": [
            {"label": "tag", "value": "env=prod", "remove_url": "#"},
            {"label": "state", "value": "ready", "remove_url": "#"},
            {"label": "text", "value": HTML, "remove_url": "#"},
        ],
        "sort_options": [
            {"label": "newest first", "url": "#", "current": True},
            {"label": "by name", "url": "#", "current": False},
            {"label": "most used", "url": "#", "current": False},
        ],
        "add_options": [
            {"label": "state pending", "url": "#"},
            {"label": "tag source=postgres", "url": "#"},
        ],
        "looked_through": "Looked through v1,980,001 to v2,000,000: 12 of them match.",
        "pages": [
            {"number": 1, "url": "#", "current": False, "gap": False},
            {"number": 2, "url": "#", "current": True, "gap": False},
            {"number": 3, "url": "#", "current": False, "gap": False},
            {"number": None, "url": None, "current": False, "gap": True},
            {"number": 18, "url": "#", "current": False, "gap": False},
        ],
        "better": METRICS.metric("accuracy", 0.934, 0.928, previous_ref="v41"),
        "worse": METRICS.metric("rmse", 12.5, 11.25, previous_ref="v39", skips=True),
        "neutral": METRICS.metric("rows", 48210, 47655, previous_ref="v41"),
        "same": METRICS.metric("auc", 0.971, 0.971, previous_ref="v41"),
        "gap": METRICS.metric("recall", None, 0.88, previous_ref="v40", skips=True, ref="v42"),
        "unit": METRICS.metric("training time", 4.1, 5.3, previous_ref="v41"),
        "alone": METRICS.metric(LONG, 1.5e-7),
    }


def _rows() -> dict[str, Any]:
    now = timezone.now()
    rising = [0.88, 0.89, 0.886, 0.90, 0.897, 0.91, 0.908, 0.915, 0.912, 0.92, 0.921, 0.926, 0.928, 0.934]
    rows = [
        _row(
            "Churn classifier",
            "churn_model",
            "v42",
            "ready",
            METRICS.metric("accuracy", 0.934, 0.928, previous_ref="v41"),
            rising,
            "TrainFlow",
        ),
        _row(
            "Uplift model",
            "uplift",
            "v7",
            "ready",
            METRICS.metric("qini_score", 0.71, 0.73, previous_ref="v6"),
            [0.7, None, 0.72, 0.73, 0.71],
        ),
        _row(LONG, LONG, "v1208", "pending", METRICS.metric("rmse", 1204.5, 1204.5), [3.0, 3.0, 3.0], f"{LONG}Flow"),
        _row(HTML, "html", "v2", "failed", None, []),
        _row(RIGHT_TO_LEFT, "rtl", "v1", "ready", METRICS.metric("auc", 0.5), [0.5]),
        _row("Small Llama", "small_llama", "", "definition", None, [], ""),
    ]
    for hours, row in enumerate(rows):
        row["at"] = now - timedelta(hours=2 * hours + 1) if row["ref"] else None
    rows[0]["icon"], rows[0]["aliases"] = "\N{BAR CHART}", [("production", "v41"), ("candidate", "v42")]
    rows[0]["tags"] = [("env", "prod"), ("source", "postgres")]
    rows[3]["tags"] = [(HTML, HTML), (LONG, LONG)]
    return {"rows": rows}


def _of_pages() -> dict[str, Any]:
    """What the components ask for that show what the catalogue holds, in each of its states."""
    now = timezone.now()
    people = [
        EntityLink("task", "TrainFlow/1795/train/3", "https://example.org/"),
        EntityLink("user", RIGHT_TO_LEFT, ""),
        EntityLink("other", HTML, ""),
    ]
    return {
        "choices": [_entry("one", current=True), _entry(HTML)],
        "hits": [
            Hit("#", "Churn classifier", "churn_model", "models", ("default", "churn", "main")),
            Hit("#", HTML, LONG, "data", ("default",), "\N{FOX FACE}"),
            *(Hit("#", name, name, kind) for name, kind in ((LONG, "project"), (EMOJI, "version"), (LONG, "flow"))),
        ],
        "happenings": _happenings(people),
        "chart": Chart.of({"kind": "line", "caption": HTML, "x": ["mon", "tue", LONG], "series": SERIES}),
        "plots": _plots(),
        "tiles": [_tile(people[0], **shown) for shown in SHOWN],
        "no_card": SimpleNamespace(url="", sentence="This task made no card."),
        "assets": [_asset(None, "ready"), _asset("pending", "ready"), _asset("failed", None), _asset(None, None)],
        "specs": [SimpleNamespace(version_id=version, at=now, actor=HTML) for version in (LONG, "")] + [None],
        "tags": [{"key": "env", "value": "prod", "url": "#"}, *({"key": LONG, "value": HTML, "url": ""},) * 4],
        "runs": [_run(look, url) for look, url in zip(State.values, ("#", "", ""), strict=False)],
        "people": people,
    }


SERIES = [{"name": HTML, "values": [1, None, 3]}, {"name": LONG, "values": [2, 2.5, 1]}]
SHOWN: list[dict[str, Any]] = [
    {"lines": ["**Better** than before", HTML], "columns": [{"small": LONG, "big": "0.934"}]},
    {"has_image": True, "image_alt": HTML},
    {"image_url": "/static/favicon.svg", "image_alt": "the site's picture"},
    {"chart": Chart.of({"kind": "bar", "caption": "", "x": ["a", "b"], "series": SERIES[1:]})},
]


MEASURED = [0.7488, 0.8129, 0.8016, 0.7995, None, 0.8031, 0.8024, 0.8003, None, 0.612, 0.8003, 0.7978, 0.801, 0.7991]


def _plots() -> list[Plot]:
    """Charts with all kinds of marks: versions of two assets, and groups of many versions."""
    first = timezone.now() - timedelta(days=len(MEASURED))
    points = [
        Point(number, value, "#", first + timedelta(days=number), why=HTML) for number, value in enumerate(MEASURED, 1)
    ]
    points[4] = replace(points[4], state="failed")
    points[7] = replace(points[7], value=None, state="pending")
    points[6], points[13] = (replace(points[at], aliases=("production", LONG)[:1]) for at in (6, 13))
    beside = [Point(n, 0.8 + n / 200, "#", first + timedelta(days=12 + n), aliases=("beta",)) for n in (1, 2)]
    lines = [Line(points=tuple(points)), Line(HTML, tuple(beside))]
    groups = [
        Group(n, n + 99, first, first, 0.7 + n / 1e5, n, 0.8 + n % 7 / 100, n, 99, "#") for n in range(1, 2000, 100)
    ]
    many = [Line(groups=tuple(groups))]
    return [
        Plot.of(LONG, lines, Along.of(lines, in_time=False), Range(), unit="s", of=RIGHT_TO_LEFT),
        Plot.of(HTML, many, Along.of(many, in_time=False), Range(), of=EMOJI, small=True),
    ]


def _tile(who: EntityLink, **shown: Any) -> SimpleNamespace:
    """In place of a catalog.pages.highlights.Tile."""
    plain: dict[str, Any] = {
        "lines": [],
        "columns": [],
        "chart": None,
        "image_url": "",
        "image_alt": "",
        "has_image": False,
    }
    shown |= {"labels": [("weekly", ""), (HTML, "warn")], "highlight": SimpleNamespace(at=timezone.now())}
    return SimpleNamespace(**plain | shown, title=HTML, url="#", who=who)


def _asset(newest: str | None, ready: str | None) -> SimpleNamespace:
    """In place of a catalog.models.Asset, whose newest instances are in these states."""
    found = SimpleNamespace(ref="v41", state=ready, look=ready, state_reason="") if ready else None
    later = SimpleNamespace(ref="v42", state=newest, look=newest, state_reason=HTML) if newest else found
    return SimpleNamespace(newest=later, newest_ready=found)


def _run(look: str, commit_url: str) -> SimpleNamespace:
    """In place of a catalog.pagekit.run_facts.RunFacts."""
    return SimpleNamespace(look=look, commit_url=commit_url, run=SimpleNamespace(state=look, commit="3f9c1ab2d1e0"))


def _happenings(people: list[EntityLink]) -> list[SimpleNamespace]:
    """In place of entries of catalog.pages.activity."""
    plain = {"asset_id": LONG, "asset_url": "#", "url": "#", "icon": "model", "at": timezone.now(), "ref": "v42"}
    plain |= {"detail": "production", "elsewhere": "i_1", "other_branch": "", "is_ready": False, "is_pending": False}
    plain["deleted_url"] = "#"
    told: list[dict[str, Any]] = [
        {"what": "registered", "is_ready": True},
        {"what": "registered", "is_pending": True},
        {"what": "consumed", "ref": "", "other_branch": HTML},
        {"what": "alias"},
        {"what": "alias", "elsewhere": ""},
        *({"what": what} for what in ("registered", "declared", "edited", "deployed", "deleted")),
        {"what": "deployed", "detail": ""},
    ]
    return [SimpleNamespace(**plain | one, who=people[place % len(people)]) for place, one in enumerate(told)]


def _row(
    title: str,
    asset_id: str,
    ref: str,
    state: str,
    metric: Metric | None,
    values: list[float | None] | list[float],
    flow: str = "UpliftFlow",
) -> dict[str, Any]:
    return {
        "title": title,
        "asset_id": asset_id,
        "ref": ref,
        "state": state,
        "metric": metric,
        "series": values,
        "flow": flow,
        "about": "who is about to leave, scored weekly; the description may well run over more than one line",
        "consumers": len(asset_id) % 5,
        "icon": "",
        "aliases": [],
        "tags": [],
    }

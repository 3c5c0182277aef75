"""An answer that changed has another tag, whatever changed it; one that did not is not given twice."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from itertools import count, cycle
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.contrib.messages.storage.cookie import CookieStorage
from django.db import connection, transaction
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from access.models import Membership, Perimeter, Role
from catalog import recording
from catalog.counters import Recount
from catalog.entities import Entity
from catalog.marks import mark_everything
from catalog.models import Asset, Consumption, Edge, Instance, Run
from catalog.querysets import PROMOTED_FROM
from catalog.recording import AssetAddress, Declaration, Highlighted, ReadRun, Registration, Told
from catalog.runs.results import CardList, Reason, Unavailable
from catalog.unchanged import release
from catalog.watching.lates import tell_lates
from catalog.watching.looking import look
from tests.catalog.pages.conftest import World, fill, team
from tests.conftest import POSTGRES
from tests.lanes import long

pytestmark = [pytest.mark.both, pytest.mark.alone, pytest.mark.slow, pytest.mark.django_db(transaction=POSTGRES)]

BRANCH, MODEL = "/alpha/churn/main", "/alpha/churn/main/models/churn_model"
CALLS = "/v1/perimeters/alpha/projects/churn/branches/main"
PAGES = [
    *("/", "/alpha.json", "/alpha/churn", "/search?q=churn", "/alpha/attention", f"{BRANCH}/attention.json"),
    *(BRANCH, f"{BRANCH}.json", f"{BRANCH}/models", f"{BRANCH}/assets.json?q=churn", f"{BRANCH}/evaluations"),
    *(f"{BRANCH}/highlights", MODEL, f"{MODEL}.json", f"{MODEL}/aliases", f"{MODEL}/v3", f"{MODEL}/v3.json"),
    *(f"{MODEL}/film", f"{MODEL}/film.json", f"{MODEL}/aliases/production", f"{MODEL}/aliases/production.json"),
    *(f"{MODEL}/metrics", f"{MODEL}/metrics.csv"),
    *(f"{BRANCH}/lineage", f"{MODEL}/lineage.json", f"{MODEL}/v3/lineage", f"{BRANCH}/flows/TrainFlow"),
    *(f"{MODEL}/compare?of=v1,v3,latest&equal=yes", f"{MODEL}/compare.json?of=v1,feature_new_model:latest"),
    f"{MODEL}/compare?of=v3",
]
LISTS = [
    *(f"{CALLS}/models", f"{CALLS}/models?state=pending", f"{CALLS}/models/churn_model", f"{CALLS}/runs"),
    *(f"{CALLS}/models/churn_model/aliases", f"{CALLS}/models/churn_model/alias-history", f"{CALLS}/highlights"),
    *(f"{CALLS}/latestflowproject", f"{CALLS}/lineage", f"{CALLS}/models/churn_model/lineage"),
]
NEAR = [
    *(BRANCH, f"{BRANCH}/models", f"{BRANCH}/highlights", f"{BRANCH}/lineage", MODEL, f"{MODEL}/v3"),
    *(f"{CALLS}/models", f"{CALLS}/models/churn_model"),
]
CLOCK = re.compile(
    r'<time[^>]*>[^<]*</time>|just now|As of now, [^<]*|\d+ (s|min|h|d|mo|y) ago|"as_of":\s*"[^"]*"'
    r'|csrfmiddlewaretoken" value="\w+"'
)
"""What a page says of the present, and the mask of a form's token."""
NOW = 1_800_000_000
fresh = count(1000)


class Writes:
    """All kinds of writes, each of which can be done at any time."""

    def __init__(self, world: Any, seen: Callable[[], None]) -> None:
        """`seen` is called between two writes, so that each is looked at."""
        self.world, self._seen = world, seen

    @classmethod
    def names(cls) -> list[str]:
        return sorted(name for name in vars(cls) if name[0] != "_" and name != "names")

    def _run(self) -> str:
        return f"TrainFlow/{next(fresh)}/train/1"

    def _asset(self, name: str) -> Asset | None:
        kind, asset_id = name.split("/")
        return (
            Asset.objects.at(self.world.branch(), kind, asset_id).select_related("branch__project__perimeter").first()
        )

    def _model(self) -> Asset:
        return self._asset("models/churn_model") or self._anew()

    def _anew(self) -> Asset:
        for _ in range(3):
            self.world.register("models/churn_model", self._run(), tags={"env": "prod"})
        return self._model()

    def _confirm(self, state: str, reason: str = "") -> None:
        self._model()
        task = self._run()
        self.world.register("models/churn_model", task, state="pending", attempt=0)
        self._seen()
        how = {"entity": Entity("task", task), "attempt": 0, "uids": ()}
        recording.confirm(actor="ada", perimeter=self.world.alpha, state=state, reason=reason, **how)

    def register(self) -> None:
        self.world.register("models/churn_model", self._run(), annotations={"accuracy": next(fresh) / 9999})

    def register_another(self) -> None:
        self.world.register(f"data/d{next(fresh)}")

    def register_on_another_branch(self) -> None:
        self.world.register("models/churn_model", branch=f"feature/b{next(fresh)}")

    def register_late(self) -> None:
        at = AssetAddress(self.world.branch(), "models", "churn_model")
        when, task = timezone.now() - timedelta(days=3), Entity("task", self._run())
        recording.register(actor="ada", at=at, entity=task, what=Registration("artifact"), when=when)

    def promote(self) -> None:
        source = self._model().newest_ready
        self.world.register("models/churn_model", branch="feature/new-model", annotations={PROMOTED_FROM: source.uid})
        self.world.register("models/churn_model", self._run(), annotations={PROMOTED_FROM: source.uid})

    def confirm(self) -> None:
        self._confirm("ready")

    def fail(self) -> None:
        self._confirm("failed", "out of memory")

    def supersede(self) -> None:
        task = self._run()
        self.world.register("models/churn_model", task, attempt=0)
        self._seen()
        self.world.register("data/features", task, attempt=1)

    def _consume(self, who: str, branch: str = "main", **how: Any) -> None:
        asset = self._model()
        recording.consume(
            actor="ada",
            asset=asset,
            instance=asset.newest_ready,
            reference="latest",
            entity=Entity("task", who),
            write_branch=branch,
            **how,
        )

    def consume(self) -> None:
        self._consume(f"ScoreFlow/{next(fresh)}/score/1")

    def consume_for_the_first_time(self) -> None:
        self._consume(f"Flow{next(fresh)}/1/score/1", role="reference")

    def fail_a_reading(self) -> None:
        self.consume()
        self._seen()
        recording.fail_readings([Consumption.objects.latest("pk").pk])

    def learn_a_branch(self) -> None:
        self._consume(f"ScoreFlow/{next(fresh)}/score/1", branch="")
        self._seen()
        recording.learn_branches(timezone.now() - timedelta(hours=1), lambda perimeter, task: "feature/new-model")

    def fill_a_digest(self) -> None:
        asset = self._model()
        recording.fill_digests(
            {Instance.objects.filter(asset=asset, digest=None).latest("pk").pk: f"sha:{next(fresh)}"}
        )

    def move_an_alias(self) -> None:
        self.world.alias("production", self._model().newest_ready)

    def delete_an_alias(self) -> None:
        self.world.alias("old", self._model().newest_ready)
        self._seen()
        recording.delete_alias(actor="ada", asset=self._model(), name="old", entity=Entity("user", "ada"))

    def edit_a_property(self) -> None:
        user, value = self.world.people["ada"], str(next(fresh))
        recording.override_property(user=user, actor="ada", asset=self._model(), key="owner", value=value)

    def clear_an_edit(self) -> None:
        self.edit_a_property()
        self._seen()
        recording.clear_override(user=None, actor="ada", asset=self._model(), key="owner")

    def declare(self) -> None:
        self._model()
        said = Declaration({"owner": f"eve {next(fresh)}"}, description=f"Number {next(fresh)}")
        at = AssetAddress(self.world.branch(), "models", "churn_model")
        recording.declare(actor="ci", at=at, entity=Entity("ci", "deploy"), declaration=said)

    def deploy(self) -> None:
        self.world.deploy(spec={"title": f"Title {next(fresh)}"}, data__other=Declaration({"a": str(next(fresh))}))

    def delete_the_spec(self) -> None:
        self.deploy()
        self._seen()
        recording.delete_spec(actor="ci", branch=self._asset("data/other").branch)

    def show_a_highlight(self) -> None:
        what, task = Highlighted(f"Highlight {next(fresh)}", content=CONTENT), Entity("task", self._run())
        recording.show_highlight(actor="ada", at=self.world.branch(), entity=task, what=what)

    def evaluate(self) -> None:
        values = {"model": "churn_model v3", "accuracy": next(fresh) / 9999}
        self.world.register("data/evaluation_log", asset_kind="evaluation", annotations=values)

    def tell_of_a_run(self) -> None:
        task = self._run()
        self.world.register("models/churn_model", task)
        self._seen()
        facts = {"user": "grace", "commit": "3f9c1ab2", "origin": f"TrainFlow/{next(fresh)}"}
        at, what = AssetAddress(self.world.branch(), "models", "churn_model"), Registration("artifact")
        told = Told(facts=facts)
        recording.register(actor="ada", at=at, entity=Entity("task", task), what=what, told=told)

    def read_a_run(self) -> None:
        instance = Instance.objects.filter(asset=self._model(), number=3).first()
        run = Run.objects.get(name=instance.run) if instance and instance.run else Run.objects.latest("pk")
        always = {"state": "succeeded", "finished_at": timezone.now() + timedelta(seconds=next(fresh))}
        recording.keep_read_run(run, ReadRun(always, clones={"start/1": f"TrainFlow/{next(fresh)}/start/1"}))

    def delete(self) -> None:
        recording.delete_asset(actor="ada", asset=self._model())
        self._seen()
        self._anew()

    def delete_another(self) -> None:
        name = f"data/d{next(fresh)}"
        self.world.register(name)
        self._seen()
        recording.delete_asset(actor="ada", asset=self._asset(name))

    def recover(self) -> None:
        asset = self._model()
        recording.delete_asset(actor="ada", asset=asset)
        self._seen()
        recording.recover_asset(actor="ada", here=Asset.objects.filter(pk=asset.pk))

    def deprecate(self) -> None:
        asset, who = self._model(), {"actor": "ada", "entity": Entity("user", "ada")}
        uid = asset.instances.get(number=1).uid
        recording.deprecate(asset=asset, target_uid=uid, reason=f"Worse {next(fresh)}", **who)
        self._seen()
        recording.undo_deprecation(asset=asset, target_uid=uid, **who)

    def look_at_what_came(self) -> None:
        for auc in (*(number % 3 for number in range(9)), 9_000):
            self.world.register("models/churn_model", self._run(), annotations={"auc": auc})
        self._seen()
        look()

    def tell_what_is_late(self) -> None:
        now = timezone.now()
        moments = {"late_at": now - timedelta(hours=1), "dormant_at": now + timedelta(days=14)}
        Asset.objects.filter(pk=self._model().pk).update(due_at=now - timedelta(hours=2), late_told_at=None, **moments)
        self._seen()
        tell_lates()

    def name_a_project(self) -> None:
        self.world.register("models/churn_model", project=f"churn{next(fresh)}")

    def rename_somebody(self) -> None:
        vic = self.world.people["vic"]
        vic.username = f"vic{next(fresh)}"
        vic.save()

    def change_a_role(self) -> None:
        membership = Membership.objects.get(user=self.world.people["vic"], perimeter=self.world.alpha)
        membership.role = Role.VIEWER if membership.role == Role.ADMIN else Role.ADMIN
        membership.save()

    def join_a_perimeter(self) -> None:
        new = Perimeter.objects.create(name=f"gamma{next(fresh)}")
        Membership.objects.create(user=self.world.people["vic"], perimeter=new, role=Role.VIEWER)

    def recount(self) -> None:
        asset = self._model()
        Asset._base_manager.filter(pk=asset.pk).update(ready_count=99)
        Edge._base_manager.filter(asset=asset).update(count=99)
        Recount().run()

    def restore(self) -> None:
        mark_everything()


CONTENT = {"labels": [], "synopsis": ["Better"], "highlight_type": "columns", "highlight_body": []}


class Reader:
    """A reader's browser: what it has of each address, and what it is answered now."""

    def __init__(self, world: Any, addresses: list[str]) -> None:
        self.client, self.addresses = world.client(), addresses
        self.client.get("/")  # brings the cookie of forms
        self.has = {address: self.whole(address) for address in addresses}
        self.turns = cycle(addresses)

    def whole(self, address: str) -> tuple[str, str]:
        """The tag, and the page but for its clock."""
        answer = self.client.get(address)
        assert answer.status_code in (200, 404), (address, answer.content)
        return answer.headers.get("ETag", ""), CLOCK.sub("", answer.content.decode())

    def look(self, most: int = 0) -> None:
        """What changed has another tag; `most` of the addresses, in turns, or all."""
        for _ in range(most or len(self.addresses)):
            address = next(self.turns)
            tag, body = self.has[address]
            self.has[address] = now = self.whole(address)
            assert now[1] == body or not tag or now[0] != tag, f"{address} has changed, and its tag has not"


@pytest.fixture
def full(db: None, settings: Any) -> World:
    """Written anew, so that on PostgreSQL the transactions of its writes have ended."""
    settings.MODE, settings.LOCAL_MODE = "team", False
    world = team()
    fill(world)
    return world


@pytest.fixture
def _still(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands still, so that no tag is another one for that alone."""
    monkeypatch.setattr("catalog.unchanged.time.time", lambda: NOW)


@pytest.fixture
def reader(full: Any, _still: None) -> Reader:
    """Who has read a few addresses."""
    return Reader(full, NEAR)


@pytest.fixture
def reader_of_all(full: Any, _still: None) -> Reader:
    return Reader(full, PAGES + LISTS)


@pytest.mark.parametrize("most", [4, *long(0)])
def test_what_changes_an_answer_changes_its_tag(full, reader_of_all, most):
    """All kinds of writes, in some order: after each a few of the answers are looked at, or, in the long lane, all."""

    @settings(max_examples=1, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(st.permutations(Writes.names()))
    def write_and_look(names: list[str]) -> None:
        for name in names:
            try:
                getattr(Writes(full, lambda: reader_of_all.look(most)), name)()
                reader_of_all.look(most)
            except AssertionError as error:
                raise AssertionError(f"{name}: {error}") from None

    write_and_look()


def test_what_has_not_changed_is_not_given_twice(reader_of_all):
    for address, (tag, _) in reader_of_all.has.items():
        assert tag.startswith('W/"'), address
        for method in (reader_of_all.client.get, reader_of_all.client.head):
            again = method(address, headers={"If-None-Match": f'"other", {tag}'})
            assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
            assert again.headers["Cache-Control"] == "private, no-cache"
            assert {"Cookie", "Authorization"} <= set(again.headers["Vary"].split(", "))
            assert "Content-Length" not in again.headers
    for other in ('"other"', "*", "nonsense", tag.replace("W/", "W/x")):
        assert reader_of_all.client.get(address, headers={"If-None-Match": other}).status_code == 200


def test_what_is_written_elsewhere_does_not_change_a_tag(full, reader):
    full.register("models/churn_model", branch="feature/new-model")
    same = (BRANCH, f"{BRANCH}/models", MODEL, f"{MODEL}/v3", f"{CALLS}/models", f"{CALLS}/models/churn_model")
    assert [address for address in same if reader.whole(address) != reader.has[address]] == []
    full.register("data/features")
    same = (MODEL, f"{MODEL}/v3", f"{CALLS}/models/churn_model", f"{BRANCH}/highlights")
    assert [address for address in same if reader.whole(address) != reader.has[address]] == []
    full.consume("data/features", "ScoreFlow/9/score/1")
    full.consume("data/features", "ScoreFlow/10/score/1")
    listing = reader.whole(f"{BRANCH}/models")
    full.consume("data/features", "ScoreFlow/11/score/1")
    assert reader.whole(f"{BRANCH}/models") == listing


def test_parts_people_and_addresses_have_tags_of_their_own(full, reader):
    ada = full.client("ada")
    ada.get("/")
    tags = [reader.has[MODEL][0], ada.get(MODEL).headers["ETag"]]
    tags += [reader.client.get(MODEL, headers=headers).headers["ETag"] for headers in ({"HX-Target": "instances"},)]
    tags += [reader.client.get(f"{MODEL}?{query}").headers["ETag"] for query in ("before=3", "before=2")]
    assert len(set(tags)) == len(tags)
    reader.client.cookies[site_settings.CSRF_COOKIE_NAME] = "x" * 32  # as after signing in anew
    assert reader.client.get(MODEL).headers["ETag"] not in tags


def test_a_page_without_a_tag(full, reader, settings):
    new = full.client()
    assert "ETag" not in new.get(BRANCH).headers  # it brings the cookie that its form needs
    assert "ETag" in full.client().get(f"{BRANCH}.json").headers
    for missing in (f"{BRANCH}/models/nope", f"{CALLS}/models/nope", f"{BRANCH}x", f"{MODEL}/latest", "/beta"):
        answer = reader.client.get(missing, headers={"If-None-Match": reader.has[MODEL][0]})
        assert answer.status_code in (302, 404), missing
        assert "ETag" not in answer.headers, missing
    settings.DEBUG = True
    assert not any("ETag" in reader.client.get(address).headers for address in (BRANCH, f"{CALLS}/models"))


def test_what_is_said_once_is_said_whatever_the_reader_has(reader):
    storage = CookieStorage(RequestFactory().get("/"))
    reader.client.cookies["messages"] = storage._encode([Message(constants.WARNING, "Mind the gap.")])
    answer = reader.client.get(BRANCH, headers={"If-None-Match": reader.has[BRANCH][0]})
    assert "Mind the gap." in answer.content.decode()
    assert "ETag" not in answer.headers
    assert reader.client.get(BRANCH, headers={"If-None-Match": reader.has[BRANCH][0]}).status_code == 304


@pytest.mark.parametrize(("address", "seconds"), [(MODEL, 600), (f"{BRANCH}/lineage", 60)])
def test_times_of_a_page_without_scripts_do_not_stand_still_for_long(reader, monkeypatch, address, seconds):
    for later, same in ((seconds - 1, True), (seconds, False)):
        monkeypatch.setattr("catalog.unchanged.time.time", lambda later=later: NOW + later)
        assert (reader.whole(address)[0] == reader.has[address][0]) is same
    assert reader.whole(f"{CALLS}/models") == reader.has[f"{CALLS}/models"]


def test_another_release_has_other_tags(settings, tmp_path, monkeypatch):
    monkeypatch.setattr("catalog.unchanged.ROOMS", ("templates", "assetsite"))  # the second is elsewhere in a wheel
    settings.BASE_DIR = tmp_path
    page = tmp_path / "templates" / "page.html"
    page.parent.mkdir()
    found = set()
    for text in ("one", "two", "one"):
        page.write_text(text)
        found.add(release.__wrapped__())
    assert len(found) == 2


def test_another_version_of_a_package_is_another_release(monkeypatch):
    before = release.__wrapped__()
    monkeypatch.setattr("catalog.unchanged.version", lambda package: "9.9" if package == "nh3" else version(package))
    assert release.__wrapped__() != before


def test_a_checkout_that_is_not_installed_is_a_release_too(monkeypatch):
    def requires(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("catalog.unchanged.requires", requires)
    assert release.__wrapped__()


def test_a_card_that_comes_later_changes_the_pages_that_show_it(reader, monkeypatch):
    for address in (MODEL, f"{MODEL}/v3"):
        before = reader.whole(address)
        with monkeypatch.context() as patch:
            patch.setattr("catalog.runs.cards_of", lambda *task: CardList(missing=Unavailable(Reason.PENDING, "Soon.")))
            assert reader.whole(address)[0] != before[0]
        assert reader.whole(address)[0] == before[0]


@pytest.mark.skipif(not POSTGRES, reason="SQLite has one writer at a time")
def test_a_transaction_that_began_earlier_and_ends_later_is_noticed(full, reader):
    """Two writers on one branch, the first of which ends last, and readers between."""
    address, going = f"{BRANCH}/models.json", [threading.Event(), threading.Event()]

    def write_slowly() -> None:
        with transaction.atomic():
            full.register("models/churn_model", "SlowFlow/1/train/1")
            going[0].set()
            going[1].wait(20)
        connection.close()

    slow = threading.Thread(target=write_slowly)
    slow.start()
    assert going[0].wait(20)
    quiet = reader.whole(address)
    assert quiet[0]  # what was there before the first one began is settled
    full.register("models/small_llama", "QuickFlow/1/train/1")
    between = reader.whole(address)
    assert between[1] != quiet[1]
    assert not between[0]
    going[1].set()
    slow.join()
    after = reader.whole(address)
    assert after[0]
    assert after[1] != between[1]


WITHOUT = {
    "branch-pulse": "asked every few seconds by open pages, and answered by one query",
    "first-steps": "shows when a token was used, which writes no mark",
    "perimeter-feed": "has a tag that is made of what it says",
    "attention-feed": "the tag that an inner view gives it, or that of a project which is called so",
    "attention-feed-beside": "the same",
    "asset-feed": "the tag that an inner view gives it, or that of an asset which is called so",
    "asset-pulse": "the same",
    "instance-pulse": "the same",
    "highlight-image": "never changes, and browsers keep it",
    "highlight-card": "a finished card has a tag of its own",
    "card": "the same",
    "cards": "tells what is in a datastore, which writes no mark",
    "deprecate": "hangs on roles and accounts, which have no marks",
    "dismiss": "only writes",
    "dismiss-beside": "the same",
    "dismiss-on-branch": "the same",
    "normal": "hangs on roles and accounts, which have no marks",
    **dict.fromkeys(("watch", "watch-branch", "watching"), "tells what one person wants, which writes no mark"),
    **dict.fromkeys(("stop-watching", "make-feed-key", "revoke-feed-key"), "only writes"),
    "unsubscribe": "asked once, by the link of a mail",
    "delete-asset": "hangs on roles and accounts, which have no marks",
    "deleted": "hangs on roles and accounts, which have no marks",
    "choose-alias": "asked once, before a move",
    "move-alias": "asks the rules anew each time",
    "delete-alias": "a form that is sent once",
    "promote": "asks the rules anew each time",
    "me": "shows when tokens were used, which writes no mark",
    "me-json": "the same",
    "revoke-own-token": "writes",
    "demo": "asked every few seconds by open pages, of a file",
    "sign-in": "kept by nobody",
    "sign-out": "kept by nobody",
    "api-instance": "costs less than its tag would",
    "api-deprecation": "only writes",
    "api-recover": "only writes",
    "api-normal": "only writes",
    "api-requests": "hangs on roles and accounts, which have no marks",
    "api-request": "the same",
    "api-approvals": "only refuses",
    "api-specs": "only writes",
    "api-deploys": "only writes",
    "api-post-spec": "only writes",
    "api-confirmations": "only writes",
    "api-registrations": "only writes",
    "api-alias-check": "asked by a POST, of which browsers and proxies keep nothing",
    "api-promotion-check": "the same",
    "api-gates-check": "the same",
    "api-me": "costs less than its tag would",
    "api-openapi": "asked by programs that write code, now and then",
    "api-docs": "the same, by people",
    "requests": "hangs on roles and accounts, which have no marks",
    "request": "judges anew each time",
    "audit": "hangs on all that is written in a perimeter, and on the audit log, which has no marks",
    "audit-beside": "the same",
    **dict.fromkeys(
        ("webhooks", "webhook", "api-webhooks", "api-webhook", "api-deliveries"),
        "hangs on what is sent at this moment, which has no marks; looked at now and then, by admins",
    ),
    "webhooks-or-project": "leads to what has none; a project that is called so is shown without a tag there",
    "api-webhook-secret": "only writes",
    "api-webhook-test": "only writes",
    "api-replay": "only writes",
    "compare-branches": "hangs on two branches, on whatever their flows read anywhere, and on the history of models",
    None: "redirects, or says that nothing is there",
}


def routes(patterns: list[Any]) -> Any:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                yield from routes(pattern.url_patterns)
        else:
            yield pattern


def depends(route: URLPattern) -> bool:
    view: Any = route.callback
    return hasattr(getattr(getattr(view, "cls", None), "get", view), "depends_on")


def test_every_address_says_what_it_depends_on_or_why_it_has_no_tag():
    found = list(routes(get_resolver().url_patterns))
    without = {route.name for route in found if not depends(route)}
    assert without - {None} == WITHOUT.keys() - {None}
    assert not {route.name for route in found if depends(route)} & WITHOUT.keys() - {None}

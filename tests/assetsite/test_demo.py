"""The line that says how far the demo is: on every page while it is at work, and on none when it is not."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.test import Client

from assetsite import demo
from examples.progress import FILE, AtWork, Progress
from tests.catalog.pages.conftest import world  # noqa: F401 (a fixture)
from tests.conftest import Api

BRANCH = "/default/churn/main"
PAGES = ["/", "/default", "/default/churn", BRANCH, f"{BRANCH}/data", f"{BRANCH}/data/xkcd", f"{BRANCH}/data/xkcd/v1"]
PAGES += [f"{BRANCH}/lineage", f"{BRANCH}/data/xkcd/compare?of=v1", "/search?q=x", "/me", "/me/watching", "/v1/docs"]
REFUSED = ["/default/nothing", f"{BRANCH}/data/nothing"]
TOLD = Progress(38, 12, ("TrainFlow on main", "ComicData on main"), look_at=f"{BRANCH}/data/xkcd")


@pytest.fixture
def at_work() -> Iterator[AtWork]:
    """A demo that is at work below the home of the site."""
    made = AtWork(demo.folder())
    made.tell(TOLD)
    yield made
    made.end()


@pytest.fixture
def browser(db: None) -> Client:
    return Client(SERVER_NAME="localhost")


@pytest.fixture
def asset(api: Api) -> None:
    api.register("data/xkcd")


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]*>", "", answer.content.decode()).split())


def asks_in(page: str) -> list[str]:
    """The address at which a page asks how far the demo is."""
    return re.findall(r'hx-get="(/~demo[^"]*)"', page)


def ended(at_work: AtWork, **told: Any) -> None:
    at_work.tell(Progress(38, 38, look_at=TOLD.look_at, over=True, **told))
    at_work.end()


@pytest.mark.usefixtures("asset")
def test_every_page_has_it_while_the_demo_is_at_work_and_none_after(browser, at_work):
    for address in PAGES + REFUSED:
        page = browser.get(address)
        assert page.status_code == (404 if address in REFUSED else 200)
        assert "12 of 38 runs of the demo are there, now TrainFlow on main and ComicData on main" in text_of(page)
        assert asks_in(page.content.decode()) == ["/~demo?seen=12-1"], address
    at_work.tell(Progress(38, 38, look_at=TOLD.look_at, over=True))
    for address in PAGES + REFUSED:
        assert "of the demo" not in browser.get(address).content.decode(), address
    at_work.end()
    for address in PAGES + REFUSED:
        assert "of the demo" not in browser.get(address).content.decode(), address


@pytest.mark.usefixtures("asset")
@pytest.mark.parametrize("address", ["/", BRANCH, f"{BRANCH}/data/xkcd"])
def test_a_page_that_a_browser_has_never_hides_it_and_never_brings_it_back(browser, address):
    def get(**known: str) -> Any:
        return browser.get(address, headers=known)

    tag = get().headers["ETag"]
    assert get(**{"If-None-Match": tag}).status_code == 304
    at_work = AtWork(demo.folder())
    at_work.tell(TOLD)
    with_it = get(**{"If-None-Match": tag})
    assert with_it.status_code == 200
    assert asks_in(with_it.content.decode())
    assert "ETag" not in with_it.headers
    ended(at_work)
    assert get(**{"If-None-Match": tag}).status_code == 304
    assert get().headers["ETag"] == tag


def test_an_open_page_hears_what_is_new_and_nothing_while_that_is_nothing(browser, at_work):
    (address,) = asks_in(browser.get("/").content.decode())
    same = browser.get(address)
    assert (same.status_code, same.content) == (204, b"")
    at_work.tell(Progress(38, 13, ("TrainFlow on main",), look_at=TOLD.look_at))
    news = browser.get(address, headers={"HX-Request": "true", "HX-Current-URL": f"http://localhost{BRANCH}?page=2"})
    assert "13 of 38 runs of the demo are there, now TrainFlow on main" in text_of(news)
    assert f'href="{BRANCH}?page=2"' in news.content.decode()
    assert asks_in(news.content.decode()) == ["/~demo?seen=13-2"]
    assert news.headers["HX-Trigger"] == demo.WENT_ON
    assert news.headers["Cache-Control"] == "private, no-cache"


def test_the_link_to_what_is_new_never_leads_elsewhere(browser, at_work):
    asked = {"HX-Request": "true", "HX-Current-URL": "http://localhost//example.org/x"}
    news = browser.get("/~demo", headers=asked).content.decode()
    assert "example.org" not in news
    assert 'id="demo-news" href="/"' in news


def test_the_last_line_asks_no_more(browser, at_work):
    (address,) = asks_in(browser.get("/").content.decode())
    ended(at_work)
    last = browser.get(address)
    assert "All 38 runs of the demo are there. Look first at the churn model" in text_of(last)
    assert f'href="{TOLD.look_at}"' in last.content.decode()
    assert "hx-" not in last.content.decode()


def test_a_demo_that_was_interrupted_or_killed_leaves_no_bar(browser, at_work):
    (address,) = asks_in(browser.get("/").content.decode())
    at_work.end()
    last = browser.get(address)
    assert text_of(last) == "The demo was interrupted after 12 of 38 runs. assetsite demo goes on where it was."
    assert "hx-" not in last.content.decode()
    assert "The demo was" not in text_of(browser.get("/"))


def test_one_that_has_stopped_says_why_as_long_as_its_site_is_up(browser, at_work):
    (address,) = asks_in(browser.get("/").content.decode())
    at_work.fail("<churn>, main: TrainFlow, round 2 did not end as it should.", "/home/demo/logs/it.log")
    for answer in (browser.get(address), browser.get("/")):
        said = text_of(answer)
        assert "The demo has stopped after 12 of 38 runs: &lt;churn&gt;, main: TrainFlow, round 2 did not end" in said
        assert "All it said is in /home/demo/logs/it.log" in said.replace("\u200b", "")
        assert asks_in(answer.content.decode()) == []
    assert "few seconds" not in said
    at_work.end()
    assert "The demo has" not in text_of(browser.get("/"))


def test_only_every_tenth_run_is_said_to_those_who_hear_pages(browser, at_work):
    heard = []
    for done, seen in ((13, "12-1"), (20, "19-2"), (20, ""), (9, "8-1"), (13, "nothing"), (13, "9" * 5_000)):
        at_work.tell(Progress(38, done))
        heard.append('aria-live="off"' not in browser.get(f"/~demo?seen={seen}").content.decode())
    assert heard == [False, True, True, False, True, True]


def test_it_is_getting_ready_until_it_knows_its_runs(browser):
    at_work = AtWork(demo.folder())
    page = browser.get("/").content.decode()
    at_work.end()
    assert "The demo is getting ready" in page
    assert "<progress aria-label" in page
    assert " value=" not in page[page.index("<progress") :].partition(">")[0]


def test_an_empty_catalogue_waits_for_its_first_assets(browser, at_work, api):
    page = browser.get("/")
    assert "The first assets come in a few seconds" in text_of(page)
    assert f'hx-trigger="{demo.WENT_ON} from:body"' in page.content.decode()
    assert "Nothing here yet" not in text_of(page)
    api.register("data/xkcd")
    assert "few seconds" not in text_of(browser.get("/"))


@pytest.mark.parametrize("text", ["", "{", "[]", "x" * 100_000])
def test_a_file_that_makes_no_sense_is_no_bar(browser, at_work, text):
    (address,) = asks_in(browser.get("/").content.decode())
    (demo.folder() / FILE).write_text(text)
    assert "of the demo" not in browser.get("/").content.decode()
    gone = browser.get(address)
    assert (gone.status_code, gone.content) == (200, b"")  # in the place of the line


def test_it_asks_the_database_who_is_there_and_nothing_else(browser, at_work, django_assert_num_queries):
    browser.get("/")
    for address in ("/~demo", "/~demo?seen=12-1"):
        with django_assert_num_queries(1):  # the user, who outside of a test's transaction is kept for seconds
            browser.get(address)


def test_calls_of_flows_are_answered_as_always(api, at_work):
    api.register("data/xkcd")
    tag = api.get("data/xkcd").headers["ETag"]
    assert api.get("data/xkcd", **{"If-None-Match": tag}).status_code == 304


def test_a_team_has_neither_line_nor_address(world, at_work):  # noqa: F811
    client = world.client()
    assert not site_settings.LOCAL_MODE
    assert "of the demo" not in client.get("/").content.decode()
    assert client.get("/~demo").status_code == 404

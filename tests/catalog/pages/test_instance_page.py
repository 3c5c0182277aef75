"""The page of an instance, its card, and what an open page hears of news."""

import re
from html import unescape

import pytest

from catalog.recording import Declaration
from catalog.states import State

from .conftest import text_of

ASSET = "/alpha/churn/main/models/churn_model"


def test_every_reference_leads_to_the_one_address(full, vic):
    newest = full.asset("models/churn_model").newest
    for reference, number in {"latest": 3, "latest-1": 2, "@production": 3, newest.uid: 3}.items():
        answer = vic.get(f"{ASSET}/{reference}?card=report")
        assert (answer.status_code, answer.headers["Location"]) == (302, f"{ASSET}/v{number}?card=report")
        assert vic.get(f"{ASSET}/{reference}.json").headers["Location"] == f"{ASSET}/v{number}.json"
    assert vic.get(f"{ASSET}/v3").status_code == 200


def test_a_reference_to_the_definition_leads_to_the_asset(full, vic):
    llama = full.asset("models/small_llama")
    for reference in ("latest", llama.definition_uid):
        answer = vic.get(f"/alpha/churn/main/models/small_llama/{reference}")
        assert answer.headers["Location"] == "/alpha/churn/main/models/small_llama"


def test_an_alias_beats_the_suffix_of_a_twin(full, vic):
    model = full.asset("models/churn_model")
    full.alias("best.json", model.instances.get(number=2))
    assert vic.get(f"{ASSET}/@best.json").headers["Location"] == f"{ASSET}/v2"
    assert vic.get(f"{ASSET}/@best.json.json").headers["Location"] == f"{ASSET}/v2.json"


def test_what_is_known_of_an_instance_is_told(full, vic):
    page = unescape(text_of(vic.get(f"{ASSET}/v3")))
    assert "TrainFlow/3/train/1" in page
    assert 'self.prj.get_model(\n    "churn_model", instance="v3")' in page
    assert ">latest</span>" in page
    assert "@production" in page
    assert "weekly" in page
    assert full.asset("models/churn_model").newest.uid in page
    assert page.count("ScoreFlow/1/score/1") >= 2
    assert "feature/new-model" in page


def test_metrics_are_compared_with_the_ready_version_before(full, vic):
    full.register("models/churn_model", "TrainFlow/8/train/1", state=State.FAILED, annotations={"accuracy": 0.1})
    full.register("models/churn_model", "TrainFlow/9/train/1", annotations={"accuracy": 0.95, "new": 1})
    page = text_of(vic.get(f"{ASSET}/v5"))
    metrics = page[page.index("<h2>Metrics") :]
    assert f'compared with <a href="{ASSET}/v3">v3</a>' in metrics
    assert re.search(r"better.*?0\.02", metrics, re.DOTALL)
    assert ">new</span>" in metrics
    twin = vic.get(f"{ASSET}/v5.json").json()
    assert twin["compared_with"] == "v3"
    assert twin["metrics"]["accuracy"]["before"] == 0.93


def test_versions_before_and_after_are_linked(full, vic):
    page = text_of(vic.get(f"{ASSET}/v2"))
    assert f'href="{ASSET}/v1" rel="prev"' in page
    assert f'href="{ASSET}/v3" rel="next"' in page
    assert 'rel="prev"' not in text_of(vic.get(f"{ASSET}/v1"))
    assert 'rel="next"' not in text_of(vic.get(f"{ASSET}/v3"))


def test_the_only_version_has_no_empty_place_for_the_others(world):
    world.register("models/one")
    assert 'aria-label="Versions"' not in text_of(world.client().get("/alpha/churn/main/models/one/v1"))


def test_the_task_is_linked_to_the_metaflow_ui_where_there_is_one(full, vic, settings):
    assert "ui.example.org" not in text_of(vic.get(f"{ASSET}/v3"))
    settings.METAFLOW_UI_URL = "https://ui.example.org"
    assert 'href="https://ui.example.org/TrainFlow/3/train/1"' in text_of(vic.get(f"{ASSET}/v3"))


@pytest.mark.parametrize(("state", "said"), [("pending", "has not finished"), ("failed", "passes it over")])
def test_a_state_that_is_not_ready_is_explained(full, vic, state, said):
    full.register("models/churn_model", "TrainFlow/9/train/1", state=state)
    assert said in text_of(vic.get(f"{ASSET}/v4"))


def test_without_a_card_a_sentence_says_why(full, vic):
    from catalog import recording
    from catalog.entities import Entity
    from catalog.recording import AssetAddress, Registration

    said = text_of(vic.get(f"{ASSET}/v3"))
    assert "Nothing tells this server where the task keeps its files." in said
    assert "ASSETSITE_CARD_ROOTS" in said
    recording.register(
        actor="ada",
        at=AssetAddress(full.branch(), "data", "manual"),
        entity=Entity("user", "bob"),
        what=Registration(asset_kind="artifact"),
    )
    assert "This was not made by a Metaflow task" in text_of(vic.get("/alpha/churn/main/data/manual/v1"))


class TestCards:
    """The two cards of a task, in files as Metaflow 2.19 lays them out."""

    KEYS = ("default-0a825cd4d4214209825cccf36ed7d896", "default-report-531cae1402624f82995a03bfdfd9771d")

    @pytest.fixture(autouse=True)
    def _task(self, full, tmp_path, settings):
        root = tmp_path / ".metaflow"
        folder = root / "mf.cards/TrainFlow/runs/7/steps/train/tasks/1/cards"
        folder.mkdir(parents=True)
        for key in self.KEYS:
            (folder / f"{key}.html").write_text(f"<html><body>card {key}</body></html>")
        settings.CARD_ROOTS = [str(tmp_path)]
        full.register("models/churn_model", "TrainFlow/7/train/1", datastore_type="local", datastore_root=str(root))

    def frame_of(self, page):
        return unescape(re.search(r'<iframe[^>]* src="([^"]*)"', text_of(page))[1])

    def test_the_first_card_is_framed_and_the_others_are_offered(self, vic):
        page = vic.get(f"{ASSET}/v4")
        assert 'sandbox="allow-scripts"' in text_of(page)
        assert self.frame_of(page) == f"{ASSET}/v4/cards/{self.KEYS[0]}?embed=true"
        assert f'href="{ASSET}/v4?card={self.KEYS[1]}"' in text_of(page)

    def test_the_chosen_card_is_in_the_address(self, vic):
        assert self.frame_of(vic.get(f"{ASSET}/v4?card={self.KEYS[1]}")).startswith(f"{ASSET}/v4/cards/{self.KEYS[1]}")
        assert self.KEYS[1] in self.frame_of(vic.get(f"{ASSET}/v4?card=report"))
        assert "no card of that name" in text_of(vic.get(f"{ASSET}/v4?card=other"))

    def test_the_page_of_the_asset_shows_the_card_of_its_newest(self, vic):
        assert self.frame_of(vic.get(ASSET)) == f"{ASSET}/v4/cards/{self.KEYS[0]}?embed=true"

    def test_the_frame_can_not_reach_the_site(self, vic):
        answer = vic.get(f"{ASSET}/v4/cards/{self.KEYS[0]}?embed=true", headers={"Sec-Fetch-Dest": "iframe"})
        assert answer.status_code == 200
        assert b"card default" in answer.content
        assert answer.headers["Content-Security-Policy"].startswith("sandbox allow-scripts; default-src 'none'")
        alone = vic.get(f"{ASSET}/v4/cards/{self.KEYS[0]}", headers={"Sec-Fetch-Dest": "document"})
        assert alone.status_code == 403

    def test_an_unknown_card_and_that_of_a_definition(self, full, vic):
        full.deploy(models__small_llama=Declaration({}))
        assert vic.get(f"{ASSET}/v4/cards/default-00000").status_code == 404
        assert vic.get(f"/alpha/churn/main/models/small_llama/latest/cards/{self.KEYS[0]}").status_code == 404

    def test_the_twin_of_a_card_is_its_live_data(self, vic):
        assert vic.get(f"{ASSET}/v4/cards/{self.KEYS[0]}.json").json()["final"] is True


class TestPulse:
    def url(self, page):
        return unescape(re.search(r'hx-get="([^"]*pulse[^"]*)"', text_of(page))[1])

    def test_an_open_asset_hears_of_a_new_instance(self, full, vic):
        pulse = self.url(vic.get(ASSET))
        assert vic.get(pulse).status_code == 204
        full.register("models/churn_model", "TrainFlow/9/train/1", state=State.PENDING, attempt=0)
        assert "v4 is on its way" in text_of(vic.get(pulse))
        full.register("models/churn_model", "TrainFlow/10/train/1")
        answer = vic.get(pulse, headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{ASSET}?tag=a"})
        assert "v5 has arrived" in text_of(answer)
        assert f'href="{ASSET}?tag=a"' in text_of(answer)

    @pytest.mark.parametrize("page", ["/alpha/churn/main", "/alpha/churn/main/models", "/alpha/churn/main/assets"])
    def test_an_open_list_hears_of_new_instances(self, full, vic, page):
        pulse = self.url(vic.get(page))
        assert vic.get(pulse).status_code == 204
        full.register("models/churn_model", "TrainFlow/9/train/1")
        assert "churn_model v4 has arrived." in text_of(vic.get(pulse))
        full.register("models/other", "TrainFlow/9/train/1")
        assert "other v1, churn_model v4 have arrived." in text_of(vic.get(pulse))

    def test_a_listing_hears_of_its_own_kind_only(self, full, vic):
        pulse = self.url(vic.get("/alpha/churn/main/data"))
        full.register("models/churn_model", "TrainFlow/9/train/1")
        assert vic.get(pulse).status_code == 204

    def test_an_empty_branch_hears_of_its_first_instance(self, world):
        world.deploy(models__one=Declaration({}))
        vic = world.client()
        pulse = self.url(vic.get("/alpha/churn/main/models"))
        assert vic.get(pulse).status_code == 204
        world.register("models/one")
        assert "one v1 has arrived." in text_of(vic.get(pulse))

    @pytest.mark.parametrize(("state", "said"), [(State.READY, "v4 is ready."), (State.FAILED, "v4 has failed.")])
    def test_a_pending_instance_hears_how_its_task_went(self, full, vic, state, said):
        full.register("models/churn_model", "TrainFlow/9/train/1", state=State.PENDING, attempt=0)
        pulse = self.url(vic.get(f"{ASSET}/v4"))
        assert (pulse, vic.get(pulse).status_code) == (f"{ASSET}/v4/pulse", 204)
        full.register("models/churn_model", "TrainFlow/10/train/1")
        assert vic.get(pulse).status_code == 204
        full.asset("models/churn_model").instances.filter(number=4).update(state=state)
        assert said in text_of(vic.get(pulse))
        assert f'href="{ASSET}/v4">Show it' in text_of(vic.get(pulse))

    def test_a_settled_instance_and_a_definition_have_nothing_to_wait_for(self, full, vic):
        assert "data-pulse" not in text_of(vic.get(f"{ASSET}/v3"))
        assert vic.get("/alpha/churn/main/models/small_llama/latest/pulse").status_code == 204

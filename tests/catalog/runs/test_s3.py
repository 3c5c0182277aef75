"""Cards and facts of tasks whose datastore is a bucket: the files that Metaflow wrote, under the keys it gives them."""

import socket
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from catalog.runs import CardPage, Datastore, Reason, TaskFacts, Unavailable, card_page, cards_of, task_facts
from catalog.runs.roots import Bucket, Roots
from catalog.runs.stores import MAX_BYTES
from tests.catalog.runs.conftest import FlowRuns

pytestmark = pytest.mark.flows

TEAM = Datastore("s3", "s3://team/metaflow")


@pytest.fixture(scope="module")
def endpoint(runs: FlowRuns) -> Iterator[str]:
    """A server that speaks S3, with the runs in a bucket; their metadata is not there, as it never is."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        client = boto3.client("s3", endpoint_url=url)
        for bucket in ("team", "other"):
            client.create_bucket(Bucket=bucket)
            for path in stored_files(runs.root):
                client.upload_file(str(path), bucket, f"metaflow/{path.relative_to(runs.root)}")
        yield url
    server.stop()


CREDENTIALS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}


def stored_files(root: Path) -> list[Path]:
    parts = {"_meta", "data"}
    return [path for path in root.rglob("*") if path.is_file() and not parts & {*path.relative_to(root).parts}]


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server configured as the team's flows are."""
    monkeypatch.setenv("METAFLOW_S3_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("METAFLOW_DATASTORE_SYSROOT_S3", "s3://team/metaflow")


def reason_for(task: str, datastore: Datastore) -> Reason:
    cards = cards_of(task, datastore)
    assert cards.missing is not None
    return cards.missing.reason


@pytest.mark.usefixtures("bucket")
def test_the_cards_of_a_task_are_read_from_its_bucket(runs: FlowRuns) -> None:
    task = runs.task("CardsFlow", "pair")
    cards, local = cards_of(task, TEAM), cards_of(task, runs.datastore)
    assert [(card.key, card.size, card.live) for card in cards] == [(card.key, card.size, card.live) for card in local]
    page, same = card_page(cards[0]), card_page(local[0])
    assert isinstance(page, CardPage)
    assert isinstance(same, CardPage)
    assert page.html.replace(page.nonce, "") == same.html.replace(same.nonce, "")


@pytest.mark.usefixtures("bucket")
def test_the_files_of_the_attempts_tell_how_a_task_went(runs: FlowRuns) -> None:
    for flow, state, attempt in [("CardsFlow", "succeeded", 0), ("FailingFlow", "failed", 1)]:
        facts = task_facts(runs.task(flow, "start"), TEAM)
        assert isinstance(facts, TaskFacts)
        assert (facts.state, facts.attempt) == (state, attempt)
        assert facts.started
        assert facts.finished


@pytest.mark.usefixtures("bucket")
def test_a_bucket_says_no_for_the_same_reasons_as_a_folder(runs: FlowRuns) -> None:
    assert reason_for(runs.task("CardsFlow", "end"), TEAM) is Reason.NO_CARD
    assert reason_for("CardsFlow/17/start/1", TEAM) is Reason.TASK_GONE
    assert reason_for("ada", TEAM) is Reason.NOT_A_TASK


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize("root", ["s3://other/metaflow", "s3://team", "s3://team/metaflow/../..", "s3://", "/metaflow"])
def test_only_configured_buckets_are_read(runs: FlowRuns, root: str) -> None:
    assert reason_for(runs.task("CardsFlow", "start"), Datastore("s3", root)) is Reason.NOT_ALLOWED


@pytest.mark.usefixtures("bucket")
def test_a_bucket_among_the_card_roots_is_read(runs: FlowRuns, settings) -> None:
    settings.LOCAL_MODE = False
    settings.CARD_ROOTS = ["s3://other/metaflow"]
    assert len(cards_of(runs.task("CardsFlow", "start"), Datastore("s3", "s3://other/metaflow"))) == 1


@pytest.mark.usefixtures("bucket")
def test_a_bucket_bound_to_a_perimeter_is_read_for_that_one_only(runs: FlowRuns, settings) -> None:
    task = runs.task("CardsFlow", "start")
    settings.CARD_ROOTS = ["s3://other", "beta=s3://other/metaflow"]
    bound = Datastore("s3", "s3://other/metaflow", "beta")
    assert len(cards_of(task, bound)) == 1
    for root in ("s3://other/metaflow", "s3://other/metaflow/", "s3://other/metaflow/mf.cards"):
        assert reason_for(task, Datastore("s3", root, "alpha")) is Reason.NOT_ALLOWED
    below = f"metaflow/{'/'.join(task.split('/')[:3])}"  # from the root of the bucket, a path that leads to its files
    assert isinstance(task_facts(below, Datastore("s3", "s3://other", "alpha")), Unavailable)


@pytest.mark.usefixtures("bucket")
def test_keys_below_a_bound_prefix_are_not_read_through_the_bucket(endpoint: str, settings) -> None:
    folder = "closed/runs/1/steps/start/tasks/2/cards"
    client = boto3.client("s3", endpoint_url=endpoint)
    client.put_object(Bucket="other", Key=f"{folder}/default-abcdef.html", Body=b"<html></html>")
    settings.CARD_ROOTS = ["s3://other"]
    (card,) = cards_of("closed/1/start/2", Datastore("s3", "s3://other", "alpha"))
    settings.CARD_ROOTS = ["s3://other", "beta=s3://other/closed", "beta=s3://other/clos"]
    assert reason_for("closed/1/start/2", Datastore("s3", "s3://other", "alpha")) is Reason.TASK_GONE
    closed = Roots("alpha").bucket(Bucket("other", ""))
    assert closed.read(f"{folder}/default-abcdef.html") is None
    assert len(cards_of("closed/1/start/2", Datastore("s3", "s3://other", "beta"))) == 1
    assert isinstance(card_page(card), CardPage)


@pytest.mark.usefixtures("bucket")
def test_a_bucket_that_does_not_exist_is_unreachable(runs: FlowRuns, settings) -> None:
    settings.CARD_ROOTS = ["s3://nowhere"]
    assert reason_for(runs.task("CardsFlow", "start"), Datastore("s3", "s3://nowhere")) is Reason.UNREACHABLE


@pytest.mark.usefixtures("bucket")
def test_a_card_of_more_than_64_mb_is_not_read_from_a_bucket(runs: FlowRuns, endpoint: str) -> None:
    key = "mf.cards/Big/runs/1/steps/start/tasks/2/cards/default-abcdef.html"
    boto3.client("s3", endpoint_url=endpoint).put_object(
        Bucket="team", Key=f"metaflow/{key}", Body=bytes(MAX_BYTES + 1)
    )
    (card,) = cards_of("Big/1/start/2", TEAM)
    answer = card_page(card)
    assert isinstance(answer, Unavailable)
    assert answer.reason is Reason.TOO_LARGE


def test_a_storage_that_does_not_answer_is_unreachable(runs: FlowRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}"
    for name, value in (CREDENTIALS | {"METAFLOW_S3_ENDPOINT_URL": closed}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("METAFLOW_DATASTORE_SYSROOT_S3", "s3://team/metaflow")
    for _ in range(2):
        assert reason_for(runs.task("CardsFlow", "start"), TEAM) is Reason.UNREACHABLE

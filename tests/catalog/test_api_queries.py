"""How many queries the calls that flows make often cost, whatever the size of the catalogue."""

import pytest
from django.contrib.auth.models import User
from django.db.models.sql import Query
from django.test import Client

from access.models import Membership, Perimeter, Role, Token
from catalog.models import Run
from tests.catalog.wire import TASK
from tests.conftest import POSTGRES, Api

BODY = {"entity_ref": TASK, "data_asset_kind": "artifact"}


@pytest.fixture
def program(db, settings):
    """The API with a token, as flows use it, of an asset with a past: instances, a consumer and an alias."""
    settings.MODE, settings.LOCAL_MODE = "team", False
    user, perimeter = User.objects.create(username="eve"), Perimeter.objects.create(name="default")
    Membership.objects.create(user=user, perimeter=perimeter, role=Role.EDITOR)
    _, secret = Token.objects.issue(user=user, perimeter=perimeter, role=Role.EDITOR)
    api = Api(Client(SERVER_NAME="localhost"), token=secret)
    for name in ("other", "third", "xkcd"):
        made = api.register(f"data/{name}")
        api.register(f"data/{name}")
    api.consume("data/xkcd/instances/latest")
    alias = {"entity_ref": TASK, "instance_id": made["id"]}
    assert api.put("data/xkcd/aliases/production", alias).status_code == 200
    return api


def test_register(program, django_assert_max_num_queries):
    # token; begin; component; other attempts of the task; asset, locked; instance; edge; asset; commit;
    # and of a pending one the newest ready instance, for the description of the asset
    with django_assert_max_num_queries(10):
        program.register(state="pending", attempt=0)


def test_register_by_a_new_run(program, django_assert_max_num_queries):
    # token; begin; component; run; asset, locked; instance; edge; asset; commit
    body = BODY | {"entity_ref": {"entity_kind": "task", "entity_id": "ComicData/2/start/1"}}
    with django_assert_max_num_queries(9):
        assert program.patch("data/xkcd", body).status_code == 201
    assert Run.objects.get(name="ComicData/2").changed


def test_register_once(program, django_assert_max_num_queries):
    # as above without the attempt, and: was it answered before; the kept answer
    with django_assert_max_num_queries(10):
        assert program.patch("data/xkcd", BODY, **{"Idempotency-Key": "k"}).status_code == 201


def test_register_by_written_statements(program, monkeypatch):
    # to put a query together takes longer than to ask it, even where Django finds that there is nothing to ask
    def refuse(query, *args, **options):
        raise AssertionError(f"Django was asked to write a statement about {query.model}")

    monkeypatch.setattr(Query, "get_compiler", refuse)
    program.register(state="pending", attempt=0, annotations={"rows": 3})
    assert program.patch("data/xkcd", BODY, **{"Idempotency-Key": "k"}).status_code == 201


def test_consume(program, django_assert_max_num_queries):
    # token; begin; asset with its newest instances; component; consumption; edge; commit
    with django_assert_max_num_queries(7):
        program.consume("data/xkcd/instances/latest")


@pytest.mark.parametrize(
    "address", ["data", "data/xkcd", "data/xkcd/aliases", "runs", "highlights", "data/xkcd/lineage"]
)
@pytest.mark.skipif(POSTGRES, reason="PostgreSQL gives no tag in the transaction of a test")
def test_what_has_not_changed(program, django_assert_max_num_queries, address):
    # token; marks
    tag = program.get(address).headers["ETag"]
    with django_assert_max_num_queries(2):
        assert program.get(address, **{"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(("reference", "most"), [("latest", 3), ("latest-1", 4), ("v1", 4), ("@production", 4)])
def test_read(program, django_assert_max_num_queries, reference, most):
    # token; asset with its newest instances; any other instance; its run
    with django_assert_max_num_queries(most):
        assert program.get(f"data/xkcd/instances/{reference}").status_code == 200


@pytest.mark.parametrize(("address", "most"), [("data/xkcd/instances/latest", 4), ("data", 4), ("data/xkcd", 6)])
def test_equal_content(program, django_assert_max_num_queries, address, most):
    # as without a digest, and: the first instances of each asset with these digests
    for _ in range(20):
        program.register(digest="a")
        program.register("data/other", digest="a")
    with django_assert_max_num_queries(most):
        assert program.get(address).status_code == 200


FILTERED = "?tag=a=b&annotation=n%3E1&kind=artifact&producer=F&text=x&state=any"


@pytest.mark.parametrize(("query", "most"), [("", 3), (FILTERED, 4)])
def test_list(program, django_assert_max_num_queries, query, most):
    # token; marks; assets with their newest instances; where there are none: is the branch found by a further key
    with django_assert_max_num_queries(most):
        assert program.get(f"data{query}").status_code == 200


def test_summary(program, django_assert_max_num_queries):
    # token; marks; asset; instances; consumptions
    with django_assert_max_num_queries(5):
        assert program.get("data/xkcd").status_code == 200


def test_aliases(program, django_assert_max_num_queries):
    # token; marks; asset; the last moves of all aliases; aliases
    with django_assert_max_num_queries(5):
        assert program.get("data/xkcd/aliases").status_code == 200


def test_spec(program, django_assert_max_num_queries):
    # token; marks; branch with its spec; assets; those deleted
    program.post(
        "/v1/perimeters/default/flowprojects", {"project": "churn", "branch": "main", "version_id": "1", "spec": {}}
    )
    with django_assert_max_num_queries(5):
        assert program.get("latestflowproject").status_code == 200

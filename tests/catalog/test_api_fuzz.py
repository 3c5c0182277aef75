"""Whatever a client sends, the API answers: never with a server error."""

import json
import string
from urllib.parse import quote

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.catalog.wire import CI, PERIMETER, TASK, definition
from tests.conftest import Api

pytestmark = [pytest.mark.both, pytest.mark.slow]

B = f"{PERIMETER}/projects/churn/branches/main"
ENTITY = st.sampled_from([TASK, CI])

texts = st.text(max_size=20) | st.sampled_from(
    ["", "main", "xkcd", "v1", "latest", "\x00", "\ud800", "a" * 300, "é", "/"]
)
numbers = st.integers() | st.floats() | st.sampled_from([0, -1, 2**31, 2**63, 10**400, 1e308])
scalars = st.none() | st.booleans() | numbers | texts
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)


def some_of(**members):
    """An object with some of these members, each either of the right kind or of any."""
    return st.fixed_dictionaries({}, optional={name: right | documents for name, right in members.items()})


tags = st.lists(some_of(key=texts, value=texts), max_size=3)
entries = some_of(id=texts, display_name=texts, description=texts, icon=texts, card_markdown=texts)
rules = texts | st.sampled_from(
    ["auc >= 0.8", "auc >= @a - 5%", "not unusual", "late", "from main", "n within 1 of v1"]
)
gates = st.dictionaries(
    texts | st.sampled_from(["*", "into branch", "production"]),
    some_of(require=st.lists(rules, max_size=3), warn=st.lists(rules, max_size=2), approvals=st.integers(-1, 30)),
    max_size=3,
)
definitions = some_of(
    kind=st.sampled_from(["data", "models"]),
    id=texts,
    name=texts,
    properties=st.dictionaries(texts, texts, max_size=3),
    tags=st.dictionaries(texts, texts, max_size=3),
    blobs=st.lists(documents, max_size=3),
    icon=texts,
    gates=gates,
)
entities = ENTITY | some_of(entity_kind=texts, entity_id=texts)
BODIES = {
    # what is well formed, and what takes the place of some of its members
    ("PATCH", f"{B}/data/xkcd"): (
        {"entity_ref": TASK, "data_asset_kind": "s3"},
        some_of(
            entity_ref=entities,
            data_asset_kind=texts,
            description=texts,
            tags=tags,
            blobs=st.lists(documents, max_size=3),
            annotations=st.dictionaries(texts, documents, max_size=3),
            state=st.sampled_from(["ready", "pending"]),
            attempt=st.integers(0, 3),
            datastore=some_of(type=texts, root=texts),
            branch_name=texts,
            branch=texts,
            project=texts,
        ),
    ),
    ("PUT", f"{B}/data/xkcd/instances/latest"): (
        {"entity_ref": TASK},
        some_of(entity_ref=entities, consumer=some_of(project=texts, branch=texts)),
    ),
    ("PUT", f"{B}/data/xkcd/aliases/a"): (
        {"entity_ref": TASK, "instance_id": "x"},
        some_of(entity_ref=entities, instance_id=texts, expected_instance_id=st.none() | texts),
    ),
    ("POST", f"{B}/data/xkcd/aliases/a/check"): ({"instance_id": "x"}, some_of(instance_id=texts)),
    ("POST", f"{B}/data/xkcd/promotions/check"): (
        {"entity_ref": TASK, "data_asset_kind": "s3"},
        some_of(
            entity_ref=entities,
            annotations=st.dictionaries(texts | st.just("promoted_from_instance"), documents, max_size=3),
        ),
    ),
    ("POST", f"{B}/gates/check"): (
        {"definitions": []},
        some_of(
            definitions=st.lists(
                some_of(kind=st.just("data"), id=st.just("xkcd"), gates=gates).map(
                    lambda row: {"kind": "data", "id": "xkcd"} | row
                ),
                max_size=3,
            )
        ),
    ),
    ("POST", f"{PERIMETER}/confirmations"): (
        {"entity_ref": TASK, "state": "ready"},
        some_of(entity_ref=entities, attempt=st.integers(0, 3), reason=texts, instances=st.lists(texts, max_size=3)),
    ),
    ("POST", f"{PERIMETER}/flowprojects"): (
        {"project": "churn", "branch": "main", "spec": {}},
        some_of(
            project=texts,
            branch=texts,
            version_id=texts,
            spec=some_of(data=st.lists(entries, max_size=3), models=st.lists(entries, max_size=3), title=documents),
        ),
    ),
    ("POST", f"{B}/deploys"): (
        {"entity_ref": CI, "version_id": "1", "spec": {}, "definitions": []},
        some_of(
            entity_ref=entities,
            version_id=texts,
            branch_name=texts,
            spec=some_of(data=st.lists(entries, max_size=3)),
            definitions=st.lists(st.builds(lambda row: definition() | row, definitions), max_size=3),
        ),
    ),
}

# Parts of a URL: any text, percent-encoded, and raw bytes that are no text
parts = texts.filter(lambda text: text.isprintable()).map(lambda text: quote(text, safe="")) | st.text(
    alphabet=string.ascii_letters + string.digits + "%@.-_~:;=,+!*'()[]<>|", max_size=12
).map(lambda text: quote(text, safe="%@.-_~:;=,+!*'()[]"))
telling = ["%00", "%FF", "%ED%A0%80", "a%3D1", "a%3E%3D1", "a%3E1e999", "a!%3D" + "9" * 30, "any", "ready,failed"]
telling += ["2026-01-01", "0001-01-01T00:00:00%2B23:59", "1", "500", "MQ", "MA", "9" * 30]
values = parts | st.sampled_from(telling)
names = st.sampled_from(
    [
        "text",
        "tag",
        "annotation",
        "kind",
        "producer",
        "since",
        "until",
        "same_as",
        "state",
        "page_size",
        "continuation",
        "x",
    ]
)
queries = st.lists(st.tuples(names, values), max_size=3).map(lambda pairs: "&".join(f"{a}={b}" for a, b in pairs))
READS = [
    f"{B}/data",
    f"{B}/data/xkcd",
    f"{B}/data/xkcd/instances/latest",
    f"{B}/data/xkcd/aliases",
    f"{B}/data/xkcd/alias-history",
    f"{B}/latestflowproject",
]

EXAMPLES = 30
quick = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def open_api(api):
    """The API, answering 500 where a view fails, as a served site does; with one asset in it."""
    api.register(annotations={"n": 1})
    return Api(Client(SERVER_NAME="localhost", raise_request_exception=False))


def assert_answered(answer):
    assert answer.status_code < 500, answer.content
    if answer.status_code >= 400:
        assert set(answer.data) == {"error", "message", "detail"}


@pytest.mark.sample(4)
@pytest.mark.parametrize(("method", "path"), BODIES, ids=[f"{method} {path[20:]}" for method, path in BODIES])
def test_any_body(open_api, method, path):
    well_formed, members = BODIES[method, path]
    seen = set()

    @quick
    @given(members)
    def send(body):
        answer = open_api.call(method, path, json.dumps(well_formed | body))
        assert_answered(answer)
        seen.add(answer.status_code)

    send()
    assert 400 in seen  # both the checks and what lies behind them were reached
    assert seen & {200, 201, 404}


@pytest.mark.each
@pytest.mark.sample(6)
@pytest.mark.parametrize("path", READS, ids=[path[len(B) :] for path in READS])
def test_any_query(open_api, path):
    @quick
    @given(queries)
    def ask(query):
        assert_answered(open_api.get(f"{path}?{query}"))

    ask()


def test_any_address(open_api):
    @quick
    @given(st.sampled_from(["GET", "PATCH", "PUT", "DELETE", "POST"]), st.lists(parts, min_size=1, max_size=8))
    def call(method, given_parts):
        frame = ["perimeters", "default", "projects", "churn", "branches", "main", "data", "xkcd"]
        segments = [part or kept for part, kept in zip(given_parts, frame, strict=False)] + frame[len(given_parts) :]
        for start in (given_parts, segments, [*frame, "instances", *given_parts], [*frame, "aliases", *given_parts]):
            assert_answered(open_api.call(method, "/v1/" + "/".join(start), {"entity_ref": TASK, "instance_id": "x"}))

    call()


@pytest.mark.parametrize(
    "raw", [b"\x00", b"\xff" * 10, b'"' * 1000, b"{" * 3000, b'{"\\ud800": 1}', b'{"a":' + b"[" * 500]
)
def test_any_bytes(open_api, raw):
    for method, path in BODIES:
        assert open_api.call(method, path, raw).status_code == 400

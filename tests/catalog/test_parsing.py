"""Bodies are read by orjson where that makes of them what Python's own module does, and refused in the same words."""

import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.errors import BadRequest
from catalog.wire import parsing
from catalog.wire.parsing import StrictJSONParser

TEXT = st.text('ab1 \0\x1f"\\/{[é\u2028\ufeff\U0001f600', max_size=8)
NUMBERS = st.integers() | st.integers(-(2**70), 2**70) | st.floats()
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=12,
)
BODIES = [
    *("", " ", "nul", "1.", "01", "-", "[1,]", '{"a":1,}', "{'a':1}", '"a', '"\t"', '"\\x"', "\ufeff1", "[1] 2"),
    *('{"a":1,"a":2}', " 1 ", "-0", "-0.0", "1e400", "-1e400", "NaN", "[-Infinity]", "1E5", '"\\/"', "\x0c1"),
    *("9" * 18, "9" * 19, "-9223372036854775808", "18446744073709551616", "1" * 5000, "0." + "1" * 30, "1e23"),
    *('"\\u0000"', '"\\ud800"', '"\\ud83d\\ude00"', '"\\ude00\\ud83d"', '{"\\u0000":1}', '"\\u00e9"'),
    *("[" * depth + "]" * depth for depth in (39, 40, 41, 42, 3000)),
]


def outcome(body: bytes) -> str:
    """What comes of a body, spelled so that 1 and 1.0 differ."""
    try:
        return repr(StrictJSONParser().parse(io.BytesIO(body)))
    except BadRequest as refusal:
        return f"{refusal.message} {refusal.detail}"


def check(body: bytes) -> None:
    quick = outcome(body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parsing, "PECULIAR", re.compile(b""))
        assert quick == outcome(body)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body[:20].encode("unicode_escape").decode())
def test_what_a_body_says_does_not_depend_on_who_reads_it(body):
    check(body.encode())


@pytest.mark.parametrize("body", [b'"\xff"', b'"\xed\xa0\x80"', b'"\x00"', b"\x00"])
def test_bytes_that_are_no_text_are_refused_alike(body):
    check(body)


@given(VALUES, st.booleans())
def test_any_value_is_read_alike(value, escaped):
    check(json.dumps(value, ensure_ascii=escaped).encode())


@given(st.text('{}[],:"\\u0d8 e+-.19ntE\n', max_size=20))
def test_any_text_is_read_alike(text):
    check(text.encode())


def test_what_every_flow_sends_is_read_once(monkeypatch):
    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(parsing, "check_storable", never)
    monkeypatch.setattr(parsing.json, "loads", never)
    body = {"tags": [{"key": "k", "value": "v"}] * 5, "annotations": {"auc": 0.9, "rows": 12}}
    assert outcome(json.dumps(body).encode()) == repr(body)

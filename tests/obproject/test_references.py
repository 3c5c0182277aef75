"""The grammar of references to an instance."""

from typing import Any, SupportsIndex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obproject.references import MAX_NUMBER, Reference, ReferenceKind, parse_reference


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("latest", Reference(ReferenceKind.LATEST)),
        ("latest-0", Reference(ReferenceKind.LATEST)),
        ("latest-1", Reference(ReferenceKind.LATEST, offset=1)),
        ("latest-012", Reference(ReferenceKind.LATEST, offset=12)),
        ("v1", Reference(ReferenceKind.NUMBER, number=1)),
        (f"v{MAX_NUMBER}", Reference(ReferenceKind.NUMBER, number=MAX_NUMBER)),
        ("@production", Reference(ReferenceKind.ALIAS, alias="production")),
        ("@v1", Reference(ReferenceKind.ALIAS, alias="v1")),
    ],
)
def test_written_forms(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference


class _Whole:
    """A whole number that is no int, as numpy has them."""

    def __index__(self) -> int:
        return 3


@pytest.mark.parametrize("number", [3, _Whole()])
def test_a_whole_number_is_a_version(number: SupportsIndex) -> None:
    assert str(parse_reference(number)) == "v3"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (True, "True is no"),
        (0, "0 is no .* numbered 1, 2, 3"),
        (-1, "'latest-1'"),
        (3.0, "3.0 is no"),
        ([], "no instance"),
    ],
)
def test_what_is_no_version_is_refused_with_what_to_write(wrong: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_reference(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "i_8Zk2",
        "v1x",
        "v",
        "V12",
        "Latest",
        "latest_model",
        "v098230842649_task_Flow_1",
        "v\u0661",
        "098230842649_task_deployer",
    ],
)
def test_everything_else_is_an_id(text: str) -> None:
    assert parse_reference(text) == Reference(ReferenceKind.ID, id=text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "latest-",
        "latest--1",
        "latest-x",
        "latest-1x",
        "latest-\u0663",
        "v0",
        "v01",
        "@",
        "@@x",
        "@a/b",
        "a\0b",
        "\ud800",
        "x\n",
        f"v{MAX_NUMBER + 1}",
        f"latest-{MAX_NUMBER + 1}",
        "v" + "9" * 5000,
        "x" * 257,
    ],
)
def test_malformed_references_are_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"reference|alias|number"):
        parse_reference(text)


@pytest.mark.parametrize("text", ["latest", "latest-3", "v12", "@champion", "i_8Zk2"])
def test_the_text_of_a_reference_reads_back(text: str) -> None:
    assert str(parse_reference(text)) == text


@given(st.text())
def test_any_text_is_a_reference_or_a_value_error(text: str) -> None:
    try:
        reference = parse_reference(text)
    except ValueError:
        return
    assert parse_reference(str(reference)) == reference

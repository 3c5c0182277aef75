"""Sessions: their ids."""

from __future__ import annotations

import pytest

from obproject.sessions import is_session_id, new_session_id


def test_sessions_have_ids_of_their_own() -> None:
    ids = {new_session_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(map(is_session_id, ids))


@pytest.mark.parametrize("text", ["", "s_", "s_" + "0" * 19, "s_" + "0" * 21, "S_" + "0" * 20, "s_" + "g" * 20, None])
def test_anything_else_is_none(text: object) -> None:
    assert not is_session_id(text)

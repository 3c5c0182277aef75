"""Bodies are read to their end, under a size, under deadlines, and with a bound on all that is held."""

import pytest

from assetsite.serving.bodies import SMALL, Body, Held, Limits
from assetsite.serving.refusals import Refused
from tests.serving.rsgi import Headers, Wire, run

MIB = 1024**2
QUICK = Limits(size=MIB, parts=50, whole=0.3, pause=0.1, lingers=0.1)
CHUNKED = ("transfer-encoding", "chunked")


def read(wire: Wire, *headers: tuple[str, str], held: Held | None = None) -> bytes:
    return run(Body(Headers(headers), wire, QUICK, held or Held(4 * MIB)).read())


def test_a_body_of_announced_length_is_read_to_its_end() -> None:
    assert read(Wire(b"ab", b"c"), ("content-length", "3")) == b"abc"


def test_a_chunked_body_is_read_to_its_end() -> None:
    assert read(Wire(b"ab", b"c"), CHUNKED) == b"abc"


def test_a_request_that_announces_no_body_is_not_waited_for() -> None:
    assert read(Wire(9.0)) == read(Wire(9.0), ("content-length", "0")) == b""


def test_a_body_that_announces_too_much_is_refused_before_any_of_it_is_read() -> None:
    wire = Wire(b"x")
    with pytest.raises(Refused, match="larger than the 1 MiB") as refused:
        read(wire, ("content-length", str(MIB + 1)))
    assert (refused.value.status, wire.unread) == (413, 1)


def test_a_chunked_body_is_refused_as_soon_as_it_is_too_large() -> None:
    wire = Wire(*[b"x" * 300_000] * 9)
    with pytest.raises(Refused) as refused:
        read(wire, CHUNKED)
    assert (refused.value.status, wire.unread) == (413, 5)


def test_a_body_in_very_many_parts_is_refused() -> None:
    with pytest.raises(Refused, match="more than 50 parts"):
        read(Wire(*[b"x"] * 60), CHUNKED)


@pytest.mark.parametrize("chunks", [(b"a", 0.2), (b"a", *(0.06, b"a") * 9)], ids=["it stops", "it drips"])
def test_a_body_that_does_not_arrive_in_time_is_refused(chunks: tuple[bytes | float, ...]) -> None:
    with pytest.raises(Refused, match="did not arrive in time") as refused:
        read(Wire(*chunks), ("content-length", "100"))
    assert refused.value.status == 408


@pytest.mark.parametrize("header", [("content-length", "100"), CHUNKED])
def test_a_body_that_is_cut_off_is_refused(header: tuple[str, str]) -> None:
    with pytest.raises(Refused, match="ended before its body did") as refused:
        read(Wire(b"a=1", cut_off=True), header)
    assert refused.value.status == 400


def test_large_bodies_share_a_bound_and_small_ones_always_pass() -> None:
    async def told() -> None:
        held = Held(200_000)
        first = Body(Headers([CHUNKED]), Wire(b"x" * 150_000), QUICK, held)
        await first.read()
        with pytest.raises(Refused, match="too many large requests") as refused:
            await Body(Headers([CHUNKED]), Wire(b"x" * 150_000), QUICK, held).read()
        assert (refused.value.status, refused.value.retry_after) == (503, 2)
        assert len(await Body(Headers([CHUNKED]), Wire(b"x" * SMALL), QUICK, held).read()) == SMALL
        first.release()
        assert len(await Body(Headers([CHUNKED]), Wire(b"x" * 150_000), QUICK, held).read()) == 150_000

    run(told())


def test_what_was_refused_is_thrown_away_for_a_while() -> None:
    async def unread(*chunks: bytes | float) -> int:
        wire = Wire(*chunks)
        body = Body(Headers([("content-length", str(9 * MIB))]), wire, QUICK, Held(MIB))
        with pytest.raises(Refused):
            await body.read()
        await body.throw_away()
        return wire.unread

    assert run(unread(b"x", b"x")) <= 0
    assert run(unread(b"x", 9.0, b"x")) == 1

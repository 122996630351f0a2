"""Calls are counted in each web and summed in Redis: what one has counted, the others know soon."""

import pytest

from tenfold.web.server.call_counts import SUM_EVERY_SECONDS, CallCounts
from tenfold.worker.redis import connect_redis
from tests.conftest import Clock

WINDOW_SECONDS = 60


@pytest.fixture
def webs(redis_url: str, clock: Clock) -> tuple[CallCounts, CallCounts]:
    """Two webs that share a Redis."""
    one, other = (CallCounts(connect_redis(redis_url), WINDOW_SECONDS, clock) for _ in range(2))
    return one, other


def test_every_call_counts(webs: tuple[CallCounts, CallCounts]) -> None:
    one, _ = webs

    assert [one.add("anna") for _ in range(5)] == [1, 2, 3, 4, 5]
    assert one.add("bert") == 1


def test_what_one_web_has_counted_the_other_knows_soon(webs: tuple[CallCounts, CallCounts], clock: Clock) -> None:
    one, other = webs
    other.add("anna")
    for _ in range(10):
        one.add("anna")

    clock.advance(SUM_EVERY_SECONDS)
    one.add("anna")
    clock.advance(SUM_EVERY_SECONDS)

    assert other.add("anna") == 13


def test_everybody_begins_at_nought_in_the_next_window(webs: tuple[CallCounts, CallCounts], clock: Clock) -> None:
    one, _ = webs
    one.add("anna")
    wait = one.seconds_left()

    clock.advance(wait)

    assert 0 < wait <= WINDOW_SECONDS
    assert one.add("anna") == 1


def test_without_redis_nobody_is_counted(clock: Clock) -> None:
    counts = CallCounts(connect_redis("redis://127.0.0.1:1/0"), WINDOW_SECONDS, clock)

    assert counts.add("anna") is None
    assert counts.add("anna") is None

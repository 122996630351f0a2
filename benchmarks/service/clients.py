"""Clients: many at once, each on a connection of its own, that ask again as soon as they are answered, or at a rate of
their own whatever the server does."""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

# Longer than any answer should take: beyond it an answer counts as missing.
TIMEOUT_SECONDS = 30.0

# The server closes what has been quiet for five seconds.
KEPT_SECONDS = 4

REFUSALS = (429, 503)


@dataclass(frozen=True)
class Call:
    """One request. `make` has the body's bytes, if any, by the request's number."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    make: Callable[[int], bytes | None] = lambda number: None


@dataclass
class Outcome:
    """What came of many requests. `errors` are those without an answer; `hasty` refusals that did not say when to come
    back."""

    seconds: float = 0.0
    taken: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    hasty: int = 0

    @property
    def requests(self) -> int:
        return sum(self.statuses.values()) + sum(self.errors.values())

    def figures(self) -> dict[str, Any]:
        """Percentiles in milliseconds of all answers, and what they were."""
        cuts = statistics.quantiles([1000 * seconds for seconds in self.taken], n=100)
        return {
            "requests": self.requests,
            "requests_a_second": self.requests / self.seconds,
            "p50": cuts[49],
            "p95": cuts[94],
            "p99": cuts[98],
            "longest": 1000 * max(self.taken),
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "errors": dict(self.errors),
            "refusals_without_retry_after": self.hasty,
        }


def ask_as_fast_as_answered(call: Call, *, clients: int, seconds: float) -> Outcome:
    """Each client asks again as soon as it is answered."""

    async def run() -> Outcome:
        outcome, numbers = Outcome(), iter(range(10**9))
        async with _session(clients) as session:
            started = time.perf_counter()

            async def client() -> None:
                while time.perf_counter() - started < seconds:
                    await _ask(session, call, next(numbers), outcome, time.perf_counter())

            await asyncio.gather(*(client() for _ in range(clients)))
            outcome.seconds = time.perf_counter() - started
        return outcome

    return asyncio.run(run())


def ask_at_a_rate(calls: list[Call], *, a_second: float, connections: int, seconds: float) -> Outcome:
    """The calls one after the other, over and over, each at its time: a call without an answer delays no other.

    What an answer takes is counted from when it was to be asked for.
    """

    async def run() -> Outcome:
        outcome = Outcome()
        async with _session(connections) as session, asyncio.TaskGroup() as asking:
            started = time.perf_counter()
            for number in range(int(a_second * seconds)):
                due = started + number / a_second
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                asking.create_task(_ask(session, calls[number % len(calls)], number, outcome, due))
        outcome.seconds = time.perf_counter() - started
        return outcome

    return asyncio.run(run())


def _session(connections: int) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, keepalive_timeout=KEPT_SECONDS),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
    )


async def _ask(session: aiohttp.ClientSession, call: Call, number: int, outcome: Outcome, since: float) -> None:
    try:
        async with session.request(call.method, call.url, headers=call.headers, data=call.make(number)) as answer:
            await answer.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        outcome.errors[type(error).__name__] += 1
        return
    outcome.taken.append(time.perf_counter() - since)
    outcome.statuses[answer.status] += 1
    if answer.status in REFUSALS and "Retry-After" not in answer.headers:
        outcome.hasty += 1

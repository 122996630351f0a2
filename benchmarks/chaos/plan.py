"""What is going to happen, and when: the orders of customers and the troubles, all drawn from one seed."""

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

Card = TypeVar("Card")


class TroubleKind(StrEnum):
    """What can go wrong. `troubles.py` does it."""

    KILL_CHILD = "worker's child killed"
    KILL_PARENT = "worker's parent killed"
    KILL_WORKER = "worker killed, parent and child"
    KILL_WEB = "web killed"
    STOP_WORKER = "worker stopped beyond its lease"
    RESTART_REDIS = "Redis killed and started again"
    FLUSH_REDIS = "Redis flushed"
    FILL_REDIS = "Redis' memory full"
    BREAK_DATABASE = "database connections broken"
    FILL_DISK = "disk full"
    HIDE_FILE = "file unreadable"
    MOVE_CLOCK = "clock moved"


class Then(StrEnum):
    """What a customer does with a job after it was accepted."""

    WAIT = "wait"
    SUBMIT_AGAIN = "submit again with the same key"
    CANCEL = "cancel"
    CANCEL_AND_RETRY = "cancel, then retry"
    CANCEL_AND_DELETE = "cancel, then delete"
    WAIT_AND_DELETE = "wait, then delete"


# Most customers wait for what they ordered.
HABITS = {
    Then.WAIT: 8,
    Then.SUBMIT_AGAIN: 2,
    Then.CANCEL: 1,
    Then.CANCEL_AND_RETRY: 2,
    Then.CANCEL_AND_DELETE: 1,
    Then.WAIT_AND_DELETE: 2,
}

# By how much a clock is moved: less than a lease, more than one, and as much as a wrong time zone.
CLOCK_STEPS_SECONDS = (-3600.0, -20.0, -3.0, 3.0, 20.0, 3600.0)


@dataclass(frozen=True)
class Order:
    """One submission. `at` and `after` are seconds: from the begin of the plan, and from the acceptance."""

    at: float
    work: str
    key: str
    then: Then
    after: float


@dataclass(frozen=True)
class Trouble:
    """One thing that goes wrong `at` so many seconds after the begin, and lasts `seconds`.

    `pick`, from 0 up to 1, chooses among what is there at that time; `step_seconds` is by how much a clock moves.
    """

    at: float
    kind: TroubleKind
    seconds: float
    pick: float
    step_seconds: float


@dataclass(frozen=True)
class Plan:
    orders: tuple[Order, ...]
    troubles: tuple[Trouble, ...]


def make_plan(
    seed: int,
    seconds: float,
    works: tuple[str, ...],
    *,
    order_every_seconds: float,
    trouble_every_seconds: float,
    lease_seconds: float,
) -> Plan:
    """The same arguments make the same plan.

    Args:
        seconds: how long orders come in and things go wrong.
        works: names of what can be ordered; each is as frequent as the others.
        order_every_seconds: mean time between two orders.
        trouble_every_seconds: mean time between the beginnings of two troubles.
        lease_seconds: of the workers; troubles last from a part of it to several.
    """
    dice = random.Random(seed)
    orders = [
        Order(
            at,
            work,
            key=f"chaos-{seed}-{number}",
            then=dice.choices(list(HABITS), weights=list(HABITS.values()))[0],
            after=dice.uniform(0, 2 * lease_seconds),
        )
        for number, (at, work) in enumerate(_dealt(dice, seconds, order_every_seconds, list(works)))
    ]
    troubles = [
        Trouble(
            at,
            kind,
            seconds=dice.uniform(1.5, 2.5) * lease_seconds
            if kind is TroubleKind.STOP_WORKER
            else dice.uniform(0.2, 1.5) * lease_seconds,
            pick=dice.random(),
            step_seconds=dice.choice(CLOCK_STEPS_SECONDS),
        )
        for at, kind in _dealt(dice, seconds, trouble_every_seconds, list(TroubleKind))
    ]
    return Plan(tuple(orders), tuple(troubles))


def _dealt(dice: random.Random, seconds: float, every: float, deck: list[Card]) -> list[tuple[float, Card]]:
    """Times, and something for each: the whole deck in a random order, then again, so that nothing is left out."""
    dealt: list[tuple[float, Card]] = []
    at = 0.0
    while True:
        for card in dice.sample(deck, len(deck)):
            at += dice.uniform(0.2, 1.8) * every
            if at >= seconds:
                return dealt
            dealt.append((round(at, 3), card))

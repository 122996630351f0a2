"""What is on its way to webhooks: written when a job ends, claimed by one, tried again, and given up in the end."""

from collections.abc import Callable

import pytest

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.worker.db.records import Delivery
from tenfold.worker.db.states import JobKind
from tenfold.worker.services import Services
from tenfold.worker.training.submission import submit_training
from tenfold.worker.webhooks.deliveries import CLAIM_SECONDS, DeliveryStore
from tests.conftest import Clock

DAY = 86_400


@pytest.fixture
def deliveries(services: Services, clock: Clock) -> DeliveryStore:
    clock.now = services.clock() + 600  # later than any job of the test ends
    return DeliveryStore(services.database, clock, chance=lambda: 0.5)


@pytest.fixture
def end_job(services: Services) -> Callable[[], str]:
    def end() -> str:
        job = submit_training(services, TrainingParameters(recipe="dropout-128"))
        services.jobs.cancel(job.id)
        return job.id

    return end


def listed(services: Services, webhook_id: str) -> list[Delivery]:
    return list(services.deliveries.list(webhook_id, before=None, limit=100))


def test_a_webhook_is_told_of_jobs_of_its_kinds(services: Services, end_job: Callable[[], str]) -> None:
    of_all = services.webhooks.add("https://example.org/all", [], 0)
    of_trainings = services.webhooks.add("https://example.org/trainings", [JobKind.TRAINING], 0)
    of_imports = services.webhooks.add("https://example.org/imports", [JobKind.IMPORT], 0)

    job = end_job()

    [told] = listed(services, of_all.id)
    assert told.event == told.payload["type"] == "job.cancelled"
    assert told.payload["data"]["id"] == told.job_id == job
    assert len(listed(services, of_trainings.id)) == 1
    assert listed(services, of_imports.id) == []


def test_a_delivery_is_claimed_by_one_and_comes_back_when_that_one_is_gone(
    services: Services, deliveries: DeliveryStore, clock: Clock, end_job: Callable[[], str]
) -> None:
    services.webhooks.add("https://example.org/", [], 0)
    end_job()

    [first] = deliveries.claim(4)
    assert deliveries.claim(4) == []
    clock.advance(CLAIM_SECONDS + 1)
    [second] = deliveries.claim(4)

    assert (second.id, second.attempt) == (first.id, 2)


def test_a_dead_webhook_does_not_hold_up_another(
    services: Services, deliveries: DeliveryStore, end_job: Callable[[], str]
) -> None:
    dead = services.webhooks.add("https://example.org/dead", [], 0)
    for _ in range(5):
        end_job()
    alive = services.webhooks.add("https://example.org/alive", [], 0)
    end_job()

    assert {claimed.url for claimed in deliveries.claim(2)} == {dead.url, alive.url}


def test_webhooks_that_are_down_do_not_delay_another_however_much_is_waiting_for_them(
    services: Services, deliveries: DeliveryStore, clock: Clock, end_job: Callable[[], str]
) -> None:
    for number in range(2):
        services.webhooks.add(f"https://example.org/down-{number}", [], 0)
    for _ in range(101):
        end_job()
    alive = services.webhooks.add("https://example.org/alive", [], 0)
    end_job()
    clock.advance(DAY)

    for claimed in deliveries.claim(2):
        deliveries.failed(claimed, "timed out", retry_seconds=DAY)

    assert [claimed.url for claimed in deliveries.claim(2)] == [alive.url]


def test_tries_come_at_longer_and_longer_intervals_until_it_is_given_up(
    services: Services, deliveries: DeliveryStore, clock: Clock, end_job: Callable[[], str]
) -> None:
    webhook = services.webhooks.add("https://example.org/", [], 0)
    end_job()
    pauses: list[float] = []
    while True:
        [claimed] = deliveries.claim(1)
        deliveries.failed(claimed, "answered with 500", retry_seconds=DAY)
        [delivery] = listed(services, webhook.id)
        if delivery.next_try_at is None:
            break
        pauses.append(round(delivery.next_try_at - clock.now))
        clock.now = delivery.next_try_at

    assert pauses[:4] == [5, 20, 80, 320]
    assert max(pauses) == 4 * 3600
    assert sum(pauses) <= DAY
    assert delivery.error == "answered with 500"
    assert deliveries.claim(1) == []


def test_one_who_was_too_slow_cannot_undo_what_came_after(
    services: Services, deliveries: DeliveryStore, clock: Clock, end_job: Callable[[], str]
) -> None:
    webhook = services.webhooks.add("https://example.org/", [], 0)
    end_job()
    [slow] = deliveries.claim(1)
    clock.advance(CLAIM_SECONDS + 1)
    [quick] = deliveries.claim(1)
    deliveries.arrived(quick)

    deliveries.failed(slow, "too slow", retry_seconds=DAY)

    [delivery] = listed(services, webhook.id)
    assert delivery.delivered_at is not None
    assert delivery.next_try_at is None


def test_ended_deliveries_are_forgotten_after_a_week(
    services: Services, deliveries: DeliveryStore, clock: Clock, end_job: Callable[[], str]
) -> None:
    webhook = services.webhooks.add("https://example.org/", [], 0)
    end_job()
    [claimed] = deliveries.claim(1)
    deliveries.arrived(claimed)
    end_job()
    clock.advance(8 * DAY)

    deliveries.forget_old()

    [left] = listed(services, webhook.id)
    assert left.id != claimed.id

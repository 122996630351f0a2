"""One run on one database: the same work undisturbed, then under troubles, then in peace again, then the judgment."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.chaos.clocks import MovableClock
from benchmarks.chaos.customers import Customer
from benchmarks.chaos.databases import open_database
from benchmarks.chaos.disk import make_disk
from benchmarks.chaos.fleet import LEASE_SECONDS, Fleet
from benchmarks.chaos.inputs import Work, make_classifications, make_trainings, write_dataset
from benchmarks.chaos.invariants import Evidence, a_week_later, violations
from benchmarks.chaos.outcomes import Outcome, outcome_of
from benchmarks.chaos.plan import Order, Plan, Then, make_plan
from benchmarks.chaos.troubles import Troublemaker
from tenfold.client import Client
from tenfold.trainer.data.datasets import Dataset
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tenfold.worker.upkeep.collecting import collect

START_SECONDS = 120.0

# How long after the last trouble every job may take, once undisturbed.
PATIENCE_SECONDS = 600.0

WORKS = ("training", "validated training", "sweep", "digits", "scans")


@dataclass(frozen=True)
class Pace:
    """How much happens: means of seconds between two orders, and between the beginnings of two troubles."""

    order_every_seconds: float = 5.0
    trouble_every_seconds: float = 5.0
    workers: int = 3
    works: tuple[str, ...] = WORKS


def plan_of(seed: int, seconds: float, pace: Pace) -> Plan:
    return make_plan(
        seed,
        seconds,
        pace.works,
        order_every_seconds=pace.order_every_seconds,
        trouble_every_seconds=pace.trouble_every_seconds,
        lease_seconds=LEASE_SECONDS,
    )


def run(
    database: str,
    seed: int,
    seconds: float,
    dataset: Dataset,
    say: Callable[[str], None],
    *,
    pace: Pace = Pace(),
    logs: Path | None = None,
) -> dict[str, Any]:
    """What happened, and what contradicts the invariants.

    Args:
        database: `sqlite` or `postgresql`.
        seconds: how long orders come in and things go wrong.
        dataset: MNIST.
        say: told of the progress.
        logs: where the processes' logs are kept; a directory that is not there yet.
    """
    plan = plan_of(seed, seconds, pace)
    # Not below the user's own directory, which is closed to the user that PostgreSQL runs as.
    with TemporaryDirectory(prefix="tenfold-chaos-", ignore_cleanup_errors=True) as directory:
        return _Run(Path(directory), database, plan, pace, dataset, say).whole(logs)


class _Run:
    def __init__(
        self, directory: Path, database: str, plan: Plan, pace: Pace, dataset: Dataset, say: Callable[[str], None]
    ) -> None:
        self._directory = directory
        self._database = database
        self._plan = plan
        self._pace = pace
        self._dataset = dataset
        self._say = say
        self._answers: Counter[str] = Counter()
        self._give_up_at = time.monotonic() + START_SECONDS

    def whole(self, logs: Path | None) -> dict[str, Any]:
        root = self._directory / "disk"
        data = root / "data"
        with make_disk(root) as disk, open_database(self._database, data) as database:
            (root / "aside").mkdir()
            write_dataset(self._dataset, data / "datasets")
            clocks = self._clocks()
            fleet = Fleet(data, logs or self._directory / "logs", database.url, self._pace.workers, clocks, self._say)
            maker = Troublemaker(fleet, database, disk, root / "aside", clocks, self._say)
            services = Services.open(Settings(data=data, database_url=database.url, redis_url=fleet.redis_url))
            try:
                fleet.start()
                works, expected = self._undisturbed(fleet, services)
                started = time.monotonic()
                customers = self._disturbed(fleet, works, maker)
                ended = self._mended(customers)
                seconds = time.monotonic() - started
            finally:
                fleet.stop()
            stories, images = [c.story for c in customers], {name: work.images for name, work in works.items()}
            judged = _judged(Evidence(stories, services, images, expected, fleet.deaths))
            services.database.close()
            return {
                "database": self._database,
                "seconds": round(seconds, 1),
                "disk": disk.what,
                "troubles": {kind.value: count for kind, count in sorted(maker.done.items())},
                **ended,
                "answers": dict(sorted(self._answers.items())),
                "late_workers_refused": fleet.log_lines("stopped: "),
                **judged,
            }

    def _mended(self, customers: list[Customer]) -> dict[str, Any]:
        """How the jobs have ended; those that failed are retried, now that nothing goes wrong."""
        stories, failed = [c.story for c in customers], [c for c in customers if c.story.has_failed]
        ends = Counter(f"{story.order.work}: {story.state}" for story in stories)
        reasons = Counter(f"{c.story.order.work}: {c.story.reason[:300]}" for c in failed)
        self._say(f"quiet; {len(failed)} failed jobs are retried")
        self._in_threads([customer.mend for customer in failed])
        return {"ends": dict(sorted(ends.items())), "failed_for": dict(reasons), "then_retried_in_peace": len(failed)}

    def _clocks(self) -> list[MovableClock]:
        """One for each worker and the web, as if each were a machine; SQLite is on one machine, which has one clock."""
        if self._database == "sqlite":
            return [MovableClock(self._directory / "clock")] * (self._pace.workers + 1)
        return [MovableClock(self._directory / f"clock-{number}") for number in range(self._pace.workers + 1)]

    def _undisturbed(self, fleet: Fleet, services: Services) -> tuple[dict[str, Work], dict[str, Outcome]]:
        """Everything that can be ordered, and what comes of it when nothing goes wrong."""
        with Client(fleet.url) as client:
            while not client.ready():
                if time.monotonic() > self._give_up_at:
                    raise RuntimeError("the web did not start")
                time.sleep(0.2)
        trainings = {name: work for name, work in make_trainings().items() if name in self._pace.works}
        expected = self._results_of(fleet, services, trainings)
        model = services.models.list(limit=1, trials=False)[0].id
        zips = make_classifications(self._dataset, model, self._directory)
        classifications = {name: work for name, work in zips.items() if name in self._pace.works}
        expected |= self._results_of(fleet, services, classifications)
        return trainings | classifications, expected

    def _results_of(self, fleet: Fleet, services: Services, works: dict[str, Work]) -> dict[str, Outcome]:
        self._give_up_at = time.monotonic() + PATIENCE_SECONDS
        customers = {
            name: self._customer(fleet, Order(0, name, f"undisturbed-{name}", Then.WAIT, 0), work)
            for name, work in works.items()
        }
        self._in_threads([customer.run for customer in customers.values()])
        for name, customer in customers.items():
            if customer.story.state != "succeeded":
                raise RuntimeError(f"undisturbed, the {name} did not succeed: {customer.story}")
        self._say(f"undisturbed: {', '.join(works)}")
        return {
            name: outcome_of(services, services.jobs.get(customer.story.job_id)) for name, customer in customers.items()
        }

    def _disturbed(self, fleet: Fleet, works: dict[str, Work], maker: Troublemaker) -> list[Customer]:
        started = time.monotonic()
        last = max((*(order.at for order in self._plan.orders), *(trouble.at for trouble in self._plan.troubles)))
        self._give_up_at = started + last + PATIENCE_SECONDS
        customers = [self._customer(fleet, order, works[order.work]) for order in self._plan.orders]

        def at(moment: float, do: Callable[[], None]) -> Callable[[], None]:
            def later() -> None:
                time.sleep(max(0.0, started + moment - time.monotonic()))
                do()

            return later

        def trouble(index: int) -> Callable[[], None]:
            planned = self._plan.troubles[index]
            return at(planned.at, lambda: maker.make(planned))

        def order(customer: Customer) -> Callable[[], None]:
            return at(customer.story.order.at, customer.run)

        self._in_threads([*map(trouble, range(len(self._plan.troubles))), *map(order, customers)])
        return customers

    def _customer(self, fleet: Fleet, order: Order, work: Work) -> Customer:
        return Customer(fleet.url, order, work, self._answers, lambda: time.monotonic() > self._give_up_at)

    def _in_threads(self, tasks: list[Callable[[], None]]) -> None:
        threads = [threading.Thread(target=task, daemon=True) for task in tasks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _judged(evidence: Evidence) -> dict[str, Any]:
    """What was left on the volume, and what contradicts the invariants."""
    left = collect(a_week_later(evidence.services), dry_run=True, with_orphans=True).garbage
    return {
        "leftovers_before_gc": dict(Counter(item.kind.value for item in left)),
        "violations": [{"invariant": name, "found": what} for name, what in violations(evidence)],
    }

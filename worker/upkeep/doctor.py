"""`tenfold doctor`: looks at every part of an installation and says what to do where something is amiss."""

from collections.abc import Iterator

from worker.settings import Settings
from worker.upkeep.checks.database import check_database
from worker.upkeep.checks.finding import Finding
from worker.upkeep.checks.hosts import check_this_host, check_workers
from worker.upkeep.checks.redis import check_redis
from worker.upkeep.checks.volume import check_volume


def examine(settings: Settings) -> Iterator[Finding]:
    """One finding after the other, as they are made. Changes nothing."""
    yield from check_this_host()
    yield from check_volume(settings)
    yield from check_database(settings)
    yield from check_redis(settings)
    yield from check_workers(settings)

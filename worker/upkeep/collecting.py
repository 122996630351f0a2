"""`tenfold gc`: finds what is of no use any more, and removes it. Running jobs, and what is young, are left alone."""

import contextlib
import logging
import threading
import time
from dataclasses import dataclass

from redis.exceptions import RedisError
from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError

from worker import submissions
from worker.database import rows_changed
from worker.errors import OfLaterVersion, UnknownJob, WrongState
from worker.records import Model
from worker.redis import connect_redis
from worker.services import Services
from worker.upkeep.begin_again import discard_work
from worker.upkeep.garbage import Garbage, Kind
from worker.upkeep.leftovers import leftovers, missing, orphans
from worker.upkeep.retention import expired_jobs, has_rules, losing_models
from worker.upkeep.rows import JobRow, read_jobs, read_models

log = logging.getLogger(__name__)

# Of several workers the first to set it collects.
TURN = "tenfold:gc"


@dataclass(frozen=True)
class Collection:
    """What was found: `garbage` is removed, or would be in a dry run; `reported` is for a person to look at."""

    garbage: tuple[Garbage, ...]
    reported: tuple[Garbage, ...]

    @property
    def bytes(self) -> int:
        return sum(item.bytes for item in self.garbage)


def collect(services: Services, *, dry_run: bool = False, with_orphans: bool = False) -> Collection:
    """Find what may go by the rules of the settings, and remove it.

    Args:
        dry_run: remove nothing.
        with_orphans: remove files without a row, too, rather than report them.
    """
    settings, volume, now = services.settings, services.volume, services.clock()
    older_than = now - settings.gc_safe_seconds
    jobs, models = read_jobs(services.database), read_models(services.database)
    expired = list(expired_jobs(jobs, volume, settings, now))
    going = {item.name for item in expired}
    staying = {id: job for id, job in jobs.items() if id not in going}
    found = [
        *expired,
        *losing_models(models, jobs, volume, settings, now),
        *leftovers(staying, volume, older_than),
    ]
    lost = list(orphans(jobs, models, volume, older_than))
    if with_orphans:
        found += lost
    if not dry_run:
        found = [item for item in found if _remove(services, item, jobs)]
    return Collection(tuple(found), (*(() if with_orphans else lost), *missing(staying, models, volume)))


def collect_for_ever(services: Services) -> None:
    """Where there are rules, start a thread that collects every `gc_seconds` until the process ends."""
    if not has_rules(services.settings):
        return
    every = services.settings.gc_seconds

    def run() -> None:
        while True:
            try:
                if connect_redis(services.settings.redis_url).set(
                    TURN, services.worker, nx=True, px=max(1, int(every * 1000))
                ):
                    done = collect(services)
                    log.info("gc: removed %d things, %d bytes", len(done.garbage), done.bytes)
            except (RedisError, SQLAlchemyError, OSError, OfLaterVersion) as error:
                log.warning("could not collect garbage, will try again: %s", error)
            time.sleep(every)

    threading.Thread(target=run, name="gc", daemon=True).start()


def _remove(services: Services, item: Garbage, jobs: dict[str, JobRow]) -> bool:
    """Remove one thing; False where it came to be needed meanwhile."""
    if item.kind is Kind.JOB:
        try:
            submissions.delete(services, item.name)
        except (UnknownJob, WrongState):
            return False
    elif item.kind is Kind.WORK:
        return discard_work(services.database, services.volume, item.name, jobs[item.name].kind)
    elif item.kind is Kind.MODEL:
        losing = delete(Model).where(Model.id == item.name, Model.trial, Model.pinned.is_(False))
        with services.database.write() as session:
            if not rows_changed(session, losing):
                return False
        services.volume.delete_model(item.name)
    elif item.path is not None:
        with contextlib.suppress(FileNotFoundError):
            services.volume.storage.remove(item.path)
    return True

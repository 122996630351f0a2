"""`tenfold gc`: removes garbage. Unfinished jobs, and what is younger than `gc_safe_seconds`, are never touched."""

import contextlib
import logging
import threading
import time
from dataclasses import dataclass

from redis.exceptions import RedisError
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from tenfold.worker.db.database import rows_changed
from tenfold.worker.db.records import Model
from tenfold.worker.errors import OfLaterVersion, UnknownJob, WrongState
from tenfold.worker.jobs import submission
from tenfold.worker.redis import connect_redis
from tenfold.worker.services import Services
from tenfold.worker.upkeep.garbage import (
    Garbage,
    JobRow,
    Kind,
    expired_jobs,
    has_rules,
    leftovers,
    losing_models,
    missing,
    orphans,
    read_jobs,
    read_models,
)
from tenfold.worker.upkeep.reset_job import discard_work

log = logging.getLogger(__name__)

# A Redis key: of several workers, the first to set it collects.
TURN = "tenfold:gc"


@dataclass(frozen=True)
class Collection:
    """`garbage` was removed, or would be without `dry_run`; `reported` is left for a person to decide."""

    garbage: tuple[Garbage, ...]
    reported: tuple[Garbage, ...]

    @property
    def bytes(self) -> int:
        return sum(item.bytes for item in self.garbage)


def collect(services: Services, *, dry_run: bool = False, with_orphans: bool = False) -> Collection:
    """Find what may be removed according to the settings, and remove it.

    Args:
        dry_run: remove nothing.
        with_orphans: also remove files without a row, rather than report them.
    """
    settings, volume, now = services.settings, services.volume, services.clock()
    older_than = now - settings.gc_safe_seconds
    jobs, models = read_jobs(services.database), read_models(services.database)
    expired = list(expired_jobs(jobs, volume, settings, now))
    expired_ids = {item.name for item in expired}
    kept = {id: job for id, job in jobs.items() if id not in expired_ids}
    found = [
        *expired,
        *losing_models(models, jobs, volume, settings, now, named=services.aliases.by_model()),
        *leftovers(kept, volume, older_than),
    ]
    orphaned = list(orphans(jobs, models, volume, older_than))
    if with_orphans:
        found += orphaned
    if not dry_run:
        found = [item for item in found if _remove(services, item, jobs)]
    return Collection(tuple(found), (*(() if with_orphans else orphaned), *missing(kept, models, volume)))


def collect_forever(services: Services) -> None:
    """If the settings have rules, start a thread that collects every `gc_seconds` until the process ends."""
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
                    log.info("gc: removed %d items, %d bytes", len(done.garbage), done.bytes)
            except (RedisError, SQLAlchemyError, OSError, OfLaterVersion) as error:
                log.warning("could not collect garbage, will try again: %s", error)
            time.sleep(every)

    threading.Thread(target=run, name="gc", daemon=True).start()


def _remove(services: Services, item: Garbage, jobs: dict[str, JobRow]) -> bool:
    """Remove one item; False if it is in use by now."""
    if item.kind is Kind.JOB:
        try:
            submission.delete(services, item.name)
        except (UnknownJob, WrongState):
            return False
    elif item.kind is Kind.WORK:
        return discard_work(services.database, services.volume, item.name, jobs[item.name].kind)
    elif item.kind is Kind.MODEL:
        losing = delete(Model).where(Model.id == item.name, Model.trial)
        try:
            with services.database.write() as session:
                if not rows_changed(session, losing):
                    return False
        except IntegrityError:  # an alias names it by now
            return False
        services.volume.delete_model(item.name)
    elif item.path is not None:
        with contextlib.suppress(FileNotFoundError):
            services.volume.storage.remove(item.path)
    return True

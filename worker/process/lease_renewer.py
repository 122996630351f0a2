"""Renews a lease in the background, and tells the work when to stop."""

import logging
import threading
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from tenfold.worker.errors import LeaseLost, ShuttingDown, WorkerError
from tenfold.worker.jobs.leases import Lease, LeaseStore

log = logging.getLogger(__name__)

# Three chances to renew before a lease runs out.
RENEWALS_PER_LEASE = 3


class LeaseRenewer:
    """Renews a lease from a thread for as long as its `with` block runs.

    Args:
        leases: the store of the lease.
        lease: the lease to renew.
        lease_seconds: how long it is valid without renewal.
        check_seconds: how often to look for a cancellation or a shutdown.
        shutting_down: whether this worker was told to stop.
    """

    def __init__(
        self,
        leases: LeaseStore,
        lease: Lease,
        *,
        lease_seconds: float,
        check_seconds: float,
        shutting_down: Callable[[], bool],
    ) -> None:
        self._leases = leases
        self._lease = lease
        self._renew_every = lease_seconds / RENEWALS_PER_LEASE
        self._check_every = min(check_seconds, self._renew_every)
        self._shutting_down = shutting_down
        self._interruption: WorkerError | None = None
        self._finished = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lease-{lease.step_id}", daemon=True)

    def __enter__(self) -> "LeaseRenewer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._finished.set()
        self._thread.join()

    def check(self) -> None:
        """Return if the work may continue. It is cheap: call it often.

        Raises:
            LeaseLost: the job was cancelled, or another worker may hold the step.
            ShuttingDown: this worker was told to stop.
        """
        if self._interruption is not None:
            raise self._interruption

    def _keep(self) -> None:
        renewed_at = time.monotonic()
        while not self._finished.wait(self._check_every):
            if self._shutting_down():
                self._interruption = ShuttingDown("This worker was told to stop.")
                return
            try:
                if time.monotonic() - renewed_at >= self._renew_every:
                    self._leases.renew(self._lease)
                    renewed_at = time.monotonic()
                elif not self._leases.holds(self._lease):
                    raise LeaseLost(f"The lease on step {self._lease.step_id} is gone.")
            except LeaseLost as lost:
                self._interruption = lost
                return
            except SQLAlchemyError as error:
                log.warning("cannot check the lease, will try again: %s", error)

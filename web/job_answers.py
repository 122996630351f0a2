"""What polls are answered: made once for each state of a job, and shared by all polls that meet the job in it."""

import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from flask import current_app

from web.documents import JobDocument
from web.representations import document_of, live_of
from worker.jobs import JobStore
from worker.progress import Live, LiveFigures
from worker.records import Job
from worker.states import JobState

JOB_ANSWERS = "tenfold-job-answers"

# Jobs that are polled at the same time are few. Answers have some kilobytes.
MOST_KEPT = 200

# Live figures are written twice a second. Of a job that more ask for than this, Redis is not asked by each.
LOOK_EVERY_SECONDS = 0.1


@dataclass(frozen=True)
class JobAnswer:
    """A job's document as it is sent, and its ETag."""

    state: JobState
    etag: str
    body: bytes

    @classmethod
    def of(cls, document: JobDocument) -> "JobAnswer":
        body = json.dumps(document, separators=(",", ":")).encode()
        return cls(document["state"], hashlib.sha256(body).hexdigest()[:24], body)


@dataclass(frozen=True)
class _Kept:
    """An answer, and what it was made of."""

    answer: JobAnswer
    row: tuple[Any, ...]
    job: Job
    live: Live
    looked_at: float


class JobAnswers:
    """Looks at the job's row each time, and while it runs at the live figures too, unless it has just done so.

    Safe to use from many threads.

    Args:
        most_kept: answers of so many jobs are kept.
        clock: seconds, from any beginning.
    """

    def __init__(
        self,
        jobs: JobStore,
        figures: LiveFigures,
        *,
        most_kept: int = MOST_KEPT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jobs = jobs
        self._figures = figures
        self._most_kept = most_kept
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._keeping = threading.Lock()

    def get(self, job_id: str) -> JobAnswer:
        """
        Raises:
            UnknownJob: there is none with this id.
        """
        row = self._jobs.row(job_id)
        kept = self._kept.get(job_id)
        if kept is not None and kept.row != row:
            kept = None
        now = self._clock()
        if kept is not None and (
            kept.answer.state is not JobState.RUNNING or now < kept.looked_at + LOOK_EVERY_SECONDS
        ):
            return kept.answer
        job = self._jobs.read(row) if kept is None else kept.job
        live = live_of(job, self._figures)
        answer = kept.answer if kept is not None and kept.live == live else JobAnswer.of(document_of(job, live))
        self._keep(_Kept(answer, row, job, live, now))
        return answer

    def _keep(self, new: _Kept) -> None:
        """Put it last; the first makes room."""
        with self._keeping:
            self._kept.pop(new.job.id, None)
            if len(self._kept) >= self._most_kept:
                del self._kept[next(iter(self._kept))]
            self._kept[new.job.id] = new


def job_answers() -> JobAnswers:
    """Those of the application that handles this request."""
    return cast(JobAnswers, current_app.extensions[JOB_ANSWERS])

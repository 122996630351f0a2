"""Customers of the HTTP API: each follows one order, asks again when it gets no answer, and notes what it was told."""

import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import httpx

from benchmarks.chaos.inputs import Work
from benchmarks.chaos.plan import Order, Then

ASK_AGAIN_SECONDS = 0.4
REQUEST_SECONDS = 40.0
FINAL = ("succeeded", "failed", "cancelled")


class OutOfPatience(Exception):
    """The service did not do what it must within the time that there was."""


@dataclass
class Story:
    """What a customer was told about one order.

    `ids` are all that a submission with its key was answered with. `told` are the states that polls answered with, each
    noted when it differed from the one before; `files` what could be fetched when it was first told `succeeded`.
    """

    order: Order
    ids: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    reason: str = ""
    files: tuple[str, ...] | None = None
    asked_to_cancel: bool = False
    deleted: bool = False
    lost: str = ""

    @property
    def job_id(self) -> str:
        return min(self.ids)

    @property
    def state(self) -> str:
        return self.told[-1] if self.told else "never told"

    @property
    def has_failed(self) -> bool:
        """Whether there is a failed job to be retried."""
        return self.state == "failed" and not self.lost and not self.deleted


class Customer:
    """Follows one order.

    Args:
        url: of the web.
        answers: counts what every call was answered with, by status or kind of failure.
        is_over: whether it is to give up waiting.
    """

    def __init__(
        self, url: str, order: Order, work: Work, answers: "Counter[str]", is_over: Callable[[], bool]
    ) -> None:
        self.story = Story(order)
        self._work = work
        self._answers = answers
        self._is_over = is_over
        self._http = httpx.Client(base_url=f"{url}/api/v1/", timeout=REQUEST_SECONDS)

    def run(self) -> None:
        """Do all that the order says; what went wrong is in the story."""
        try:
            self._follow()
        except OutOfPatience as error:
            self.story.lost = str(error)

    def mend(self) -> None:
        """Retry a job that failed, now that nothing is wrong any more, and wait for it."""
        try:
            self._ask("POST", f"jobs/{self.story.job_id}/retry", {202, 409})
            self.wait()
        except OutOfPatience as error:
            self.story.lost = str(error)

    def wait(self) -> None:
        """Poll until the job has ended."""
        story = self.story
        while True:
            answer = self._ask("GET", f"jobs/{story.job_id}", {200, 404})
            if answer.status_code == 404:
                raise OutOfPatience(f"the job is not known any more, last told {story.state}")
            document: dict[str, Any] = answer.json()
            if document["state"] != story.state:
                story.told.append(document["state"])
            if story.state in FINAL:
                story.reason = document["error"] or ""
                break
            self._pause()
        if story.state == "succeeded" and story.files is None:
            answer = self._ask("GET", f"jobs/{story.job_id}/files", {200})
            story.files = tuple(file["name"] for file in answer.json()["items"])

    def _follow(self) -> None:
        story, then = self.story, self.story.order.then
        self._submit()
        if then is Then.SUBMIT_AGAIN:
            self._submit()
        if then in (Then.CANCEL, Then.CANCEL_AND_RETRY, Then.CANCEL_AND_DELETE):
            time.sleep(story.order.after)
            self._ask("POST", f"jobs/{story.job_id}/cancel", {200, 409})
            story.asked_to_cancel = True
        self.wait()
        if then is Then.CANCEL_AND_RETRY and story.state == "cancelled":
            self._ask("POST", f"jobs/{story.job_id}/retry", {202, 409})
            story.told.append("retried")
            story.asked_to_cancel = False
            self.wait()
        if then in (Then.WAIT_AND_DELETE, Then.CANCEL_AND_DELETE):
            # A first answer may have got lost: then the job is gone already.
            self._ask("DELETE", f"jobs/{story.job_id}", {204, 404})
            story.deleted = True

    def _submit(self) -> None:
        work, headers = self._work, {"Idempotency-Key": self.story.order.key}
        if work.file is None:
            answer = self._ask("POST", work.path, {202}, json=work.body, headers=headers)
        else:
            content = work.file.read_bytes()
            headers["Content-Type"] = "application/zip"
            answer = self._ask("POST", work.path, {202}, content=content, params=work.body, headers=headers)
        self.story.ids.add(answer.json()["id"])

    def _ask(self, method: str, path: str, wanted: Collection[int], **request: Any) -> httpx.Response:
        """The first answer of these; others, and none, are a reason to ask again."""
        while True:
            try:
                answer = self._http.request(method, path, **request)
                self._answers[f"{answer.status_code}"] += 1
                if answer.status_code in wanted:
                    return answer
                said = f"{answer.status_code} {answer.text[:300]}"
                if answer.status_code < 500 and answer.status_code != 429:
                    raise OutOfPatience(f"{method} {path} was refused: {said}")
            except httpx.TransportError as error:
                self._answers[type(error).__name__] += 1
                said = repr(error)
            if self._is_over():
                raise OutOfPatience(f"{method} {path} has got no answer: {said}")
            time.sleep(ASK_AGAIN_SECONDS)

    def _pause(self) -> None:
        if self._is_over():
            raise OutOfPatience(f"job {self.story.job_id} is still {self.story.state}")
        time.sleep(ASK_AGAIN_SECONDS)

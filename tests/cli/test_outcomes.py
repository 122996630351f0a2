"""What a command prints of a job that has ended."""

from typing import Any, cast

import pytest

from tenfold.cli.outcomes import print_outcome
from tenfold.client import Job


class Ended:
    """As much of a job as is printed."""

    def __init__(self, **summary: Any) -> None:
        self.summary = {"images": 3, "errors": 0, "accuracy": None, "labeled": 0, "seconds": 1.0} | summary
        self.document = {"kind": "classification", "error": None}


def printed(capsys: pytest.CaptureFixture[str], job: Ended) -> list[str]:
    print_outcome(cast(Job, job))
    return capsys.readouterr().out.splitlines()


def test_what_was_skipped_and_assumed_comes_last(capsys: pytest.CaptureFixture[str]) -> None:
    notes = ["True labels come from the folders.", "Skipped archives: 1."]

    assert printed(capsys, Ended(notes=notes)) == ["3 images, 0 with errors, 1.0 s", *notes]


def test_that_too_many_accepted_answers_are_wrong_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, Ended(accepted_error={"message": "7.3 % of the accepted answers are wrong."}))

    assert lines == ["7.3 % of the accepted answers are wrong.", "3 images, 0 with errors, 1.0 s"]


def test_a_job_of_an_older_version_has_no_notes(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, Ended()) == ["3 images, 0 with errors, 1.0 s"]

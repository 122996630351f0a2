"""What a worker counts begins at 0 for all that can happen, so that the first time is an increase."""

import subprocess
import sys

from tenfold.worker.db.states import StepKind
from tenfold.worker.observability.metrics import OUTCOMES, REGISTRY, STAGES
from tenfold.worker.process.runner import Outcome


def test_every_outcome_of_every_kind_of_step_has_a_series() -> None:
    assert set(OUTCOMES) == {outcome.name.lower() for outcome in Outcome}
    for kind in StepKind:
        for outcome in OUTCOMES:
            labels = {"kind": kind.value, "outcome": outcome}
            assert REGISTRY.get_sample_value("tenfold_steps_total", labels) is not None


def test_every_stage_that_is_timed_has_a_series() -> None:
    for kind, stages in STAGES.items():
        for stage in stages:
            labels = {"kind": kind.value, "stage": stage}
            assert REGISTRY.get_sample_value("tenfold_stage_seconds_count", labels) is not None


def test_a_worker_can_still_share_its_counts_when_its_application_is_loaded() -> None:
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import tenfold.worker.process.app, sys; print('tenfold.worker.observability.metrics' in sys.modules)",
        ],
        check=True,
        capture_output=True,
        text=True,
    )

    assert loaded.stdout.strip() == "False"

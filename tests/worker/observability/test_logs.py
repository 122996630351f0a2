"""Log lines for machines, and the heartbeat for health checks, as other processes see them."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from tenfold.worker.db.database import Database
from tenfold.worker.db.schema import migrate, prepare_database, why_not_usable
from tenfold.worker.observability.liveness_file import beat
from tenfold.worker.settings import Settings


def logged(code: str, log_format: str) -> list[str]:
    program = f"import logging; from tenfold.worker.observability.logs import configure_logging, logging_about\n{code}"
    program = program.replace("CONFIGURE", f"configure_logging({log_format!r})")
    return subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stderr.splitlines()


def test_a_json_line_says_which_job_it_is_about_while_one_is_worked_on() -> None:
    lines = logged(
        """
CONFIGURE
log = logging.getLogger("tenfold.worker.training.step")
with logging_about(job="01j", step=7):
    log.info("epoch %d", 3)
log.warning("done")
""",
        "json",
    )

    during, after = map(json.loads, lines)
    assert during.pop("time").endswith("+00:00")
    assert during == {
        "level": "INFO",
        "logger": "tenfold.worker.training.step",
        "message": "epoch 3",
        "job": "01j",
        "step": 7,
    }
    assert "job" not in after


def test_an_error_s_traceback_stays_on_its_json_line() -> None:
    [line] = logged(
        """
CONFIGURE
try:
    1 / 0
except ZeroDivisionError:
    logging.exception("it broke")
""",
        "json",
    )

    assert "ZeroDivisionError" in json.loads(line)["exc_info"]


def test_a_text_line_is_for_people() -> None:
    [line] = logged("CONFIGURE; logging.getLogger('worker').info('ready')", "text")

    assert line.endswith("INFO worker ready")


def test_a_process_that_beats_is_healthy_and_one_that_has_stopped_is_not(tmp_path: Path) -> None:
    file = tmp_path / "alive"
    assert check(file).returncode != 0

    beat(file)
    assert check(file).returncode == 0

    long_ago = file.stat().st_mtime - 100
    os.utime(file, (long_ago, long_ago))
    stopped = check(file)
    assert stopped.returncode != 0
    assert "No heartbeat" in stopped.stderr


def test_a_process_that_may_not_migrate_waits_for_who_does(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, migrate_at_start=False)
    database = Database(settings.resolved_database_url)
    started = threading.Thread(target=prepare_database, args=(database, settings))
    started.start()
    assert "has no tables" in (why_not_usable(database) or "")
    assert started.is_alive()

    migrate(database)

    started.join(30)
    assert not started.is_alive()
    assert why_not_usable(database) is None
    database.close()


def check(file: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tenfold.worker.observability.liveness_file", file, "30"], capture_output=True, text=True
    )

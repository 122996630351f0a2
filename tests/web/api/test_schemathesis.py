"""Schemathesis reads the OpenAPI document and calls the real server in ways that nobody thought of."""

import os
import subprocess
import sys
from pathlib import Path

from tests.paths import ROOT
from tests.web.serving import WebProcess

HERE = Path(__file__).parent

# Nothing to wait for, and no bound on how often it may call.
SETTINGS = {
    "TENFOLD_MAX_REQUESTS_PER_MINUTE": "0",
    "TENFOLD_MAX_SUBMISSIONS_PER_MINUTE": "0",
    "TENFOLD_MAX_WAIT_SECONDS": "0",
    "TENFOLD_PREDICTION_SECONDS": "0.1",
}

SCHEMATHESIS = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]


def test_every_call_behaves_as_the_document_says(tmp_path: Path, redis_url: str) -> None:
    web = WebProcess(tmp_path / "data", redis_url, **SETTINGS)
    web.start()
    try:
        done = subprocess.run(
            [
                *SCHEMATHESIS,
                f"--config-file={HERE / 'schemathesis.toml'}",
                "run",
                f"{web.api}/openapi.json",
                "--phases=examples,coverage",
                "--seed=1",
                "--continue-on-failure",
                "--no-color",
            ],
            env=os.environ | {"SCHEMATHESIS_HOOKS": "tests.web.api.schemathesis_hooks", "PYTHONPATH": str(ROOT)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
    finally:
        web.kill()

    assert done.returncode == 0, done.stdout

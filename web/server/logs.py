"""Sends gunicorn's log lines where all others go, with a line for each request."""

import logging
from collections.abc import MutableMapping
from datetime import timedelta
from typing import Any

from gunicorn.config import Config
from gunicorn.glogging import Logger

from tenfold.web.core.request_ids import request_id_in

# Polled by monitoring every few seconds; logged only if they fail.
WATCHED = ("/api/v1/healthz", "/api/v1/readyz", "/metrics", "/api/v1/metrics")


class WebLogger(Logger):
    """Hands gunicorn's lines to the logging set up by `tenfold.worker.observability.logs`."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        for logger in (self.error_log, self.access_log):
            logger.handlers.clear()
            logger.propagate = True

    def access(self, resp: Any, req: Any, environ: MutableMapping[str, Any], request_time: timedelta) -> None:
        if not self.access_log_enabled or (req.path in WATCHED and resp.status_code < 400):
            return
        about: dict[str, object] = {
            "method": req.method,
            "path": req.path,
            "status": resp.status_code,
            "milliseconds": round(request_time.total_seconds() * 1000, 1),
        }
        if (name := request_id_in(environ)) is not None:
            about["request_id"] = name
        job = _job_in(req.path)
        logging.getLogger("tenfold.web.auth").info(
            "%s %s %d", req.method, req.path, resp.status_code, extra=about | ({"job": job} if job else {})
        )


def _job_in(path: str) -> str | None:
    """The job id in `/jobs/<id>…` and `/api/v1/jobs/<id>…`."""
    parts = path.removeprefix("/api/v1").split("/")
    return parts[2] if len(parts) > 2 and parts[1] == "jobs" else None

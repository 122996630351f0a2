"""Gunicorn's lines go where all other lines of the process go, and each answered request is one line with its job."""

import logging
from collections.abc import MutableMapping
from datetime import timedelta
from typing import Any

from gunicorn.config import Config
from gunicorn.glogging import Logger

from web.request_ids import request_id_in

# Asked every few seconds by whatever watches the web: of no interest while they are answered well.
WATCHED = ("/api/v1/healthz", "/api/v1/readyz", "/metrics", "/api/v1/metrics")


class WebLogger(Logger):
    """What `worker.logs` set up handles gunicorn's own lines too."""

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
        logging.getLogger("web.access").info(
            "%s %s %d", req.method, req.path, resp.status_code, extra=about | ({"job": job} if job else {})
        )


def _job_in(path: str) -> str | None:
    """The id in `/jobs/<id>…` and `/api/v1/jobs/<id>…`."""
    parts = path.removeprefix("/api/v1").split("/")
    return parts[2] if len(parts) > 2 and parts[1] == "jobs" else None

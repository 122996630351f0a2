"""Serves the web with gunicorn: `python -m web.serve [--host H] [--port P]`."""

import logging
import os
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication

from web.access.hosts import in_address
from web.access.reach import OpenToAll, check_reach
from web.access.start_token import with_start_token
from web.app import create_app
from web.background import start_background
from web.logs import WebLogger
from web.request_ids import name_the_request
from web.settings import WebSettings
from web.slow_clients import PatientWorker
from web.tracing import trace_requests
from worker.logs import configure_logging
from worker.schema import prepare_database
from worker.services import Services
from worker.settings import settings_or_exit

# A process that shows no sign of life for so long is replaced.
HANGING_SECONDS = 120


class Server(BaseApplication):
    """Gunicorn, configured from the settings rather than from files or its own command line."""

    def __init__(self, settings: WebSettings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        PatientWorker.quiet_seconds = self._settings.client_timeout_seconds
        PatientWorker.most_waiting = self._settings.max_waiting_requests
        options: dict[str, Any] = {
            "bind": f"{in_address(self._settings.host)}:{self._settings.port}",
            "workers": 1,
            "worker_class": PatientWorker,
            "threads": self._settings.web_threads,
            # Of the process as a whole, whatever its threads do.
            "timeout": HANGING_SECONDS,
            "graceful_timeout": 5,
            "keepalive": 5,
            # The most that gunicorn takes: parameters beside a raw body are in the query.
            "limit_request_line": 8190,
            "logger_class": WebLogger,
            # For machines to read; in the text form the pages' polls would drown all else.
            "accesslog": "-" if self._settings.log_format == "json" else None,
            # Which proxies are believed is TENFOLD_PROXIES' to say; gunicorn would believe all on this machine.
            "forwarded_allow_ips": "",
            "secure_scheme_headers": {},
            "forwarder_headers": "",
            # Gunicorn would listen for commands, in the home directory of whoever runs it.
            "control_socket_disable": True,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:  # type: ignore[override]
        app = create_app(self._settings)
        trace_requests(app)
        start_background(app, self._settings)
        return app


@click.command()
@click.option("--host", help="Address to serve on.")
@click.option("--port", type=int, help="Port to serve on.")
def main(host: str | None, port: int | None) -> None:
    """Serve the web."""
    given = {name: value for name, value in {"host": host, "port": port}.items() if value is not None}
    settings = settings_or_exit(WebSettings).model_copy(update=given)
    configure_logging(settings.log_format)
    for handler in logging.getLogger().handlers:
        handler.addFilter(name_the_request)
    if os.environ.get("SCRIPT_NAME"):
        raise click.ClickException("SCRIPT_NAME is set, which gunicorn takes for itself. Set TENFOLD_PREFIX instead.")
    users = _has_users(settings)
    try:
        check_reach(settings, users=users)
    except OpenToAll as error:
        raise click.ClickException(str(error)) from error
    Server(with_start_token(settings, users=users)).run()


def _has_users(settings: WebSettings) -> bool:
    services = Services.open(settings)
    try:
        prepare_database(services.database, settings)
        return services.users.any()
    finally:
        services.database.close()


if __name__ == "__main__":
    main()

"""Serves the web with gunicorn: `python -m tenfold.web.serve [--host H] [--port P]`."""

import logging
import os
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication

from tenfold.web.app import create_app
from tenfold.web.auth.exposure import OpenToEveryone, check_exposure
from tenfold.web.auth.hosts import host_in_url
from tenfold.web.auth.start_token import with_start_token
from tenfold.web.core.request_ids import add_request_id
from tenfold.web.core.settings import WebSettings
from tenfold.web.server.background import start_background
from tenfold.web.server.client_timeouts import TimeoutThreadWorker
from tenfold.web.server.logs import WebLogger
from tenfold.web.server.tracing import trace_requests
from tenfold.worker.db.schema import prepare_database
from tenfold.worker.observability.logs import configure_logging
from tenfold.worker.services import Services
from tenfold.worker.settings import settings_or_exit

# A process without a heartbeat for this long is replaced.
HANGING_SECONDS = 120


class Server(BaseApplication):
    """Gunicorn, configured from the settings rather than from files or its own command line."""

    def __init__(self, settings: WebSettings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        TimeoutThreadWorker.quiet_seconds = self._settings.client_timeout_seconds
        TimeoutThreadWorker.most_waiting = self._settings.max_waiting_requests
        options: dict[str, Any] = {
            "bind": f"{host_in_url(self._settings.host)}:{self._settings.port}",
            "workers": 1,
            "worker_class": TimeoutThreadWorker,
            "threads": self._settings.web_threads,
            # For the process as a whole, whatever its threads do.
            "timeout": HANGING_SECONDS,
            "graceful_timeout": 5,
            "keepalive": 5,
            # Gunicorn's maximum: the parameters of a raw body are in the query.
            "limit_request_line": 8190,
            "logger_class": WebLogger,
            # In the text format the polls of the pages would hide everything else.
            "accesslog": "-" if self._settings.log_format == "json" else None,
            # TENFOLD_PROXIES decides which proxies are trusted; gunicorn would trust all on this machine.
            "forwarded_allow_ips": "",
            "secure_scheme_headers": {},
            "forwarder_headers": "",
            # Gunicorn would listen for commands on a socket in the home directory.
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
        handler.addFilter(add_request_id)
    if os.environ.get("SCRIPT_NAME"):
        raise click.ClickException(
            "SCRIPT_NAME is set, which gunicorn uses itself. Unset it, and set TENFOLD_PREFIX instead."
        )
    users = _has_users(settings)
    try:
        check_exposure(settings, users=users)
    except OpenToEveryone as error:
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

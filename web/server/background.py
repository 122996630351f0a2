"""Background threads of the web: deliver webhooks, and remove expired uploads."""

import logging
import threading
import time

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from tenfold.web.core.services import EXTENSION, open_uploads
from tenfold.web.core.settings import WebSettings
from tenfold.web.webhooks.sender import WebhookSender
from tenfold.worker.services import Services

log = logging.getLogger(__name__)

CLEAN_EVERY_SECONDS = 600


def start_background(app: Flask, settings: WebSettings) -> None:
    """Start threads that run until the process ends. Several web processes may run them side by side."""
    services: Services = app.extensions[EXTENSION]
    sender = WebhookSender(services.deliveries, settings)
    threading.Thread(target=sender.send_forever, name="webhooks", daemon=True).start()
    threading.Thread(target=_clean_forever, args=(services, settings), name="cleaner", daemon=True).start()


def _clean_forever(services: Services, settings: WebSettings) -> None:
    uploads = open_uploads(services, settings)
    while True:
        try:
            removed = uploads.remove_expired(time.time())
            if removed:
                log.info("removed %d expired uploads", len(removed))
            services.deliveries.forget_old()
        except (OSError, SQLAlchemyError) as error:
            log.warning("clean-up failed, will retry: %s", error)
        time.sleep(CLEAN_EVERY_SECONDS)

"""What the web does beside answering: sends to webhooks, and removes uploads that nobody goes on with."""

import logging
import threading
import time

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from web.services import EXTENSION, open_uploads
from web.settings import WebSettings
from web.webhook_sender import WebhookSender
from worker.services import Services

log = logging.getLogger(__name__)

CLEAN_EVERY_SECONDS = 600


def start_background(app: Flask, settings: WebSettings) -> None:
    """Start threads that go on until the process ends. Several webs may do the same without harm."""
    services: Services = app.extensions[EXTENSION]
    sender = WebhookSender(services.deliveries, settings)
    threading.Thread(target=sender.send_for_ever, name="webhooks", daemon=True).start()
    threading.Thread(target=_clean_for_ever, args=(services, settings), name="cleaner", daemon=True).start()


def _clean_for_ever(services: Services, settings: WebSettings) -> None:
    uploads = open_uploads(services, settings)
    while True:
        try:
            removed = uploads.remove_expired(time.time())
            if removed:
                log.info("removed %d uploads that nobody went on with", len(removed))
            services.deliveries.forget_old()
        except (OSError, SQLAlchemyError) as error:
            log.warning("could not clean up, will try again: %s", error)
        time.sleep(CLEAN_EVERY_SECONDS)

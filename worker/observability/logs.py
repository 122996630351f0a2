"""Logging: lines of text, or one JSON object per line with the job and step that it is about."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal

from pythonjsonlogger.json import JsonFormatter

LogFormat = Literal["text", "json"]

TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"

# Global, since a process works on one step at a time and its threads log about the same one.
_about: dict[str, object] = {}


def configure_logging(log_format: LogFormat) -> None:
    """Log to standard error. Call it once, before anything logs."""
    handler = logging.StreamHandler()
    if log_format == "json":
        handler.setFormatter(_JsonLine())
        handler.addFilter(_add_fields)
    else:
        handler.setFormatter(logging.Formatter(TEXT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.captureWarnings(True)
    logging.getLogger("alembic").setLevel(logging.WARNING)


@contextmanager
def logging_about(**about: object) -> Iterator[None]:
    """Add these fields to every JSON line of this process during the block."""
    _about.update(about)
    try:
        yield
    finally:
        for name in about:
            _about.pop(name, None)


def _add_fields(record: logging.LogRecord) -> bool:
    for name, value in _about.items():
        record.__dict__.setdefault(name, value)
    return True


class _JsonLine(JsonFormatter):
    """`time` in UTC, `level`, `logger`, `message`, the fields of `logging_about`, and any error's traceback."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s %(message)s", rename_fields={"levelname": "level", "name": "logger"})

    def add_fields(
        self, log_data: dict[str, object], record: logging.LogRecord, message_dict: dict[str, object]
    ) -> None:
        log_data["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        super().add_fields(log_data, record, message_dict)

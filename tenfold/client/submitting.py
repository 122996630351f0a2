"""Queues jobs: of a document, or with a file that is sent whole or in pieces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from tenfold.client import large_files
from tenfold.client.connection import IDEMPOTENCY_KEY, Connection
from tenfold.client.errors import ServerAway
from tenfold.client.job import JOB_FIELDS, Job
from tenfold.client.options import given
from tenfold.client.sending import Pieces

# The query parameter of each call that names the file in its body.
FILE_NAME = {"classifications": "name", "datasets": "filename", "models": "filename"}


class Submissions(Connection):
    """Submits jobs, each with an idempotency key, so that a retry never creates a second one."""

    def _submit(self, call: str, body: dict[str, Any], idempotency_key: str | None) -> Job:
        return self._queue(call, idempotency_key, json=given(body))

    def _submit_file(
        self,
        call: str,
        path: Path,
        file_name: str,
        query: Mapping[str, Any],
        upload: str | None,
        on_bytes: Callable[[int], None],
        idempotency_key: str | None,
    ) -> Job:
        if upload is None and path.stat().st_size <= large_files.LARGE_BYTES:
            headers = {"Content-Type": "application/octet-stream", "Content-Length": str(path.stat().st_size)}
            params = given({**query, FILE_NAME[call]: file_name})
            return self._queue(call, idempotency_key, content=Pieces(path, on_bytes), params=params, headers=headers)
        upload = upload or large_files.begin_upload(self, path, file_name, idempotency_key)
        large_files.send_rest(self, upload, path, on_bytes)
        job = self._queue(call, idempotency_key, params=given({**query, "upload": upload}))
        # The job has its own link to the file, so the upload can go. If deleting it fails, it expires.
        with suppress(ServerAway):
            self.send("DELETE", f"uploads/{upload}")
        return job

    def _queue(self, call: str, idempotency_key: str | None, **options: Any) -> Job:
        headers = {**options.pop("headers", {}), IDEMPOTENCY_KEY: idempotency_key or uuid4().hex}
        return Job(self, self.document("POST", call, needs=JOB_FIELDS, headers=headers, **options))


def quoted(name: str) -> str:
    """A name as a part of an address."""
    return quote(name, safe="")

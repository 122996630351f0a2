"""Large files go to the server in pieces, by tus 1.0.0 (https://tus.io): after a broken connection, or a restart of the
server or of this program, an upload goes on where it stopped."""

import base64
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tenfold.client.connection import IDEMPOTENCY_KEY, Connection
from tenfold.client.errors import ServerAway, ServerError, UnexpectedAnswer, check, json_object
from tenfold.client.retries import NEVER
from tenfold.client.sending import PIECE_BYTES

if TYPE_CHECKING:
    from tenfold.web.api.documents.uploads import UploadDocument

# A smaller file is sent by one request: to send it again takes seconds, and it needs no second step.
LARGE_BYTES = 64 << 20

# By one request. A proxy may hold a request back until it has all of it; so much at most is then sent again.
REQUEST_BYTES = 16 << 20

# A server that restarts is away for seconds. It is waited for as long as `Job.wait` does, looking this often.
AWAY_SECONDS = 60
PAUSE_SECONDS = 1.0

TUS = {"Tus-Resumable": "1.0.0"}
CONTENT = {"Content-Type": "application/offset+octet-stream"}

# Another offset than we thought; the request that broke off is still being written; the server, or a proxy, is busy.
PASSING = (409, 423, 429, 502, 503, 504)


def begin_upload(connection: Connection, path: Path, name: str, idempotency_key: str | None = None) -> str:
    """The id of an upload that is to hold this file, and is empty yet.

    Args:
        idempotency_key: of the submission that will name the upload.
    """
    metadata = f"filename {base64.b64encode(name.encode()).decode()}"
    headers = TUS | {"Upload-Length": str(path.stat().st_size), "Upload-Metadata": metadata}
    if idempotency_key is not None:
        headers[IDEMPOTENCY_KEY] = idempotency_key
    # May be sent twice: an upload that nobody uses is removed after a day.
    response = connection.send("POST", "uploads", headers=headers)
    upload: UploadDocument = json_object(response, ("id",))
    return upload["id"]


def send_rest(connection: Connection, upload_id: str, path: Path, on_bytes: Callable[[int], None]) -> None:
    """Send what the upload lacks of this file.

    Args:
        on_bytes: called with the size of each piece, of what is there already too, and with minus what is sent again.

    Raises:
        ValueError: the upload is that of a file of another size.
        ServerAway: no server has answered for a minute; a note says how to go on.
        ServerError: it refused the upload, or has none with this id.
    """
    sending = _Sending(connection, upload_id, path.stat().st_size, on_bytes)
    try:
        with path.open("rb") as file:
            sending.send(file)
    except BaseException as error:
        if sending.arrived:
            error.add_note(
                f"{sending.arrived:,} of {sending.bytes:,} bytes have arrived and are kept for a day. "
                f"To go on: --upload {upload_id}, in Python upload={upload_id!r}."
            )
        raise


class _Sending:
    """One upload; `arrived` is what the server last said of it."""

    def __init__(self, connection: Connection, upload_id: str, size: int, on_bytes: Callable[[int], None]) -> None:
        self._connection = connection
        self._id = upload_id
        self._on_bytes = on_bytes
        self._told = 0
        self.bytes = size
        self.arrived = 0

    def send(self, file: IO[bytes]) -> None:
        offset, progressed = None, time.monotonic()
        while offset != self.bytes:
            try:
                offset = self._ask() if offset is None else self._send_from(offset, file)
            except (ServerAway, ServerError) as error:
                passes = isinstance(error, ServerAway) or error.status in PASSING
                if not passes or time.monotonic() - progressed > AWAY_SECONDS:
                    raise
                offset = None
                time.sleep(PAUSE_SECONDS)
                continue
            if offset > self.arrived:
                progressed = time.monotonic()
            self.arrived = offset
            self._tell(offset)

    def _ask(self) -> int:
        response = self._connection.send("GET", f"uploads/{self._id}", extensions=NEVER)
        upload: UploadDocument = json_object(response, ("bytes", "received_bytes"))
        if upload["bytes"] != self.bytes:
            raise ValueError(f"Upload {self._id} is of a file of {upload['bytes']:,} bytes, this has {self.bytes:,}.")
        return upload["received_bytes"]

    def _send_from(self, offset: int, file: IO[bytes]) -> int:
        length = min(REQUEST_BYTES, self.bytes - offset)
        headers = TUS | CONTENT | {"Upload-Offset": str(offset), "Content-Length": str(length)}
        content = self._pieces(file, offset, offset + length)
        response = self._connection.send(
            "PATCH", f"uploads/{self._id}", headers=headers, content=content, extensions=NEVER
        )
        arrived = check(response).headers.get("Upload-Offset", "")
        if not arrived.isdigit():
            raise UnexpectedAnswer(response, " without Upload-Offset")
        return int(arrived)

    def _pieces(self, file: IO[bytes], start: int, end: int) -> Iterator[bytes]:
        file.seek(start)
        while start < end:
            piece = file.read(min(PIECE_BYTES, end - start))
            if not piece:
                raise ValueError("The file became shorter while it was sent.")
            yield piece
            start += len(piece)
            self._tell(start)

    def _tell(self, offset: int) -> None:
        if offset != self._told:
            self._on_bytes(offset - self._told)
        self._told = offset

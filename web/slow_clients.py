"""Gunicorn's threads, freed from clients that stop half-way: gunicorn itself would wait for them for ever.

A few connections that send half a request and nothing more would otherwise stop the whole server. Clients that send a
little now and then still hold a thread each; a reverse proxy that receives requests whole keeps those off.
"""

import errno
import socket
import time
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

# For all headers of a request together. A client has them ready.
HEAD_SECONDS = 15


class Connection(socket.socket):
    """A connection that counts as broken off where its client says nothing, or takes nothing, for `quiet_seconds`."""

    quiet_seconds: float
    head_by: float | None = None

    def setblocking(self, flag: bool) -> None:
        self.settimeout(self.quiet_seconds if flag else 0)

    def recv(self, *arguments: Any) -> bytes:
        timeout = self.gettimeout()
        if timeout and self.head_by is not None:
            self.settimeout(min(timeout, max(self.head_by - time.monotonic(), 0.001)))
        try:
            return super().recv(*arguments)
        except TimeoutError as error:
            raise ConnectionResetError(errno.ECONNRESET, "the client said nothing for too long") from error
        finally:
            if self.fileno() >= 0:
                self.settimeout(timeout)


class PatientWorker(ThreadWorker):
    """Gunicorn's worker of threads over such connections."""

    quiet_seconds: float = 60

    def enqueue_req(self, conn: TConn) -> None:
        if not isinstance(conn.sock, Connection):
            connection = Connection(fileno=conn.sock.detach())
            connection.quiet_seconds = self.quiet_seconds
            connection.setblocking(False)
            conn.sock = connection
        super().enqueue_req(conn)

    def handle(self, conn: TConn) -> Any:
        assert isinstance(conn.sock, Connection)
        conn.sock.head_by = time.monotonic() + HEAD_SECONDS
        return super().handle(conn)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        assert isinstance(conn.sock, Connection)
        conn.sock.head_by = None
        return super().handle_request(req, conn)

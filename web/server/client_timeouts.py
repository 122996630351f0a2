"""Timeouts for clients that stop half-way, which gunicorn lacks: docs/explanation/security.md promises them.

Gunicorn's own `gthread` worker does not suffice. Measured with gunicorn 27.0.1, two threads and `--timeout 3`: two
connections that had sent half a request each kept the server from answering others for more than 20 s, since its
timeout is for the process, not for clients. Clients that send a little now and then still hold a thread each; a
reverse proxy that buffers requests keeps those off.
"""

import errno
import selectors
import socket
import time
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from tenfold.web.server.overload import BoundedThreadPool

# For all headers of a request together.
HEAD_SECONDS = 15


class Connection(socket.socket):
    """A connection that breaks when its client neither sends nor receives for `quiet_seconds`."""

    quiet_seconds: float
    head_by: float | None = None

    def setblocking(self, flag: bool) -> None:
        if self.fileno() >= 0:
            self.settimeout(self.quiet_seconds if flag else 0)

    def recv(self, *arguments: Any) -> bytes:
        timeout = self.gettimeout()
        if timeout and self.head_by is not None:
            self.settimeout(min(timeout, max(self.head_by - time.monotonic(), 0.001)))
        try:
            return super().recv(*arguments)
        except TimeoutError as error:
            raise ConnectionResetError(errno.ECONNRESET, "the client sent nothing for too long") from error
        finally:
            if self.fileno() >= 0:
                self.settimeout(timeout)


class TimeoutThreadWorker(ThreadWorker):
    """Gunicorn's threaded worker with these timeouts, and a limit on the requests that wait for a thread."""

    quiet_seconds: float = 60
    most_waiting: int = 64

    def get_thread_pool(self) -> BoundedThreadPool:  # type: ignore[override]
        return BoundedThreadPool(self.cfg.threads, self.most_waiting)

    def enqueue_req(self, conn: TConn) -> None:
        if not isinstance(conn.sock, Connection):
            connection = Connection(fileno=conn.sock.detach())
            connection.quiet_seconds = self.quiet_seconds
            connection.setblocking(False)
            conn.sock = connection
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
        else:
            self._wait_without_a_thread(conn)

    def _wait_without_a_thread(self, conn: TConn) -> None:
        """Wait for the first byte of a new connection."""
        conn.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def handle(self, conn: TConn) -> Any:
        assert isinstance(conn.sock, Connection)
        conn.sock.head_by = time.monotonic() + HEAD_SECONDS
        goes_on = super().handle(conn)
        if not goes_on:
            # Gunicorn would do this in its only loop, and wait there two seconds for a client that does not close.
            conn.close(graceful=True)
        return goes_on

    def handle_request(self, req: Any, conn: TConn) -> Any:
        assert isinstance(conn.sock, Connection)
        conn.sock.head_by = None
        return super().handle_request(req, conn)

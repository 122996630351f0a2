"""Connections to addresses that users entered: only to public ones, and with a deadline.

The name is resolved once, all its addresses are checked, and the connection goes to a checked one. So a name that
resolves to another address a moment later (DNS rebinding) changes nothing.
"""

import socket
import ssl
import time
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

import httpcore

# IPv6 addresses with an IPv4 address in the last 32 bits (RFC 6052).
NAT64 = IPv6Network("64:ff9b::/96")
# The public addresses of IPv6. Outside are link-local, site-local and IPv4-embedding ones, some of which Python's
# `is_global` accepts.
PUBLIC_IPV6 = IPv6Network("2000::/3")


class AddressRefused(Exception):
    """The address is on this machine or in the local network."""


class CheckedBackend(httpcore.NetworkBackend):
    """Opens connections to public addresses.

    Args:
        private: whether private addresses are allowed too.
        seconds: total time for one connection.
    """

    def __init__(self, *, private: bool, seconds: float) -> None:
        self._private = private
        self._seconds = seconds

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        deadline = time.monotonic() + self._seconds
        addresses = _resolve(host, port)
        for address in addresses:
            if not self._private and not is_public(address):
                raise AddressRefused(
                    f"{host} resolves to {address}, which is not public; see TENFOLD_WEBHOOK_PRIVATE_ADDRESSES"
                )
        error: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                stream = httpcore.SyncBackend().connect_tcp(
                    address, port, _left(deadline, timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failure:
                error = failure
            else:
                return _StreamWithDeadline(stream, deadline)
        raise error


def is_public(address: str) -> bool:
    """Whether an IP address is public; also checks IPv4 addresses embedded in IPv6."""
    found: IPv4Address | IPv6Address = ip_address(address.split("%")[0])
    if isinstance(found, IPv6Address):
        if found in NAT64:
            return is_public(str(IPv4Address(int(found) & 0xFFFFFFFF)))
        wrapped = found.ipv4_mapped or found.sixtofour
        if wrapped is not None:
            return is_public(str(wrapped))
        if found not in PUBLIC_IPV6:
            return False
    return found.is_global and not found.is_multicast


class _StreamWithDeadline(httpcore.NetworkStream):
    """A connection whose reads and writes end at a deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline, timeout))
        return _StreamWithDeadline(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _resolve(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"cannot resolve {host}: {error}") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _left(deadline: float, timeout: float | None) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("it took too long")
    return left if timeout is None else min(left, timeout)

"""Connects to Redis by one URL: a single server by TCP, TLS or a Unix socket, or one behind Sentinels.

| URL | reaches |
|---|---|
| `redis://[user:password@]host:port/db` | one server: Redis, Valkey, or a compatible one |
| `unix://[user:password@]/path/to/redis.sock?db=0` | a server on this machine, through a Unix socket |
| `rediss://…` | the same over TLS; `?ssl_ca_certs=/path/ca.pem` names the certificate authority |
| `redis+sentinel://[user:password@]host:port,host:port/service/db` | the server that these Sentinels call the master |
| `rediss+sentinel://…` | the same over TLS |
"""

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

# How long a web request waits for Redis before it continues without: the row is already durable.
REDIS_TIMEOUT_SECONDS = 1.0

SENTINEL_PORT = 26379

# `sun_path` in Linux's `struct sockaddr_un` has 108 bytes, the last of them zero.
MAX_SOCKET_PATH_BYTES = 107


@dataclass(frozen=True)
class RedisAddress:
    """A parsed Redis URL. `service` is the Sentinels' name for the server; None without Sentinels.

    `socket` is the path of a Unix socket, and then `hosts` is empty; else None. `options` are the URL's query: TLS
    (`ssl_…`), `sentinel_username` and `sentinel_password`.
    """

    hosts: tuple[tuple[str, int], ...]
    service: str | None
    db: int
    username: str | None
    password: str | None
    tls: bool
    options: dict[str, str]
    socket: str | None = None

    @classmethod
    def parse(cls, url: str) -> "RedisAddress":
        """
        Raises:
            ValueError: the URL is invalid; the message says why.
        """
        parts = urlsplit(url)
        if parts.scheme == "unix":
            return cls._parse_unix(parts)
        if parts.scheme not in ("redis", "rediss", "redis+sentinel", "rediss+sentinel"):
            raise ValueError(
                f"{parts.scheme}:// is not supported; give redis://, rediss://, unix://, redis+sentinel:// or "
                "rediss+sentinel://."
            )
        sentinel = parts.scheme.endswith("+sentinel")
        user, _, hosts = parts.netloc.rpartition("@")
        username, _, password = user.partition(":")
        path = [unquote(part) for part in parts.path.split("/") if part]
        service = path.pop(0) if sentinel and path else None
        if sentinel and service is None:
            raise ValueError("A Sentinel's URL names the service: redis+sentinel://host:26379/mymaster/0.")
        return cls(
            hosts=tuple(_host(text, SENTINEL_PORT if sentinel else 6379) for text in hosts.split(",")),
            service=service,
            db=int(path[0]) if path else 0,
            username=unquote(username) or None,
            password=unquote(password) or None,
            tls=parts.scheme.startswith("rediss"),
            options=_options(parts.query),
        )

    @classmethod
    def _parse_unix(cls, parts: SplitResult) -> "RedisAddress":
        user, _, host = parts.netloc.rpartition("@")
        path = unquote(parts.path)
        if host or path in ("", "/"):
            raise ValueError("A Unix socket's URL names its absolute path: unix:///run/redis/redis.sock?db=0.")
        if len(os.fsencode(path)) > MAX_SOCKET_PATH_BYTES:
            raise ValueError(f"The path of a Unix socket has at most {MAX_SOCKET_PATH_BYTES} bytes: {path}.")
        options = dict(parse_qsl(parts.query))
        db = options.pop("db", "0")
        if options or not db.isdecimal():
            raise ValueError("A Unix socket's URL takes one option, `db`, which is a number: ?db=0.")
        username, _, password = user.partition(":")
        return cls((), None, int(db), unquote(username) or None, unquote(password) or None, False, {}, socket=path)

    @property
    def ssl(self) -> dict[str, Any]:
        """redis-py's arguments for TLS but for `ssl` itself."""
        return {name: _bool(value) for name, value in self.options.items() if name.startswith("ssl_")}

    @property
    def sentinel_credentials(self) -> dict[str, str]:
        names = {"username": "sentinel_username", "password": "sentinel_password"}
        return {name: self.options[option] for name, option in names.items() if option in self.options}

    @property
    def text(self) -> str:
        """Where it is, for messages: without the password."""
        if self.socket:
            return self.socket
        hosts = ", ".join(f"{host}:{port}" for host, port in self.hosts)
        return f"{self.service} of the Sentinels {hosts}" if self.service else hosts


def connect_redis(
    redis_url: str, *, socket_timeout: float = REDIS_TIMEOUT_SECONDS, decode_responses: bool = True
) -> Redis:
    """A client that fails fast when Redis is away.

    Args:
        socket_timeout: seconds that one answer may take.
        decode_responses: whether answers are text rather than bytes.
    """
    address = RedisAddress.parse(redis_url)
    timeouts = {
        "socket_timeout": socket_timeout,
        "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), retries=0),
    }
    common: dict[str, Any] = {
        "db": address.db,
        "username": address.username,
        "password": address.password,
        "decode_responses": decode_responses,
        **timeouts,
    }
    if address.socket:
        return Redis(unix_socket_path=address.socket, **common)
    tls: dict[str, Any] = {"ssl": True, **address.ssl} if address.tls else {}
    if address.service is None:
        [(host, port)] = address.hosts
        return Redis(host=host, port=port, **common, **tls)
    watchers = Sentinel(list(address.hosts), sentinel_kwargs={**timeouts, **tls, **address.sentinel_credentials})
    master: Redis = watchers.master_for(address.service, **common, **tls)
    return master


def broker_settings(redis_url: str) -> dict[str, Any]:
    """Celery's configuration to use the same Redis as its broker."""
    address = RedisAddress.parse(redis_url)
    user = quote(address.username or "", safe="")
    credentials = f"{user}:{quote(address.password, safe='')}@" if address.password else ""
    scheme = "sentinel" if address.service else "redis"
    options: dict[str, Any] = {"socket_connect_timeout": REDIS_TIMEOUT_SECONDS, "retry_on_timeout": True}
    if address.service:
        options |= {
            "master_name": address.service,
            "sentinel_kwargs": {
                "socket_timeout": REDIS_TIMEOUT_SECONDS,
                **({"ssl": True, **address.ssl} if address.tls else {}),
                **address.sentinel_credentials,
            },
        }
    urls = [f"{scheme}://{credentials}{host}:{port}/{address.db}" for host, port in address.hosts]
    if address.socket:
        urls = [f"redis+socket://{credentials}{quote(address.socket)}?virtual_host={address.db}"]
    return {
        "broker_url": ";".join(urls),
        "broker_use_ssl": (address.ssl or {"ssl_cert_reqs": "required"}) if address.tls else None,
        "broker_transport_options": options,
    }


def _host(text: str, default_port: int) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError("The Redis URL names no host.")
    return parts.hostname, parts.port or default_port


def _options(query: str) -> dict[str, str]:
    options = dict(parse_qsl(query))
    known = ("sentinel_username", "sentinel_password")
    unknown = [name for name in options if not name.startswith("ssl_") and name not in known]
    if unknown:
        raise ValueError(f"The Redis URL has options that are not known: {', '.join(unknown)}.")
    return options


def _bool(value: str) -> Any:
    return {"true": True, "false": False}.get(value.lower(), value)

"""Which Redis: one URL for a single server, with or without TLS, and for one that Sentinels watch over.

| URL | reaches |
|---|---|
| `redis://[user:password@]host:port/db` | one server: Redis, Valkey, or what speaks their protocol |
| `rediss://…` | the same over TLS; `?ssl_ca_certs=/path/ca.pem` names who signed its certificate |
| `redis+sentinel://[user:password@]host:port,host:port/service/db` | the server that these Sentinels call the master |
| `rediss+sentinel://…` | the same over TLS |
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

# A web request waits for Redis no longer than this before it goes on without: the row is durable already.
REDIS_TIMEOUT_SECONDS = 1.0

SENTINEL_PORT = 26379


@dataclass(frozen=True)
class RedisAddress:
    """A Redis URL, taken apart. `service` is what the Sentinels call the server; None where there are none.

    `options` are the URL's own: those of TLS (`ssl_…`), and `sentinel_username` and `sentinel_password`.
    """

    hosts: tuple[tuple[str, int], ...]
    service: str | None
    db: int
    username: str | None
    password: str | None
    tls: bool
    options: dict[str, str]

    @classmethod
    def parse(cls, url: str) -> "RedisAddress":
        """
        Raises:
            ValueError: it is no URL of a Redis; says what is wrong.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("redis", "rediss", "redis+sentinel", "rediss+sentinel"):
            raise ValueError(
                f"{parts.scheme}:// is no Redis; give redis://, rediss://, redis+sentinel:// or rediss+sentinel://."
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
    return {
        "broker_url": ";".join(f"{scheme}://{credentials}{host}:{port}/{address.db}" for host, port in address.hosts),
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

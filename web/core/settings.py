"""The web's own settings, beside those that it shares with the workers."""

from pydantic import Field, SecretStr, field_validator

from tenfold.worker.settings import Settings


class WebSettings(Settings):
    """Read from the environment like `tenfold.worker.settings.Settings`."""

    host: str = Field("127.0.0.1", description="Address to serve on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to serve on; 0 takes a free one.")
    web_threads: int = Field(16, ge=1, description="Requests answered at the same time.")
    max_waiting_requests: int = Field(
        64,
        ge=1,
        description="Maximum requests that wait for a thread; more are refused with `503` and `Retry-After`, "
        "except health checks and metrics.",
    )
    client_timeout_seconds: int = Field(
        60, ge=1, description="Seconds after which a client that neither sends nor receives is disconnected."
    )
    max_upload_bytes: int = Field(4 * 2**30, ge=1, description="Largest upload accepted.")
    max_upload_files: int = Field(
        10_000, ge=1, description="Maximum number of files in one request; send more as one archive."
    )
    max_prediction_bytes: int = Field(
        16 * 2**20, ge=1, description="Largest image accepted by `POST /predictions`, held in memory."
    )
    upload_expiry_seconds: float = Field(
        86_400, gt=0, description="Seconds without new bytes after which a resumable upload is deleted."
    )
    max_wait_seconds: float = Field(30, ge=0, description="Maximum seconds that a poll with `?wait=` is held open.")
    max_waiting_polls: int = Field(
        8,
        ge=0,
        description="Maximum polls and event streams held open; more polls are answered immediately, more "
        "streams refused.",
    )
    max_requests_per_minute: int = Field(
        30_000,
        ge=0,
        description="API calls that one user, or one address, may make in a minute; 0: no limit.",
    )
    max_submissions_per_minute: int = Field(
        600, ge=0, description="The same for calls that queue a job or create a webhook or an upload; 0: no limit."
    )
    webhook_timeout_seconds: float = Field(
        10, gt=0, le=50, description="Seconds that a webhook may take to answer before the delivery is retried."
    )
    webhook_retry_seconds: float = Field(
        86_400, ge=0, description="Seconds for which a delivery is retried before it fails."
    )
    webhook_private_addresses: bool = Field(
        False, description="Whether webhooks may be on this machine or in the local network."
    )

    require_token: bool = Field(
        True,
        description="Whether the start-up token is required while there are no users, unless `TENFOLD_OPEN` is set.",
    )
    token: SecretStr | None = Field(
        None, description="The start-up token; default: a new one at each start, which is printed or logged."
    )
    open: bool = Field(
        False,
        description="Whether everybody who can reach the server may use it while there are no users.",
    )
    published_on: str | None = Field(
        None,
        description="Where a container's port is published (`address:port`); decides instead of `TENFOLD_HOST` "
        "whether other machines can reach it.",
    )
    trusted_hosts: list[str] = Field(
        default_factory=list,
        description='Host names of the server, as JSON: `["digits.example.org"]`, or `[".example.org"]` with all its '
        "subdomains; other names are refused. Default: any name once people sign in; before, names without a dot.",
    )
    proxies: int = Field(
        0,
        ge=0,
        description="Number of reverse proxies in front of the server, whose "
        "`X-Forwarded-For`, `-Proto` and `-Host` are trusted.",
    )
    prefix: str = Field(
        "",
        pattern=r"^(/[A-Za-z0-9._~-]+)*$",
        description="Path prefix of all addresses, such as `/tenfold`, behind a reverse proxy that serves other things "
        "at its root; the proxy may remove it or not.",
    )
    session_seconds: int = Field(14 * 24 * 3600, ge=60, description="Seconds that a user stays signed in.")
    session_key: SecretStr | None = Field(
        None,
        min_length=32,
        description="The key that signs sessions; default: created once, in `session.key` on the volume.",
    )
    sign_in_tries: int = Field(
        10,
        ge=1,
        description="Sign-in attempts for one name from one address within the window; from all addresses together "
        "ten times as many.",
    )
    sign_in_window_seconds: int = Field(900, ge=1, description="Seconds that a sign-in attempt counts.")

    @field_validator("token", mode="before")
    @classmethod
    def _empty_is_unset(cls, given: object) -> object:
        """Compose passes on a variable that is not set as an empty one."""
        return given or None

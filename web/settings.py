"""The web's own settings, beside those that it shares with the workers."""

from pydantic import Field, SecretStr, field_validator

from worker.settings import Settings


class WebSettings(Settings):
    """Read from the environment like `worker.settings.Settings`."""

    host: str = Field("127.0.0.1", description="Address to serve on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to serve on; 0 takes a free one.")
    web_threads: int = Field(16, ge=1, description="Requests answered at the same time.")
    max_waiting_requests: int = Field(
        64,
        ge=1,
        description="Requests that wait for one of the threads; further ones are refused with `503` and `Retry-After`, "
        "but for health checks and metrics.",
    )
    client_timeout_seconds: int = Field(
        60, ge=1, description="A client that sends nothing, or takes nothing, for so long is cut off."
    )
    max_upload_bytes: int = Field(4 * 2**30, ge=1, description="Largest upload accepted.")
    max_upload_files: int = Field(
        10_000, ge=1, description="Most files accepted in one request; more are sent as one archive."
    )
    max_prediction_bytes: int = Field(
        16 * 2**20, ge=1, description="Largest image accepted by `POST /predictions`, held in memory."
    )
    upload_expiry_seconds: float = Field(
        86_400, gt=0, description="A resumable upload that nobody has written to for so long is removed."
    )
    max_wait_seconds: float = Field(30, ge=0, description="Longest that a poll with `?wait=` is held open.")
    max_waiting_polls: int = Field(
        8,
        ge=0,
        description="Polls and event streams held open at the same time; one more poll is answered at once, one more "
        "stream refused.",
    )
    max_requests_per_minute: int = Field(
        30_000,
        ge=0,
        description="Calls of the API that one person, or one address, may make in a minute; 0: any number.",
    )
    max_submissions_per_minute: int = Field(
        600, ge=0, description="Of these, calls that queue a job or make a webhook or an upload; 0: any number."
    )
    webhook_timeout_seconds: float = Field(
        10, gt=0, le=50, description="How long a webhook may take to answer before the delivery is tried again."
    )
    webhook_retry_seconds: float = Field(
        86_400, ge=0, description="How long a delivery is tried again and again before it is given up."
    )
    webhook_private_addresses: bool = Field(
        False, description="Whether webhooks may lie on this machine or in the local network."
    )

    require_token: bool = Field(
        True,
        description="Whether whoever asks while there are no users has to show the start-up token, unless "
        "`TENFOLD_OPEN` is set.",
    )
    token: SecretStr | None = Field(
        None, description="The start-up token; default: a new one at each start, which is printed, or logged."
    )
    open: bool = Field(
        False,
        description="Whether anybody who reaches an address other than loopback may use it while there are no users.",
    )
    published_on: str | None = Field(
        None,
        description="Where a container's port is published (`address:port`), which decides in place of `TENFOLD_HOST` "
        "whether strangers can reach it.",
    )
    trusted_hosts: list[str] = Field(
        default_factory=list,
        description='Names that the server is reached by, as JSON: `["digits.example.org"]`, `[".example.org"]` with '
        "all below; others are refused, addresses are not. Default: any name where people sign in; while nobody has "
        "to, names of one part, as `localhost`.",
    )
    proxies: int = Field(
        0,
        ge=0,
        description="How many reverse proxies stand before the server, one behind the other; of so many the "
        "`X-Forwarded-For`, `-Proto` and `-Host` are believed.",
    )
    prefix: str = Field(
        "",
        pattern=r"^(/[A-Za-z0-9._~-]+)*$",
        description="The path that everything is served below, as `/tenfold`, where a reverse proxy has other things "
        "at its root; the proxy may take it out of the path or leave it in.",
    )
    session_seconds: int = Field(14 * 24 * 3600, ge=60, description="How long a person stays signed in.")
    session_key: SecretStr | None = Field(
        None,
        min_length=32,
        description="What sessions are signed with; default: made once, in `session.key` on the volume.",
    )
    sign_in_tries: int = Field(
        10,
        ge=1,
        description="How often one name may be tried from one address within the window; from all addresses together "
        "ten times as often.",
    )
    sign_in_window_seconds: int = Field(900, ge=1, description="For how long a try to sign in counts.")

    @field_validator("token", mode="before")
    @classmethod
    def _empty_is_unset(cls, given: object) -> object:
        """Compose passes on a variable that is not set as an empty one."""
        return given or None

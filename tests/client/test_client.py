"""The client on a bad day: the server is away for a moment, answers get lost, downloads break off."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from flask import Flask
from pydantic import BaseModel, TypeAdapter

from tenfold.client import Client, Job, JobFailed, ServerAway, ServerError, UnexpectedAnswer, documents, options
from tenfold.client.tables import read_table
from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.web.local.supervisor import free_port
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.datasets.parameters import ImportParameters
from tenfold.worker.db.records import Model
from tenfold.worker.db.states import StepKind
from tenfold.worker.model_import.parameters import ModelImportParameters
from tenfold.worker.observability.worker_registry import ProcessInfo, Task
from tenfold.worker.predictions.parameters import PredictionParameters
from tenfold.worker.review.parameters import ReviewParameters
from tenfold.worker.services import Services
from tenfold.worker.sweeps.parameters import SweepParameters
from tests.web.conftest import zip_bytes
from tests.web.served import Gateway, served

AWAY = (HTTPStatus.SERVICE_UNAVAILABLE, [("Retry-After", "0")])


@pytest.fixture
def gateway(app: Flask) -> Gateway:
    return Gateway(app)


@pytest.fixture
def client(gateway: Gateway) -> Iterator[Client]:
    with served(gateway) as url, Client(url, retries=2) as client:
        yield client


def jobs_of(services: Services) -> list[str]:
    return [job.id for job in services.jobs.list()]


@pytest.mark.parametrize(
    "status",
    [
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    ],
)
def test_a_request_that_is_refused_for_a_moment_is_sent_again(
    status: HTTPStatus, gateway: Gateway, client: Client
) -> None:
    gateway.refuse = [(status, [])] * 2

    assert client.jobs() == []
    assert len(gateway.requests) == 3


def test_a_refusal_that_lasts_is_told(gateway: Gateway, client: Client) -> None:
    gateway.refuse = [AWAY] * 3

    with pytest.raises(ServerError) as refused:
        client.jobs()

    assert refused.value.status == HTTPStatus.SERVICE_UNAVAILABLE


def test_it_comes_back_when_the_server_says_and_not_before(app: Flask) -> None:
    """Two tries, the second of which is in time only if it waits for the two seconds that it was told."""
    opens: list[float] = []

    def busy(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        opens.append(time.monotonic() + 1.5)
        if time.monotonic() < opens[0]:
            start_response("429 Too Many Requests", [("Retry-After", "2")])
            return [b""]
        return app(environ, start_response)

    with served(busy) as url, Client(url, retries=1) as client:
        assert client.jobs() == []


def test_a_training_whose_answer_is_lost_is_queued_once(gateway: Gateway, client: Client, services: Services) -> None:
    gateway.lose = [HTTPStatus.BAD_GATEWAY] * 2

    job = client.train("dropout-128", epochs=1)

    assert len(gateway.requests) == 3
    assert jobs_of(services) == [job.id]


def test_an_upload_whose_answer_is_lost_is_sent_whole_again_and_queued_once(
    gateway: Gateway, client: Client, services: Services, model: str, tmp_path: Path
) -> None:
    images = tmp_path / "digits.zip"
    images.write_bytes(zip_bytes("7/1.png", "8/2.png"))
    counted: list[int] = []
    gateway.lose = [HTTPStatus.GATEWAY_TIMEOUT]

    job = client.classify(images, on_bytes=counted.append)

    assert jobs_of(services) == [job.id]
    assert services.volume.archive(job.id).read_bytes() == images.read_bytes()
    assert sum(counted) == images.stat().st_size


def test_a_key_of_ones_own_makes_two_programs_queue_one_job(client: Client) -> None:
    first = client.train("dropout-128", idempotency_key="monday")
    second = client.train("dropout-128", idempotency_key="monday")

    assert first.id == second.id


def test_what_has_no_key_is_not_sent_again_once_it_may_have_arrived(
    gateway: Gateway, client: Client, services: Services
) -> None:
    job = client.train("dropout-128")
    gateway.lose = [HTTPStatus.BAD_GATEWAY]

    with pytest.raises(ServerError):
        job.cancel()

    assert len(gateway.requests) == 2
    assert job.refresh().state == "cancelled"


def test_what_has_no_key_is_sent_again_when_it_did_not_arrive(gateway: Gateway, client: Client) -> None:
    job = client.train("dropout-128")
    gateway.refuse = [AWAY]

    assert job.cancel().state == "cancelled"


def test_no_server_is_told_with_its_address_and_the_remedy() -> None:
    port = free_port()

    with Client(f"http://127.0.0.1:{port}", retries=1) as client, pytest.raises(ServerAway, match=str(port)) as away:
        client.jobs()

    assert "tenfold up" in str(away.value)


def test_a_download_that_breaks_off_goes_on_where_it_stopped(tmp_path: Path) -> None:
    content = bytes(range(256)) * 1000
    asked: list[str | None] = []

    def breaking_off(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        asked.append(environ.get("HTTP_RANGE"))
        if asked[-1] is None:
            start_response("200 OK", [("Content-Length", str(len(content))), ("ETag", '"first"')])
            return [content[:100_000]]
        assert environ["HTTP_IF_RANGE"] == '"first"'
        start = int(asked[-1].removeprefix("bytes=").removesuffix("-"))
        part = f"bytes {start}-{len(content) - 1}/{len(content)}"
        headers = [("Content-Length", str(len(content) - start)), ("Content-Range", part), ("ETag", '"first"')]
        start_response("206 Partial Content", headers)
        return [content[start:]]

    counted: list[int] = []
    with served(breaking_off) as url, Client(url, retries=1) as client:
        path = client.download("/file", tmp_path / "file", counted.append)

    assert asked == [None, "bytes=100000-"]
    assert path.read_bytes() == content
    assert sum(counted) == len(content)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("length", [50_000, 256_000, 300_000])
def test_a_file_that_is_replaced_while_it_is_downloaded_is_fetched_anew(
    length: int, gateway: Gateway, services: Services, model: str, tmp_path: Path
) -> None:
    file = services.volume.model(model) / "model.keras"
    file.write_bytes(b"old" * 100_000)
    new = b"new" * (length // 3)

    def breaking_off(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        whole = b"".join(gateway(environ, start_response))
        if len(gateway.requests) > 1:
            return [whole]
        (file.parent / "replacement").write_bytes(new)
        (file.parent / "replacement").rename(file)
        return [whole[:200_000]]

    counted: list[int] = []
    with served(breaking_off) as url, Client(url, retries=1) as client:
        path = client.download(f"/api/v1/models/{model}/files/model.keras", tmp_path / "file", counted.append)

    assert [request.get("HTTP_RANGE") for request in gateway.requests] == [None, "bytes=200000-"]
    assert path.read_bytes() == new
    assert sum(counted) == len(new)


PORTAL = b"<!doctype html><title>Sign in to the network</title>"


@pytest.mark.parametrize(
    ("status", "headers", "body", "says"),
    [
        ("301 Moved Permanently", [("Location", "https://elsewhere/")], b"", "301 Moved Permanently to https://else"),
        ("302 Found", [("Location", "/sign-in")], b"", "302 Found to /sign-in"),
        ("200 OK", [("Content-Type", "text/html")], PORTAL, "200 OK with an HTML page, which begins '<!doctype html>"),
        ("502 Bad Gateway", [("Content-Type", "text/html")], PORTAL, "502 Bad Gateway with an HTML page"),
        ("404 Not Found", [("Content-Type", "application/json")], b"[1]", "JSON that is no object"),
        ("200 OK", [("Content-Type", "application/json")], b"[1]", "JSON that is no object"),
        ("200 OK", [("Content-Type", "application/json")], b'{"jobs": [{"id": "0', "cut off"),
        ("200 OK", [("Content-Type", "application/json")], b'{"hello": 1}', "JSON that lacks"),
        ("200 OK", [("Content-Type", "text/plain")], b"fine", "with text/plain, which begins 'fine'"),
        ("204 No Content", [], b"", "without any content"),
        ("200 OK", [("Content-Type", "application/json"), ("Content-Length", "99")], b"{}", "broke before"),
    ],
)
def test_what_is_no_answer_of_tenfolds_is_told_with_the_address_and_what_came(
    status: str, headers: list[tuple[str, str]], body: bytes, says: str, tmp_path: Path
) -> None:
    def something_else(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(status, headers)
        return [body]

    image = tmp_path / "7.png"
    image.write_bytes(b"image")
    with served(something_else) as url, Client(url, retries=0) as client:
        asked = [
            client.jobs,
            client.models,
            client.recipes,
            client.health,
            lambda: client.job("a"),
            lambda: client.train("dropout-128"),
            lambda: client.classify(image),
            lambda: client.predict(image),
            lambda: client.promote("a"),
        ]
        for ask in asked:
            with pytest.raises((UnexpectedAnswer, ServerAway)) as told:
                ask()
            assert url in str(told.value)
            assert says in str(told.value)
        with pytest.raises((UnexpectedAnswer, ServerAway), match=url):
            client.dataset_preview("mnist")
        if status != "204 No Content":
            with pytest.raises((UnexpectedAnswer, ServerAway), match=url):
                client.delete_model("a")


def test_an_answer_that_is_compressed_wrongly_is_told_with_the_address() -> None:
    def broken(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Encoding", "gzip")])
        return [b"no gzip"]

    with served(broken) as url, Client(url, retries=0) as client, pytest.raises(ServerAway, match=url):
        client.jobs()


@pytest.mark.parametrize("address", ["digits:8000", "localhost", "ftp://digits", "http://", "http://[::1"])
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(ServerAway, match="not the address of a server"):
        Client(address)


def test_a_refusal_has_its_code_and_request_id(client: Client) -> None:
    with pytest.raises(ServerError) as refused:
        client.job("nosuch")

    assert refused.value.code == "job_not_found"
    assert refused.value.request_id == refused.value.problem["request_id"]


def test_a_download_that_is_refused_is_told_like_any_refusal(client: Client, tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="no job 'nosuch'"):
        client.download("/api/v1/jobs/nosuch/files/log.txt", tmp_path / "log.txt")


def test_the_key_is_sent_with_every_request(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(gateway) as url:
        with Client(url, key="tenfold_secret") as client:
            client.jobs()
        monkeypatch.setenv("TENFOLD_KEY", "tenfold_from_environment")
        with Client(url) as client:
            client.jobs()

    sent = [request["HTTP_AUTHORIZATION"] for request in gateway.requests]
    assert sent == ["Bearer tenfold_secret", "Bearer tenfold_from_environment"]


def test_more_jobs_than_a_page_holds_are_listed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenfold.client.client.MAX_ON_A_PAGE", 2)
    queued = [client.train("dropout-128", seed=seed).id for seed in range(5)]

    assert [job.id for job in client.jobs(limit=4)] == queued[:0:-1]
    assert len(client.jobs()) == 5


def test_more_models_than_a_page_holds_are_listed(
    client: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenfold.client.models.MAX_ON_A_PAGE", 2)
    for name in ("a", "b", "c", "d", "e"):
        add_model(services, name)

    assert [model["id"] for model in client.models()] == ["e", "d", "c", "b", "a"]


def test_a_model_is_promoted_rolled_back_and_deleted(client: Client, services: Services) -> None:
    add_model(services, "a")
    add_model(services, "b")
    client.promote("a")
    assert client.promote("b", reason="better")["reason"] == "better"

    with pytest.raises(ServerError, match="alias production names the model b"):
        client.delete_model("b")
    assert client.roll_back_alias("production")["model"] == client.model("production")["id"] == "a"
    client.delete_model("b")

    assert [model["id"] for model in client.models()] == ["a"]
    assert [alias["model"] for alias in client.aliases()] == [client.alias("production")["model"]] == ["a"]
    client.delete_alias("production", reason="retired")
    assert [change["model"] for change in client.alias_changes("production", limit=2)] == [None, "a"]


def add_model(services: Services, name: str) -> None:
    services.volume.model(name).mkdir()
    with services.database.write() as session:
        session.add(Model(id=name, recipe="custom", dataset="mnist", parameters={}, metrics={}, created_at=1.0))


def test_a_webhook_is_made_looked_at_and_removed(
    client: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenfold.client.webhooks.MAX_ON_A_PAGE", 2)
    webhook = client.add_webhook("https://example.org/hook", ["training"])
    ended = [client.train("dropout-128").cancel().id for _ in range(3)]

    assert webhook["secret"].startswith("whsec_")
    assert client.webhooks() == [client.webhook(webhook["id"])]
    assert [delivery["job"] for delivery in client.deliveries(webhook["id"])] == ended[::-1]
    assert len(client.deliveries(webhook["id"], limit=1)) == 1
    client.delete_webhook(webhook["id"])
    assert client.webhooks() == []


def test_workers_are_listed_with_what_they_do(client: Client, services: Services) -> None:
    task = Task("job", StepKind.TRAIN, 0, 1.0)
    services.registry.register(ProcessInfo("a", "worker", "here", 1, "0.1", 0.0, "CPU", 5, None, task))

    [worker] = client.workers()

    assert (worker["host"], worker["task"] and worker["task"]["job"]) == ("here", "job")


def test_a_job_that_has_not_succeeded_has_no_results(client: Client) -> None:
    job = client.train("dropout-128")

    with pytest.raises(JobFailed, match="queued; wait"):
        job.results()
    job.cancel()
    with pytest.raises(JobFailed, match="cancelled"):
        job.results()


def test_a_table_without_pandas_is_told_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)

    with pytest.raises(ImportError, match=r"pip install 'tenfold\[pandas\]'"):
        read_table(tmp_path / "history.csv")


def test_waiting_can_be_bounded(client: Client) -> None:
    with pytest.raises(TimeoutError, match="still queued"):
        client.train("dropout-128").wait(timeout_seconds=0.1)


def test_a_job_is_deleted(client: Client, services: Services) -> None:
    job = client.train("dropout-128").cancel()

    job.delete()

    assert jobs_of(services) == []


def test_health_is_told_part_by_part(client: Client) -> None:
    assert client.health()["checks"]["database"] == "ok"
    assert client.alive()
    assert client.ready()


@pytest.mark.parametrize(
    ("offered", "declaration", "besides"),
    [
        (options.TrainingOptions, TrainingParameters, {"recipe"}),
        (options.SweepOptions, SweepParameters, {"recipe", "space"}),
        (options.ClassificationOptions, ClassificationParameters, {"directory"}),
        (options.PredictionOptions, PredictionParameters, set()),
        (options.ImportOptions, ImportParameters, {"name"}),
        (options.ReviewOptions, ReviewParameters, {"classification"}),
        (options.ModelImportOptions, ModelImportParameters, {"input", "preprocessing"}),
    ],
)
def test_keywords_are_typed_as_the_declaration_types_them(
    offered: type, declaration: type[BaseModel], besides: set[str]
) -> None:
    declared = declaration.model_json_schema()["properties"]
    hints = get_type_hints(offered)

    assert hints.keys() == declared.keys() - besides
    for name, hint in hints.items():
        assert bare(TypeAdapter(hint).json_schema()) == bare(declared[name]), name


def bare(schema: dict[str, Any]) -> Any:
    """What values there can be, without bounds and words. None, and text in place of a list, are not told apart."""
    parts = [part for part in schema.get("anyOf", [schema]) if part.get("type") != "null"]
    lists = [part for part in parts if part.get("type") == "array"]
    [part] = lists or parts
    return (part.get("type"), part.get("enum"), bare(part["items"]) if "items" in part else None)


def test_documents_have_what_they_are_typed_to_have(client: Client) -> None:
    job = client.train("dropout-128")

    assert keys(documents.JobDocument) <= job.document.keys()
    assert keys(documents.Progress) <= job.document["progress"].keys()
    assert all(keys(documents.RecipeDocument) <= recipe.keys() for recipe in client.recipes())
    assert all(keys(documents.JobDocument) <= listed.document.keys() for listed in client.jobs())


def keys(document: type) -> frozenset[str]:
    required: frozenset[str] = document.__required_keys__  # type: ignore[attr-defined]
    return required


def test_a_job_knows_its_page(client: Client) -> None:
    job = client.train("dropout-128")

    assert isinstance(job, Job)
    assert job.page == f"{client.server}/jobs/{job.id}"

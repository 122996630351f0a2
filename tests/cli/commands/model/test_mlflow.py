"""A model that was logged to MLflow is loaded back from there, without Tenfold, and answers the same."""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from flask import Flask
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from onnx import numpy_helper

from tenfold.cli import run
from tenfold.cli.commands.model.exporting import MLFLOW_SETTINGS
from tenfold.client import Client
from tenfold.trainer.data.datasets import Dataset
from tenfold.web.local.supervisor import free_port
from tenfold.worker.services import Services
from tests.foreign_models import linear_onnx, onnx_file
from tests.linear_models import linear_model
from tests.web.served import Gateway, served


@pytest.fixture
def client(app: Flask) -> Iterator[Client]:
    with served(Gateway(app)) as url, Client(url, retries=2) as client:
        yield client


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture
def store(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of MLflow's database, in the directory where MLflow puts the files too."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for setting, value in MLFLOW_SETTINGS.items():
        monkeypatch.setenv(setting, value)
    return "sqlite:///own.db"


def test_an_exported_model_is_loaded_back_with_its_metrics_and_answers_the_same(
    client: Client, services: Services, mnist: Dataset, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow.keras
    import mlflow.pyfunc

    parameters = {"epochs": 2, "units": [], "learning_rate": 0.001, "patience": None}
    calibration = {"temperature": 1.25, "before": {"error": 0.04}, "after": {"error": 0.01}}
    linear_model(
        services,
        "linear",
        mnist,
        300,
        trained_on="scans 1/2.zip",
        parameters=parameters,
        calibration=calibration,
        versions={"keras": keras.__version__},
    )
    directory = services.volume.model("linear")
    with (directory / "history.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds"])
        table.writerows([[1, 0.9, 0.7, "", "", 0.25], [2, 0.6, 0.8, "", "", 0.5]])
    (directory / "model_card.md").write_text("# linear\n")

    exported = client.export_to_mlflow("linear", store)

    assert exported["model_uri"] == "models:/tenfold-scans 1-2.zip/1"
    tracked = MlflowClient(store)
    run = tracked.get_run(exported["run_id"])
    assert (run.info.status, run.info.run_name, run.info.end_time - run.info.start_time) == ("FINISHED", "linear", 750)
    assert run.data.params == {
        "epochs": "2",
        "units": "",
        "learning_rate": "0.001",
        "recipe": "custom",
        "dataset": "scans 1/2.zip",
    }
    losses = tracked.get_metric_history(run.info.run_id, "loss")
    assert [(loss.step, loss.value, loss.timestamp - run.info.start_time) for loss in losses] == [
        (1, 0.9, 250),
        (2, 0.6, 750),
    ]
    assert run.data.metrics["test_accuracy"] == 0.8
    assert run.data.metrics["calibration_error_after_scaling"] == 0.01
    assert {file.path for file in tracked.list_artifacts(run.info.run_id)} == {"history.csv", "model_card.md"}

    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    loaded = mlflow.keras.load_model(exported["model_uri"])
    images = (mnist.test_images / 255).astype(np.float32)
    original = keras.models.load_model(directory / "model.keras")
    assert (loaded.predict(images, verbose=0) == original.predict(images, verbose=0)).all()
    served_by_mlflow = mlflow.pyfunc.load_model(exported["model_uri"])
    assert served_by_mlflow.metadata.metadata["class_names"] == list("0123456789")
    assert (served_by_mlflow.predict(images) == loaded.predict(images, verbose=0)).all()


def test_an_exported_onnx_network_is_loaded_back_and_answers_the_same(
    client: Client, services: Services, model: str, mnist: Dataset, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow.onnx
    import mlflow.pyfunc

    directory = services.volume.model(model)
    network = linear_onnx(shape=("n", 28, 28))
    (directory / "model.keras").unlink()
    onnx_file(network, directory / "model.onnx")

    exported = client.export_to_mlflow(model, store)

    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    assert mlflow.onnx.load_model(exported["model_uri"]) == network
    images = (mnist.test_images[:50] / 255).astype(np.float32)
    weights = numpy_helper.to_array(network.graph.initializer[0])
    answers = mlflow.pyfunc.load_model(exported["model_uri"]).predict(images)["scores"]
    assert np.allclose(answers, images.reshape(50, -1) @ weights, atol=1e-5)


def test_the_command_exports_where_users_of_mlflow_expect_it_and_each_time_another_version(
    client: Client, model: str, store: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["--server", client.server, "model", "export", model, "--name", "digits", "--mlflow"]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)

    assert run([*command, "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["model_uri"] == "models:/digits/1"
    assert run([*command, store, "--experiment", "mine"]) == 0
    headline, where = capsys.readouterr().out.splitlines()

    assert headline == "models:/digits/2 is version 2 of digits"
    assert where.endswith("of the experiment mine at sqlite:///own.db")


def test_a_command_that_cannot_export_says_what_to_install_or_to_check(
    client: Client, model: str, store: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["--server", client.server, "model", "export", model, "--mlflow"]
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

    assert run([*command, f"http://me:secret@127.0.0.1:{free_port()}"]) == 1
    away = capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "mlflow", None)
    assert run(command) == 1
    missing = capsys.readouterr().err

    assert "Error: MLflow: " in away
    assert "secret" not in away
    assert missing.endswith("Error: The export to MLflow can't import mlflow: pip install 'tenfold[mlflow]'\n")


def test_a_run_that_mlflow_does_not_finish_is_marked_as_failed(client: Client, model: str, store: str) -> None:
    with pytest.raises(MlflowException, match="name"):
        client.export_to_mlflow(model, store, experiment="refused", name="a/b:c")

    tracked = MlflowClient(store)
    [run] = tracked.search_runs([tracked.get_experiment_by_name("refused").experiment_id])
    assert run.info.status == "FAILED"


def test_a_model_without_a_file_that_mlflow_loads_is_refused_before_a_run_begins(
    client: Client, services: Services, model: str, store: str
) -> None:
    (services.volume.model(model) / "model.keras").rename(services.volume.model(model) / "other")

    with pytest.raises(ValueError, match=r"neither model\.keras nor model\.onnx"):
        client.export_to_mlflow(model, store, experiment="empty")

    assert MlflowClient(store).get_experiment_by_name("empty") is None

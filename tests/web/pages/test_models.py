"""The registry's pages, and the removal of models by page and by API."""

import io
import zipfile

import pytest
from flask.testing import FlaskClient

from tenfold.trainer.data.datasets import Dataset
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.db.records import Model
from tenfold.worker.errors import UnknownModel
from tenfold.worker.services import Services
from tests.reviews import classified, digits, untrained_model
from tests.uploads import received, zipped

FIGURES = {
    "test_accuracy": 0.98,
    "test_images": 10_000,
    "parameter_count": 101_770,
    "calibration": {"after": {"error": 0.0045}},
}


def keep(services: Services, model_id: str, *, trial: bool = False) -> None:
    """A model in the registry; the first is in production."""
    directory = services.volume.model(model_id)
    directory.mkdir()
    (directory / "model.keras").write_bytes(b"0123456789")
    with services.database.write() as session:
        session.add(
            Model(
                id=model_id,
                recipe="cnn",
                dataset="mnist",
                parameters={},
                metrics=FIGURES,
                created_at=1.0,
                trial=trial,
            )
        )
    if services.models.in_production() is None and not trial:
        services.aliases.promote(model_id, who=None)


def test_a_model_is_shown_with_its_figures_and_how_sure_they_are(api: FlaskClient, services: Services) -> None:
    keep(services, "model-1")

    for page in (api.get("/models").text, api.get("/models/model-1").text):
        assert "98.00\xa0%" in page
        assert "97.71 to 98.26" in page
        assert "0.45\xa0%" in page
        assert "101,770" in page
        assert "10 Bytes" in page
        assert "</span>production</a>" in page


def test_models_are_listed_a_page_at_a_time_without_the_trials_of_sweeps(api: FlaskClient, services: Services) -> None:
    for number in range(26):
        keep(services, f"model-{number:02d}", trial=number == 25)

    newest = api.get("/models").text

    assert "/models/model-25" not in newest
    assert "/models/model-24" in newest
    assert "/models/model-00" not in newest
    assert "/models/model-00" in api.get("/models?cursor=model-01").text
    assert "/models/model-25" in api.get("/models?trials=yes").text


def test_exports_are_offered_where_there_are_any(api: FlaskClient, services: Services) -> None:
    keep(services, "model-1")
    keep(services, "model-2")
    directory = services.volume.model("model-1")
    (directory / "model.onnx").write_bytes(b"onnx")
    (directory / "savedmodel" / "variables").mkdir(parents=True)
    (directory / "savedmodel" / "saved_model.pb").write_bytes(b"graph")
    (directory / "savedmodel" / "variables" / "variables.index").write_bytes(b"index")

    page = api.get("/models/model-1").text
    packed = api.get("/models/model-1/savedmodel.zip")

    assert "/api/v1/models/model-1/files/model.onnx" in page
    assert "/api/v1/models/model-1/files/model.tflite" not in page
    assert "/models/model-1/savedmodel.zip" in page
    with zipfile.ZipFile(io.BytesIO(packed.data)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "savedmodel/saved_model.pb": b"graph",
            "savedmodel/variables/variables.index": b"index",
        }
    assert "/models/model-2/savedmodel.zip" not in api.get("/models/model-2").text
    assert api.get("/models/model-2/savedmodel.zip").status_code == 404


@pytest.mark.parametrize("way", ["page", "api"])
def test_a_model_is_deleted_with_its_files_unless_an_alias_names_it(
    api: FlaskClient, services: Services, way: str
) -> None:
    keep(services, "model-1")
    keep(services, "model-2")

    if way == "page":
        assert "Delete permanently" not in api.get("/models/model-1").text
        refused = api.post("/models/model-1/delete")
        services.aliases.promote("model-2", who=None)
        assert api.post("/models/model-1/delete").location == "/models"
    else:
        refused = api.delete("/api/v1/models/production")
        services.aliases.promote("model-2", who=None)
        assert api.delete("/api/v1/models/model-1").status_code == 204
    assert refused.status_code == 409
    assert "The alias production names the model model-1." in refused.text

    with pytest.raises(UnknownModel):
        services.models.get("model-1")
    assert not services.volume.model("model-1").exists()
    assert api.get("/models/model-1").status_code == 404
    assert api.delete("/api/v1/models/model-1").status_code == 404


def test_a_model_that_an_unfinished_job_needs_is_kept(api: FlaskClient, services: Services, mnist: Dataset) -> None:
    keep(services, "model-1")
    keep(services, "model-2")
    upload = received(services, zipped(digits(mnist, 3)), "scans.zip")
    job = submit_classification(services, ClassificationParameters(), upload)

    services.aliases.promote("model-2", who=None)
    refused = api.delete("/api/v1/models/model-1")

    assert refused.status_code == 409
    assert job.id in refused.json["detail"]
    assert "Delete permanently" not in api.get("/models/model-1").text
    services.jobs.cancel(job.id)
    assert api.delete("/api/v1/models/model-1").status_code == 204


def test_a_review_outlives_its_model(api: FlaskClient, services: Services, mnist: Dataset) -> None:
    model = untrained_model(services)
    job = classified(services, digits(mnist, 3))
    assert api.put(f"/api/v1/jobs/{job.id}/review/0", json={"label": "7"}).status_code == 200

    services.aliases.delete("production", who=None)
    assert api.delete(f"/api/v1/models/{model}").status_code == 204

    assert api.get(f"/api/v1/jobs/{job.id}/review").json["classes"] == list("0123456789")
    assert api.put(f"/api/v1/jobs/{job.id}/review/1", json={"label": "2"}).status_code == 200
    assert api.get(f"/jobs/{job.id}").status_code == 200
    assert api.get(f"/jobs/{job.id}/review").status_code == 200


def test_a_model_s_page_and_the_form_say_what_is_accepted_or_why_nothing_is(
    api: FlaskClient, services: Services
) -> None:
    keep(services, "model-1")

    page, form = api.get("/models/model-1").text, api.get("/classify").text

    assert "Maximum error rate 0.5&nbsp;%:</strong> No answers are accepted, all must be reviewed" in page
    assert "the error rate of this model was not measured" in form

    measured = {"thresholds": [0.99, 0.0], "expected": [4000, 5000], "accepted": [4000, 5000], "wrong": [0, 100]}
    with services.database.write() as session:
        kept = session.get(Model, "model-1")
        assert kept is not None
        kept.metrics = FIGURES | {"calibration": {"after": {"error": 0.0045}, "acceptance": measured}}

    assert (
        "80.0&nbsp;% of the answers are accepted, those with more than 99.00&nbsp;% confidence"
        in api.get("/models/model-1").text
    )
    assert "No answers are accepted" not in api.get("/classify").text

"""The pages as they are without JavaScript, and forms made from the declarations."""

import io

import pytest
from flask.testing import FlaskClient

from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.web.core.forms import Choice, form_fields
from tenfold.worker.services import Services
from tests.web.conftest import zip_bytes


def test_every_parameter_has_an_input_with_its_bounds_and_help() -> None:
    choices = {"dataset": [Choice("mnist", "MNIST")]}

    fields = {field.name: field for field in form_fields(TrainingParameters, choices=choices, values={})}

    assert list(fields) == list(TrainingParameters.model_fields)
    assert (fields["epochs"].kind, fields["epochs"].minimum, fields["epochs"].maximum) == ("number", 1, 1000)
    assert fields["dataset"].kind == "select"
    assert fields["seed"].value == "1"
    assert all(field.title and field.description for field in fields.values())


def test_a_form_shows_what_was_entered_and_what_was_wrong_with_it() -> None:
    errors = [{"field": "epochs", "message": "too many"}]
    choices = {"recipe": [Choice("a", "A"), Choice("b", "B")]}

    fields = form_fields(TrainingParameters, choices=choices, values={"epochs": "5000"}, errors=errors)

    entered = {field.name: (field.value, field.error) for field in fields}
    assert entered["epochs"] == ("5000", "too many")
    assert entered["seed"] == ("1", None)


@pytest.mark.parametrize("path", ["/", "/train", "/classify", "/predict", "/models"])
def test_pages_without_any_job_say_where_to_begin(api: FlaskClient, path: str) -> None:
    response = api.get(path)

    assert response.status_code == 200
    assert "/train" in response.text
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]


def test_a_training_is_submitted_by_form_with_empty_fields_left_to_the_recipe(
    api: FlaskClient, services: Services
) -> None:
    response = api.post("/train", data={"recipe": "dense-128-64", "epochs": "3", "learning_rate": ""})

    [job] = services.jobs.list()
    assert response.status_code == 303
    assert response.location == f"/jobs/{job.id}"
    assert job.parameters["epochs"] == 3
    assert job.parameters["learning_rate"] == 0.001


def test_a_bad_form_comes_back_with_its_values_and_the_reason(api: FlaskClient, services: Services) -> None:
    response = api.post("/train", data={"recipe": "dense-128-64", "epochs": "0"})

    assert response.status_code == 422
    assert "greater than or equal to 1" in response.text
    assert 'value="dense-128-64" checked' in response.text
    assert not services.jobs.list()


def test_a_zip_is_submitted_by_form(api: FlaskClient, services: Services, model: str) -> None:
    form = {"file": (io.BytesIO(zip_bytes("1.png")), "digits.zip"), "model": "", "normalize": "auto"}

    response = api.post("/classify", data=form)

    [job] = services.jobs.list()
    assert response.location == f"/jobs/{job.id}"
    assert job.parameters["model"] == [model]


def test_a_bad_zip_brings_the_form_back_with_the_reason(api: FlaskClient, services: Services, model: str) -> None:
    response = api.post("/classify", data={"file": (io.BytesIO(b"text"), "digits.zip")})

    assert response.status_code == 422
    assert "not a readable zip, tar or image" in response.text
    assert not list(services.volume.uploads.iterdir())


def test_a_file_name_is_shown_as_text(api: FlaskClient, services: Services, model: str) -> None:
    form = {"file": (io.BytesIO(zip_bytes("1.png")), "<script>alert(1)</script>.zip")}
    location = api.post("/classify", data=form).location

    page = api.get(location).text

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_job_is_cancelled_retried_and_deleted_by_buttons(api: FlaskClient, services: Services) -> None:
    location = api.post("/train", data={"recipe": "dropout-128"}).location

    assert "Cancel" in api.get(location).text
    api.post(f"{location}/cancel")
    assert "cancelled" in api.get(location).text
    api.post(f"{location}/retry")
    assert "queued" in api.get(location).text
    api.post(f"{location}/cancel")
    assert api.post(f"{location}/delete").location == "/jobs"
    assert api.get(location).status_code == 404


def test_an_unknown_page_is_a_page(api: FlaskClient) -> None:
    response = api.get("/no-such-page")

    assert response.status_code == 404
    assert "<h1" in response.text

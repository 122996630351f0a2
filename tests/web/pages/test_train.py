"""The Train page: recipe cards with drawings and measured figures, and what the form amounts to."""

import re
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient

from tenfold.trainer.architecture.layers import in_words, stages
from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.architecture.recipes import RECIPES
from tenfold.web.pages.charts.layers import draw_layers
from tenfold.worker.db.records import Model
from tenfold.worker.services import Services


def outcome(page: str) -> str:
    """The text of the section that says what will be trained, on one line."""
    texts: list[str] = []
    parser = HTMLParser()
    parser.handle_data = texts.append  # type: ignore[method-assign]
    parser.feed(page.split('id="outcome"')[1].split("<button")[0])
    return " ".join(" ".join(texts).split())


def keep(services: Services, model_id: str, accuracy: float, **parameters: object) -> None:
    resolved = TrainingParameters.model_validate(parameters).resolved()
    with services.database.write() as session:
        session.add(
            Model(
                id=model_id,
                recipe=resolved.recipe,
                dataset=resolved.dataset,
                parameters=resolved.model_dump(mode="json"),
                metrics={"test_accuracy": accuracy, "seconds": 7.5, "parameter_count": 1},
                created_at=1.0,
            )
        )


def test_the_stages_of_a_net_are_told_without_building_it() -> None:
    plan = Plan(filters=(16, 32), convolutions=2, units=(128,), dropout=0.5, batch_normalization=True)

    found = [(stage.kind, stage.width, stage.side) for stage in stages(plan, classes=3)]

    assert found == [
        ("image", 1, 28),
        ("convolutions", 16, 14),
        ("convolutions", 32, 7),
        ("dense", 128, 1),
        ("outputs", 3, 1),
    ]
    assert in_words(Plan(units=(64,), dropout=0.2), classes=10) == (
        "28×28 image → dense 64 (relu, dropout 0.2) → 10 outputs (softmax)"
    )


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_has_a_drawing_within_its_frame(name: str) -> None:
    drawing = draw_layers(RECIPES[name].plan)

    for column in drawing.columns:
        for box in column.boxes:
            assert box.x >= 0
            assert box.x + box.width <= drawing.width
            assert 0 <= box.y < box.y + box.height <= 72
    assert len(drawing.columns) == len(stages(RECIPES[name].plan, classes=10))


def test_a_net_of_many_large_layers_is_drawn_within_its_frame() -> None:
    drawing = draw_layers(Plan(filters=(1, 1, 1, 1), units=(8192, *(1 for _ in range(9)))), classes=200)

    assert all(box.y >= 0 and box.y + box.height <= 72 for column in drawing.columns for box in column.boxes)


def test_each_recipe_is_a_card_that_can_be_chosen(api: FlaskClient) -> None:
    page = api.get("/train").text

    assert re.findall(r'type="radio" name="recipe" id="[^"]+" value="([^"]+)"', page) == list(RECIPES)
    assert page.count('<svg class="layers" role="img"') == len(RECIPES) + 1
    assert 'value="dropout-128" checked' in page


def test_a_card_has_the_figures_of_the_newest_model_that_follows_its_recipe(
    api: FlaskClient, services: Services
) -> None:
    keep(services, "model-1", 0.91, recipe="dense-128-64")
    keep(services, "model-2", 0.92, recipe="dense-128-64", seed=2)
    keep(services, "model-3", 0.93, recipe="dense-128-64", epochs=1)
    keep(services, "model-4", 0.94, recipe="dense-128-64", dataset="fashion-mnist")

    page = api.get("/train").text

    assert re.findall(r"([\d.]+)\xa0% here in ([\d.]+) s", page) == [("92.00", "7.5")]


def test_the_page_says_what_will_be_trained_and_what_differs_from_the_recipe(api: FlaskClient) -> None:
    page = api.get("/train?recipe=custom&units=300,100&epochs=3&dropout=").text

    assert "Custom network on mnist" in outcome(page)
    assert f"{Plan(units=(300, 100)).parameter_count(10):,}" in outcome(page)
    assert "Dense units: instead of 128 300,100 Epochs: instead of 10 3" in outcome(page)
    assert '<details class="mb-3" open>' in page


def test_an_empty_field_shows_what_the_recipe_has(api: FlaskClient) -> None:
    page = api.get("/train?recipe=rmsprop-512").text

    assert re.search(r'id="epochs"[^>]*\n[^>]*\n[^>]*placeholder="5"', page)
    assert "Recipe default: rmsprop" in page


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("epochs=0", "epochs", "greater than or equal to 1"),
        ("units=abc", "units", "valid integer"),
        ("early_stopping=3", "early_stopping", "needs validation=split"),
        ("dataset=gone", "dataset", "does not exist"),
    ],
)
def test_a_wrong_value_is_told_beside_its_field_before_anything_is_submitted(
    api: FlaskClient, query: str, field: str, message: str
) -> None:
    response = api.get(f"/train?{query}")

    assert response.status_code == 200
    [told] = re.findall(rf'id="{field}-error" aria-live="polite">([^<]+)<', response.text)
    assert message in told
    assert "Not submitted" not in response.text


def test_what_is_wrong_with_the_whole_is_told_where_the_outcome_would_be(api: FlaskClient) -> None:
    page = api.get("/train?units=8000,8000").text

    assert "Invalid combination: this network would have 70,368,010 parameters" in outcome(page)


def test_a_model_is_fine_tuned_from_its_own_form(api: FlaskClient, services: Services) -> None:
    """Without recipes and without what defines the network; the usual values are those of the model."""
    keep(services, "m1", 0.9712, recipe="cnn", epochs=3)
    services.volume.model("m1").mkdir()
    (services.volume.model("m1") / "model.keras").touch()
    assert '<option value="m1">cnn on mnist, 97.12 % test accuracy' in api.get("/train").text

    page = api.get("/train?from_model=m1&dataset=fashion-mnist&freeze=convolutions").text

    assert 'type="radio"' not in page
    assert 'name="units"' not in page
    assert re.search(r'name="epochs"[^>]*placeholder="3"', page, re.DOTALL)
    told = outcome(page)
    assert "Fine-tuning of cnn on mnist on fashion-mnist" in told
    assert "Frozen layers convolutions" in told
    assert "Optimizer adam, 0.002" in told, "the whole rate: the classes are new"
    assert "Optimizer adam, 0.0006" in outcome(api.get("/train?from_model=m1").text), "less for known classes"

    queued = api.post("/train", data={"from_model": "m1", "dataset": "fashion-mnist", "epochs": "", "freeze": "none"})

    job = services.jobs.get(queued.headers["Location"].rpartition("/")[2])
    assert (job.parameters["from_model"], job.parameters["recipe"], job.parameters["epochs"]) == ("m1", "cnn", 3)
    assert job.parameters["learning_rate"] == 0.002


def test_the_form_of_a_model_begins_with_a_data_set_that_it_takes(api: FlaskClient, services: Services) -> None:
    keep(services, "m1", 0.9712, recipe="cnn", dataset="fashion-mnist")
    services.volume.model("m1").mkdir()
    (services.volume.model("m1") / "model.keras").touch()

    page = api.get("/train?from_model=m1").text

    assert '<option value="fashion-mnist" selected>' in page
    assert '<option value="mnist" selected>' in api.get("/train?from_model=m1&dataset=mnist").text


def test_a_model_that_is_gone_is_told_above_the_recipes(api: FlaskClient) -> None:
    page = api.get("/train?from_model=nobody").text

    assert "&#39;nobody&#39;; `tenfold model list` shows" in page
    assert 'type="radio"' in page


def test_a_sweep_from_a_model_needs_no_recipe(api: FlaskClient, services: Services) -> None:
    keep(services, "m1", 0.9712, recipe="cnn")
    services.volume.model("m1").mkdir()
    (services.volume.model("m1") / "model.keras").touch()
    assert '<option value="m1" selected>' in api.get("/sweep?from_model=m1").text

    queued = api.post("/sweep", data={"recipe": "dropout-128", "from_model": "m1", "space": "freeze=none|convolutions"})

    job = services.jobs.get(queued.headers["Location"].rpartition("/")[2])
    assert (job.parameters["from_model"], job.parameters["recipe"]) == ("m1", "cnn")

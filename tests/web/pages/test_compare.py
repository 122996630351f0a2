"""Comparing trainings, and the leaderboard to pick them from."""

import csv
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from tenfold.web.pages.compare.leaderboard import MAX_SORTED, ON_A_PAGE
from tenfold.worker.db.records import Job, Model
from tenfold.worker.services import Services

PLAIN = {"recipe": "dropout-128", "dataset": "mnist", "seed": 1, "units": [128], "dropout": 0.2, "epochs": 2}


def add(services: Services, *models: Model) -> None:
    with services.database.write() as session:
        session.add_all(models)


def trained(number: int, **values: Any) -> Model:
    """A model in the registry, the better the higher its number."""
    metrics = {
        "test_accuracy": 0.9 + number / 10_000,
        "test_loss": 0.5 - number / 10_000,
        "seconds": 10.0 + number,
        "parameter_count": 1000 + number,
        "epochs": 2,
    }
    given: dict[str, Any] = {"recipe": "dropout-128", "dataset": "mnist", "parameters": PLAIN, "metrics": metrics}
    return Model(id=f"model-{number:05d}", created_at=1e9 + number, **(given | values))


def write_history(services: Services, model: str, accuracies: list[float]) -> None:
    directory = services.volume.model(model)
    directory.mkdir()
    with (directory / "history.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds"])
        table.writerows(
            [epoch, 0.3, accuracy, 0.4, accuracy - 0.01, 1.0] for epoch, accuracy in enumerate(accuracies, 1)
        )


def listed(page: str) -> list[str]:
    return re.findall(r'id="run-(model-\d+)"', page)


def test_without_models_the_page_says_where_to_begin(api: FlaskClient) -> None:
    page = api.get("/compare").text

    assert "No successful trainings yet" in page
    assert "/train" in page


def test_the_leaderboard_has_the_best_first_and_sorts_by_any_column(api: FlaskClient, services: Services) -> None:
    add(services, trained(2), trained(1, recipe="cnn"), trained(3), trained(4, metrics={"test_accuracy": 0.5}))

    def order(sort: str) -> list[int]:
        return [int(model[-1]) for model in listed(api.get(f"/compare?sort={sort}").text)]

    assert order("-accuracy") == order("") == order("nonsense") == [3, 2, 1, 4]
    assert order("accuracy") == [4, 1, 2, 3]
    assert order("-recipe") == [4, 3, 2, 1]
    assert order("loss") == order("-parameters") == [3, 2, 1, 4]
    assert order("seconds") == [1, 2, 3, 4]
    assert order("-seconds") == [3, 2, 1, 4]
    assert order("-created_at") == [4, 3, 2, 1]
    assert "selection bias" in api.get("/compare").text


def test_a_column_says_how_it_is_sorted_and_sorts_the_other_way_next(api: FlaskClient, services: Services) -> None:
    add(services, trained(1))

    page = api.get("/compare").text

    assert page.count("aria-sort") == 1
    assert 'aria-sort="descending"><a class="link-body-emphasis" href="/compare?sort=validation#leaderboard"' in page
    assert "/compare?sort=loss#leaderboard" in page


def test_validation_accuracy_comes_before_test_accuracy(api: FlaskClient, services: Services) -> None:
    def validated(number: int, accuracy: float, validation: str = "split") -> Model:
        model = trained(number, parameters=PLAIN | {"validation": validation})
        model.metrics |= {"val_accuracy": accuracy}
        return model

    add(services, trained(9), trained(8), validated(1, 0.95), validated(2, 0.97), validated(3, 0.99, "test"))

    assert [int(model[-1]) for model in listed(api.get("/compare").text)] == [2, 1, 9, 8, 3]


def test_the_leaderboard_says_what_a_test_accuracy_is_worth_after_many_looks(
    api: FlaskClient, services: Services
) -> None:
    def tested(number: int, **values: Any) -> Model:
        model = trained(number, **values)
        model.metrics |= {"test_images": 10_000}
        return model

    add(services, *(tested(number) for number in range(10)), tested(10, dataset="fashion-mnist"))

    page = api.get("/compare").text

    assert "10 models have been scored on the 10,000 test images of mnist" in page
    assert "up to 0.46 points better" in page
    assert "test images of fashion-mnist" not in page


def test_the_leaderboard_is_filtered(api: FlaskClient, services: Services) -> None:
    add(services, trained(1), trained(2, recipe="cnn"), trained(3, dataset="fashion-mnist"), trained(4, trial=True))

    assert listed(api.get("/compare?recipe=cnn").text) == ["model-00002"]
    assert listed(api.get("/compare?dataset=fashion-mnist").text) == ["model-00003"]
    assert "model-00004" not in listed(api.get("/compare?trials=hidden").text)
    assert "No matching trainings" in api.get("/compare?recipe=dense-128-64").text


def test_a_long_leaderboard_is_leafed_through_and_keeps_what_was_picked(api: FlaskClient, services: Services) -> None:
    add(services, *(trained(number) for number in range(MAX_SORTED + 30)))
    found: list[str] = []
    address: str | None = "/compare?run=model-01000&sort=seconds"

    for _ in range(3):
        assert address
        page = api.get(address).text
        assert len(listed(page)) == ON_A_PAGE
        assert re.search(r'name="run" value="model-01000"', page)
        found += listed(page)
        further = re.search(r'href="([^"]+)">Next page', page)
        address = further and further[1].replace("&amp;", "&")

    assert found == [f"model-{number:05d}" for number in range(30, 30 + 3 * ON_A_PAGE)]
    assert "the newest 1,000 are sorted" in api.get("/compare").text


def test_runs_are_compared_by_curves_figures_and_parameters(api: FlaskClient, services: Services) -> None:
    add(services, trained(1), trained(2, parameters=PLAIN | {"dropout": 0.5, "units": [64, 32]}))
    write_history(services, "model-00001", [0.8, 0.9])
    write_history(services, "model-00002", [0.7, 0.95])

    page = api.get("/compare?run=model-00001&run=model-00002").text

    assert "Compare 2 trainings" in page
    assert "A dropout-128, epoch 2: 89.00 %" in page
    assert "B dropout-128, epoch 2: 95.00 %" in page
    assert re.search(r'fw-semibold">90\.02 % <span[^>]*>best', page)
    assert "2 differ." in page
    assert page.count('<tr class="differs">') == 2
    assert "64,32" in page


def test_only_the_differences_are_shown_where_that_is_asked(api: FlaskClient, services: Services) -> None:
    add(services, trained(1), trained(2, parameters=PLAIN | {"dropout": 0.5}), trained(3))

    def rows(address: str) -> list[str]:
        table = api.get(address).text.partition('id="parameters"')[2].partition("</table>")[0]
        return re.findall(r'<th scope="row">([\w ]+)', table)

    pair = "/compare?run=model-00001&run=model-00002"
    assert len(rows(pair)) == len(PLAIN)
    assert [name.strip() for name in rows(f"{pair}&only=differences")] == ["Dropout"]
    alike = api.get("/compare?run=model-00001&run=model-00003&only=differences").text
    assert "No differences" in alike


def test_figures_of_other_data_are_not_called_better(api: FlaskClient, services: Services) -> None:
    add(services, trained(1), trained(2, parameters=PLAIN | {"dataset": "fashion-mnist"}, dataset="fashion-mnist"))

    figures = api.get("/compare?run=model-00001&run=model-00002").text.partition("</table>")[0]

    assert "90.01 %" in figures
    assert figures.count("best") == 1
    assert re.search(r"1,001 <span[^>]*>best", figures)


def test_more_runs_than_can_be_told_apart_are_left_out_with_a_word(api: FlaskClient, services: Services) -> None:
    add(services, *(trained(number) for number in range(10)))

    page = api.get("/compare?" + "&".join(f"run=model-{number:05d}" for number in range(10))).text

    assert "at most 8 trainings" in page
    assert "2 are not" in page
    assert "Compare 8 trainings" in page


def test_a_training_that_still_runs_is_compared_by_what_it_has(api: FlaskClient, services: Services) -> None:
    add(services, trained(1))
    job = api.post("/api/v1/trainings", json={"recipe": "cnn"}).json["id"]
    history = [{"epoch": 1, "loss": 0.4, "accuracy": 0.88, "val_loss": 0.3, "val_accuracy": 0.91, "seconds": 7.5}]
    with services.database.write() as session:
        session.get_one(Job, job).detail = {"history": history}

    page = api.get(f"/compare?run={job}&run=model-00001").text

    assert "on mnist, queued" in page
    assert "A cnn, epoch 1: 91.00 %" in page
    assert "7.5 s" in page


@pytest.mark.parametrize("run", ["nosuch", "<script>alert(1)</script>"])
def test_what_is_no_training_is_named_and_the_others_are_compared(
    api: FlaskClient, services: Services, run: str
) -> None:
    add(services, trained(1))

    page = api.get("/compare", query_string={"run": [run, "model-00001"]}).text

    assert "does not exist or was deleted" in page
    assert "<script>alert" not in page
    assert "Select more trainings" in page


def test_a_model_whose_job_is_deleted_is_listed_without_a_link(api: FlaskClient, services: Services) -> None:
    add(services, trained(1))

    page = api.get("/compare?run=model-00001").text

    assert "model-00001" in page
    assert "/jobs/model-00001" not in page

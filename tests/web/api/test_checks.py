"""Checks of the labels of data sets: queued by API, looked at and corrected on the page."""

import csv
from dataclasses import replace

import numpy as np
from flask.testing import FlaskClient

from tenfold.trainer.data.datasets import Dataset, load_dataset
from tenfold.worker.datasets.versions import MAX_CORRECTIONS
from tenfold.worker.db.states import JobState
from tenfold.worker.services import Services
from tests.conftest import write_dataset
from tests.reviews import work_off


def test_wrong_labels_are_found_and_corrected_in_a_new_data_set(
    api: FlaskClient, services: Services, mnist: Dataset
) -> None:
    few = mnist.head(1000, 500)
    labels = few.train_labels.copy()
    planted = np.arange(0, 1000, 50)
    labels[planted] = (labels[planted] + 3) % 10
    write_dataset(replace(few, train_labels=labels), services.volume.dataset("few"))

    job = services.jobs.get(api.post("/api/v1/checks", json={"dataset": "few"}).json["id"])
    job = work_off(services, job)

    assert job.state is JobState.SUCCEEDED, job.error
    assert job.summary is not None
    assert f"{job.summary['suspected_labels']} of 1,500 labels of few are suspected" in job.summary["conclusion"]
    with (services.volume.job(job.id) / "suspects.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == job.summary["suspected_labels"]
    first = [int(row["index"]) for row in rows[:10] if row["part"] == "train"]
    assert len(set(first) & set(planted.tolist())) >= len(first) // 2
    found = next(row for row in rows if int(row["index"]) in planted)
    address, field = f"/jobs/{job.id}/suspects", f"train-{found['index']}"
    page = api.get(address).text
    assert f'name="{field}"' in page
    assert "Choose another label" in api.post(address, data={"name": "mended", field: ""}).text

    made = api.post(address, data={"name": "mended", field: f"={few.train_labels[int(found['index'])]}"})

    assert made.status_code == 303
    assert "1 image with another label" in api.get(made.headers["Location"]).text
    mended = load_dataset("mended", services.volume.datasets)
    assert mended.train_labels[int(found["index"])] == few.train_labels[int(found["index"])]
    again = api.post(
        "/api/v1/datasets/few/versions",
        json={"name": "mended", "corrections": [{"part": "train", "index": 1, "label": None}]},
    )
    assert (again.status_code, again.json["errors"][0]["field"]) == (422, "name")


def test_as_many_corrections_are_taken_as_the_document_says(api: FlaskClient) -> None:
    corrections = [{"part": "train", "index": index, "label": "l" * 255} for index in range(MAX_CORRECTIONS)]

    refused = api.post("/api/v1/datasets/nosuch/versions", json={"name": "new", "corrections": corrections})

    assert refused.json["code"] == "dataset_not_found"

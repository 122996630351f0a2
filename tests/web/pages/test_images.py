"""The pages on which a person looks through the images of a classification, with a worker that runs in this process."""

import io
import re
import tarfile
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from tenfold.trainer.data.datasets import Dataset
from tenfold.web.pages.images import image as image_page
from tenfold.web.pages.images import list as image_list
from tenfold.worker.classification.image_index.building import index_images
from tenfold.worker.classification.image_index.index import ImageIndex, ImageQuery, Order
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.results import ROWS, SHADOW
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.db.records import Job
from tenfold.worker.services import Services
from tests.reviews import classified, classified_archive, digits, untrained_model, work_off
from tests.waiting import PATIENCE_SECONDS

COUNT = 12


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenfold.web.pages.images.index.PATIENCE_SECONDS", PATIENCE_SECONDS)


@pytest.fixture
def job(services: Services, mnist: Dataset) -> Job:
    """A classification of twelve digits with one that is no image, and a manifest that speaks of one."""
    untrained_model(services)
    files = {f"{mnist.test_labels[n]}/{name}": data for n, (name, data) in enumerate(digits(mnist, COUNT).items())}
    files |= {"broken.png": b"<svg><script>alert(1)</script></svg>", "manifest.csv": _manifest(files)}
    found = classified(services, files, review_below=0.15)
    assert found.error is None
    return found


def _manifest(files: dict[str, bytes]) -> bytes:
    return "".join(["name,page\n", *(f"{name},page {at}\n" for at, name in enumerate(files))]).encode()


def look(api: FlaskClient, job: Job, **query: Any) -> Any:
    return api.get(f"/jobs/{job.id}/images", query_string=query)


def rows_on(html: str) -> list[int]:
    """The rows of the thumbnails, in their order."""
    return [int(row) for row in re.findall(r'href="/jobs/[^/"]+/images/(\d+)', html.partition("thumbnails")[2])]


def results(services: Services, job: Job) -> list[dict[str, Any]]:
    with ImageIndex(services.volume.images(job.id)) as images:
        return [image.__dict__ for image in images.page(ImageQuery(), None, 100)]


def test_all_images_are_there_in_the_order_of_the_archive(api: FlaskClient, services: Services, job: Job) -> None:
    html = look(api, job).text

    assert sorted(set(rows_on(html))) == list(range(COUNT + 1))
    assert "13 images" in html
    assert [image["name"] for image in results(services, job)][-1] == "broken.png"


def test_images_are_found_by_what_became_of_them(api: FlaskClient, services: Services, job: Job) -> None:
    look(api, job)
    images = results(services, job)

    for query, fits in (
        ({"status": "wrong"}, lambda image: image["prediction"] not in (None, image["true_label"])),
        ({"status": "right"}, lambda image: image["prediction"] == image["true_label"] is not None),
        ({"status": "error"}, lambda image: image["error_kind"] is not None),
        ({"status": "review"}, lambda image: image["accepted"] is False),
        ({"status": "accepted"}, lambda image: image["accepted"] is True),
        ({"true_label": "1"}, lambda image: image["true_label"] == "1"),
        ({"prediction": images[0]["prediction"]}, lambda image: image["prediction"] == images[0]["prediction"]),
        ({"q": "00"}, lambda image: "00" in image["name"]),
        ({"q": "_"}, lambda image: "_" in image["name"]),
        ({"min_confidence": "0", "max_confidence": "15"}, lambda image: (image["confidence"] or 1) <= 0.15),
        ({"min_confidence": "15"}, lambda image: image["confidence"] is not None and image["confidence"] >= 0.15),
    ):
        found = list(dict.fromkeys(rows_on(look(api, job, **query).text)))
        assert found == [image["row"] for image in images if fits(image)], query


def test_pages_follow_each_other_to_the_end_in_every_order(
    api: FlaskClient, services: Services, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_list, "IMAGES_ON_A_PAGE", 5)

    for order in Order:
        seen = rows_of_all_pages(api, f"/jobs/{job.id}/images?order={order.value}")
        ordered = sorted(results(services, job), key=lambda image: (image["confidence"] or -1, image["row"]))
        by_confidence = [image["row"] for image in ordered]
        assert (
            seen
            == {
                Order.ROW: list(range(COUNT + 1)),
                Order.LEAST_CONFIDENT: by_confidence,
                Order.MOST_CONFIDENT: by_confidence[::-1],
            }[order]
        )


def rows_of_all_pages(api: FlaskClient, address: str | None) -> list[int]:
    seen: list[int] = []
    while address:
        html = api.get(address).text
        seen += dict.fromkeys(rows_on(html))
        following = re.search(r'rel="next" href="([^"]+)"', html)
        address = following and following[1].replace("&amp;", "&")
    return seen


def test_what_cannot_be_looked_for_is_said_and_all_images_are_shown(api: FlaskClient, job: Job) -> None:
    response = look(api, job, min_confidence="90", max_confidence="10")

    assert response.status_code == 422
    assert "greater than the maximum" in response.text
    assert look(api, job, status="odd").status_code == 422
    assert "No matching images" in look(api, job, q="nowhere").text


def test_a_thumbnail_is_a_picture_that_can_run_and_load_nothing(api: FlaskClient, job: Job, mnist: Dataset) -> None:
    look(api, job)

    response = api.get(f"/jobs/{job.id}/images/0/picture")

    assert response.mimetype == "image/png"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(response.data))), mnist.test_images[0])
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert api.get(f"/jobs/{job.id}/images/{COUNT}/picture").status_code == 404
    assert api.get(f"/jobs/{job.id}/images/{COUNT}/picture?large=1").status_code == 404


def test_one_image_is_shown_with_all_that_is_known_of_it(api: FlaskClient, services: Services, job: Job) -> None:
    html = api.get(f"/jobs/{job.id}/images/3").text

    assert results(services, job)[3]["name"] in html
    assert "page 3" in html
    assert f"{results(services, job)[3]['confidence'] * 100:.1f}\xa0%" in html
    broken = api.get(f"/jobs/{job.id}/images/{COUNT}").text
    assert 'role="alert"' in broken, broken
    assert api.get(f"/jobs/{job.id}/images/99").status_code == 404
    assert "No predictor online" in api.get(f"/jobs/{job.id}/images/3?how=1").text


def test_what_a_person_has_said_is_shown(api: FlaskClient, services: Services, job: Job) -> None:
    look(api, job)
    row = next(image["row"] for image in results(services, job) if image["accepted"] is False)
    api.put(f"/api/v1/jobs/{job.id}/review/{row}", json={"label": "7"})

    assert "Reviewed: <strong>7</strong>" in api.get(f"/jobs/{job.id}/images/{row}").text


def test_results_that_were_written_anew_are_indexed_anew(api: FlaskClient, services: Services, job: Job) -> None:
    look(api, job)
    results_file = services.volume.job(job.id) / "results.jsonl"
    lines = results_file.read_text().splitlines()
    results_file.write_text("".join(line.replace('"name":"', '"name":"moved-') + "\n" for line in lines))

    assert "moved-" in look(api, job).text
    assert "page 3" in api.get(f"/jobs/{job.id}/images/3").text


def test_an_index_that_cannot_be_made_is_said_and_tried_again(api: FlaskClient, services: Services, job: Job) -> None:
    results_file = services.volume.job(job.id) / "results.jsonl"
    whole = results_file.read_bytes()
    results_file.write_bytes(whole[:-20])

    response = look(api, job)
    assert response.status_code == 500
    assert "could not be indexed" in response.text
    results_file.write_bytes(whole)
    assert "13 images" in look(api, job).text


def test_of_two_who_index_at_once_one_wins(services: Services, job: Job) -> None:
    directory, results_file = services.volume.images(job.id), services.volume.job(job.id) / "results.jsonl"
    for _ in range(2):
        index_images(results_file, services.volume.archive(job.id), directory)

    assert len(results(services, job)) == COUNT + 1
    assert [path.name for path in directory.parent.iterdir() if path.name.startswith(".")] == []


def test_an_archive_that_is_gone_leaves_the_answers(api: FlaskClient, services: Services, mnist: Dataset) -> None:
    untrained_model(services)
    (services.volume.inbox / "scans").mkdir()
    for name, data in digits(mnist, 3).items():
        (services.volume.inbox / "scans" / name).write_bytes(data)
    job = _classified_directory(services)
    for path in (services.volume.inbox / "scans").iterdir():
        path.unlink()

    assert "3 images" in look(api, job).text
    assert api.get(f"/jobs/{job.id}/images/1/picture").status_code == 404


def _classified_directory(services: Services) -> Job:
    given = ClassificationParameters(directory="scans", review_below=0)
    return work_off(services, submit_classification(services, given, None))


def test_images_of_a_compressed_tar_are_shown(api: FlaskClient, services: Services, mnist: Dataset) -> None:
    untrained_model(services)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in digits(mnist, 3).items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    job = classified_archive(services, buffer.getvalue(), review_below=0)
    look(api, job)

    assert api.get(f"/jobs/{job.id}/images/2/picture").data == digits(mnist, 3)["002.png"]


def test_images_of_a_job_that_has_none_are_refused(api: FlaskClient) -> None:
    assert api.get("/jobs/nosuch/images").status_code == 404


def test_the_page_of_one_image_knows_every_column_of_the_results() -> None:
    assert set(ROWS.names()) | set(SHADOW.names()) | {"corrected"} == image_page.OWN_COLUMNS

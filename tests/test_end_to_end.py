"""The whole stack as `tenfold up` starts it, used by command, by client and in a real browser."""

import base64
import io
import json
import os
import re
import shutil
import socket
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect, sync_playwright

from tenfold.client import Client, ServerError
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import png, write_digit_zip
from tenfold.web.local.supervisor import free_port
from tests.conftest import write_dataset
from tests.up import TENFOLD, Up
from tests.uploads import class_folders
from tests.waiting import PATIENCE_MS, until

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# Epochs enough for a model that reads digits, few enough for a test.
EPOCHS = 3


@pytest.fixture(scope="module")
def digits(up: Up, mnist: Dataset) -> Path:
    """A zip of 500 real digits in label folders."""
    path = up.directory / "digits.zip"
    write_digit_zip(mnist.test_images[:500], mnist.test_labels[:500], path)
    return path


@pytest.fixture(scope="module")
def shapes(up: Up, mnist: Dataset) -> Path:
    """A zip of three classes of real images in folders named after their shapes."""
    path = up.directory / "shapes.zip"
    path.write_bytes(class_folders(mnist, {0: "ring", 1: "stroke", 7: "hook"}, images=1500))
    return path


@pytest.fixture(scope="module")
def doubtful(up: Up, training: dict[str, Any], mnist: Dataset) -> str:
    """A classification of forty noisy digits, all to review."""
    noise = np.random.default_rng(1).normal(0, 60, (40, 28, 28))
    path = up.directory / "noisy.zip"
    write_digit_zip(np.clip(mnist.test_images[:40] + noise, 0, 255).astype(np.uint8), mnist.test_labels[:40], path)
    return str(
        up.run_json("classify", path, "--model", training["model"], "--review-below", "1", "--wait")["job"]["id"]
    )


@pytest.fixture(scope="module")
def training(up: Up) -> dict[str, Any]:
    """What `tenfold train --wait -o json` prints."""
    finished: dict[str, Any] = up.run_json("train", "dropout-128", "--epochs", str(EPOCHS), "--wait")
    return finished


def test_train_prints_the_finished_job_and_its_figures(training: dict[str, Any]) -> None:
    assert training["test_accuracy"] > 0.95
    assert training["model"] == training["job"]["id"]
    assert training["job"]["state"] == "succeeded"
    assert [epoch["epoch"] for epoch in training["job"]["progress"]["detail"]["history"]] == [1, 2, 3]


def test_classify_prints_the_finished_job_and_its_figures(up: Up, training: dict[str, Any], digits: Path) -> None:
    classified = up.run_json("classify", digits, "--wait")

    assert classified["images"] == 500
    assert classified["errors"] == 0
    assert classified["accuracy"] > 0.94
    assert classified["job"]["state"] == "succeeded"
    assert sum(classified["counts"].values()) == 500


def test_several_models_answer_together_by_command(up: Up, training: dict[str, Any], digits: Path) -> None:
    models = [training["model"]] * 2

    finished = up.run_json("classify", digits, "--model", ",".join(models), "--wait")

    assert finished["model"] == finished["job"]["parameters"]["model"] == models
    assert finished["accuracy"] > 0.95


def test_fetch_brings_a_model_that_keras_loads_and_that_reads_digits(
    up: Up, training: dict[str, Any], mnist: Dataset
) -> None:
    up.run("job", "fetch", training["model"], "--to", "fetched")

    fetched = {path.name for path in (up.directory / "fetched").iterdir()}
    assert fetched >= {"model.keras", "metrics.json", "history.csv", "summary.txt", "curves.png", "log.txt"}
    model = keras.models.load_model(up.directory / "fetched" / "model.keras")
    answers = model.predict(mnist.test_images[:500] / 255.0, verbose=0).argmax(axis=1)
    assert np.mean(answers == mnist.test_labels[:500]) > 0.94


def test_jobs_status_and_cancel_by_command(up: Up, training: dict[str, Any]) -> None:
    job = up.run_json("train", "dropout-128", "--epochs", "1000")["job"]["id"]

    assert any(line.split()[:2] == [job, "training"] for line in up.run("job", "list").splitlines())
    assert training["model"] in up.run("model", "list")
    assert job in [listed["id"] for listed in up.run_json("job", "list", "--kind", "training")["items"]]
    assert f"training {job}" in up.run("job", "show", job)
    assert "cancelled" in up.run("job", "cancel", job)
    assert up.run_json("job", "wait", job, status=1)["job"]["state"] == "cancelled"


def test_the_command_says_what_is_wrong_and_with_what_code(up: Up) -> None:
    assert "epochs" in up.run("train", "dropout-128", "--epochs", "0", status=2)
    assert "no job 'nosuch'" in up.run("job", "show", "nosuch", status=4)


def test_no_server_is_told_with_the_remedy(tmp_path: Path) -> None:
    environment = os.environ | {"TENFOLD_SERVER": f"http://127.0.0.1:{free_port()}"}

    done = subprocess.run([*TENFOLD, "job", "list"], cwd=tmp_path, env=environment, capture_output=True, text=True)

    assert done.returncode == 3
    assert "tenfold up" in done.stderr


def test_a_broken_image_in_a_good_zip_is_one_row_with_its_error(up: Up, training: dict[str, Any], digits: Path) -> None:
    broken = up.directory / "broken.zip"
    shutil.copy(digits, broken)
    with zipfile.ZipFile(broken, "a") as archive:
        archive.writestr("3/cut-short.png", zipfile.ZipFile(digits).read("7/00000.png")[:60])
        archive.writestr("notes.txt", "no image")

    with Client(up.url) as client:
        job = client.classify(broken).wait()
        [results] = [path for path in job.fetch(up.directory / "broken") if path.name == "results.jsonl"]

    rows = [json.loads(line) for line in results.read_text().splitlines()]
    assert job.summary["images"] == len(rows) == 501
    assert job.summary["errors"] == 1
    assert job.summary["skipped"] == 1
    assert rows[-1]["name"] == "3/cut-short.png"
    assert "can't be read" in rows[-1]["error"]


def test_loose_images_a_tar_and_a_directory_of_the_inbox_are_classified_by_command(
    up: Up, training: dict[str, Any], digits: Path
) -> None:
    folder = up.directory / "loose"
    with zipfile.ZipFile(digits) as archive:
        names = archive.namelist()[:20]
        archive.extractall(folder, names)
    with tarfile.open(up.directory / "digits.tgz", "w:gz") as tar:
        tar.add(folder, "digits")
    shutil.copytree(folder, up.directory / "data" / "inbox" / "scans" / "march")

    loose = up.run_json("classify", *(Path("loose") / name for name in names), "--wait")
    packed = up.run_json("classify", "digits.tgz", "--wait")
    in_place = up.run_json("classify", "--directory", "scans/march", "--wait")

    assert loose["images"] == packed["images"] == in_place["images"] == 20
    assert loose["accuracy"] == packed["accuracy"] == in_place["accuracy"] > 0.8
    assert "Give either files" in up.run("classify", "digits.tgz", "--directory", "scans/march", status=2)


def test_an_upload_that_is_no_zip_is_refused_with_its_field(up: Up, tmp_path: Path) -> None:
    (tmp_path / "digits.zip").write_text("no zip")

    with Client(up.url) as client, pytest.raises(ServerError) as refused:
        client.classify(tmp_path / "digits.zip")

    assert refused.value.status == 422
    assert refused.value.problem["errors"][0]["field"] == "file"


def test_a_second_stack_in_the_same_place_is_told_of_the_first(up: Up) -> None:
    assert up.url in up.run("up", "--port", str(free_port()), status=1)


def test_a_busy_port_is_told_with_the_remedy(up: Up, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        said = up.run("up", "--port", port, "--data", tmp_path, status=1)

    assert f"Port {port}" in said
    assert "--port" in said


@pytest.fixture(scope="module")
def predictor(up: Up, training: dict[str, Any]) -> Client:
    """A client of the stack, once its predictor is there; the model that reads digits serves."""
    client = Client(up.url)
    client.promote(training["model"])
    until(lambda: client.request("GET", "readyz").json()["checks"]["predictor"] == "ok")
    return client


@pytest.fixture(scope="module")
def seven(up: Up) -> Path:
    """A seven drawn in black on white."""
    drawing = Image.new("RGB", (300, 300), "white")
    ImageDraw.Draw(drawing).line([(80, 60), (220, 60), (130, 240)], fill="black", width=22, joint="curve")
    path = up.directory / "seven.png"
    drawing.save(path)
    return path


def opened(picture: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(picture.removeprefix("data:image/png;base64,"))))


def test_one_image_is_read_at_once(predictor: Client, training: dict[str, Any], mnist: Dataset) -> None:
    answers = [predictor.predict(png(image)) for image in mnist.test_images[:20]]

    assert np.mean([int(a["prediction"]) == truth for a, truth in zip(answers, mnist.test_labels, strict=False)]) >= 0.9
    answer = answers[0]
    assert (answer["prediction"], answer["model"], answer["normalization"]) == ("7", training["model"], "as-is")
    assert np.array_equal(np.asarray(opened(answer["picture"])), mnist.test_images[0])
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert answer["confidence"] == answer["probabilities"]["7"] > answer["runner_up"]["confidence"]
    assert "steps" not in answer


def test_a_drawing_is_brought_to_the_form_of_mnist_step_by_step(predictor: Client, seven: Path) -> None:
    answer = predictor.predict(seven, steps=True)

    assert (answer["prediction"], answer["normalization"], answer["polarity"]) == ("7", "mnist", "dark-on-light")
    assert opened(answer["picture"]).size == (28, 28)
    assert answer["steps"][0]["name"] == "original"
    assert all(opened(step["picture"]).size for step in answer["steps"])
    assert predictor.predict(seven, normalize="none")["normalization"] == "resized"
    assert predictor.predict(seven, polarity="light-on-dark")["polarity"] == "light-on-dark"


def test_what_is_no_image_is_refused_with_the_reason(predictor: Client) -> None:
    with pytest.raises(ServerError, match="can't be read") as refused:
        predictor.predict(b"no image")

    assert refused.value.status == 422
    assert refused.value.problem["errors"][0]["field"] == "file"


def test_predict_prints_a_line_for_each_file(up: Up, predictor: Client, seven: Path) -> None:
    (up.directory / "notes.txt").write_text("no image")

    assert up.run("predict", seven).startswith(f"{seven}  7  ")
    said = up.run("predict", "notes.txt", seven, status=1)
    assert "notes.txt: The file can't be read as an image" in said
    assert f"{seven}  7  " in said
    assert up.run_json("predict", seven)["items"][0]["prediction"] == "7"


def test_an_image_is_answered_while_a_training_has_the_only_worker(predictor: Client, seven: Path) -> None:
    job = predictor.train("dense-128-64", epochs=1000)
    until(lambda: job.refresh().document["progress"]["fraction"])

    assert predictor.predict(seven)["prediction"] == "7"
    assert job.refresh().state == "running"
    job.cancel()


@pytest.fixture(scope="module")
def page(up: Up) -> Iterator[Page]:
    assert CHROMIUM, "the page tests need Chromium: `make test` installs it with apt-get"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        page = browser.new_page()
        page.goto(up.address)
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        yield page
        browser.close()


def test_a_model_is_trained_from_the_form_and_watched_to_its_end(up: Up, page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)

    page.goto(f"{up.url}/train")
    page.get_by_role("radio", name="dense-128-64").check()
    page.get_by_label("Epochs").fill("2")
    page.get_by_role("button", name="Train").click()

    expect(page.get_by_role("heading", name="Training of dense-128-64")).to_be_visible()
    expect(page.get_by_text("Test accuracy", exact=True)).to_be_visible()
    expect(page.locator("#outcome").get_by_text("109,386")).to_be_visible()
    expect(page.get_by_role("link", name="model.keras")).to_be_visible()
    expect(page.get_by_role("img", name="Accuracy by epoch")).to_be_visible()
    mistakes = page.get_by_role("img", name="Grid of misclassified test images")
    assert mistakes.evaluate("image => image.complete && image.naturalWidth") > 0
    assert complaints == []


def test_a_zip_is_uploaded_by_the_form_and_its_results_downloaded(
    up: Up, training: dict[str, Any], digits: Path, page: Page
) -> None:
    page.goto(f"{up.url}/classify")
    page.get_by_label("Images or archives").set_input_files(digits)
    page.get_by_role("button", name="Upload and classify").click()

    expect(page.get_by_text("Accuracy on 500 labeled")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="results.csv").click()
    assert len(download.value.path().read_text().splitlines()) == 501


def test_a_sweep_is_run_by_command_and_ranked_on_its_page(up: Up, mnist: Dataset, page: Page) -> None:
    write_dataset(mnist.head(train=6000, test=1000), up.directory / "data" / "datasets" / "swept")
    sweep = up.run_json(
        *("sweep", "custom", "--dataset", "swept", "--filters", "4", "--units", "none", "--epochs", "1"),
        *("--over", "batch_size=16|1024", "--method", "grid", "--wait"),
    )

    assert sweep["trials"] == 2
    assert sweep["best"]["values"] == {"batch_size": "16"}
    assert sweep["test_accuracy"] > 0.7
    page.goto(f"{up.url}/jobs/{sweep['job']['id']}")
    assert [cell.inner_text() for cell in page.locator("tbody tr td:nth-child(2)").all()] == ["16", "1024"]
    page.get_by_role("link", name="1", exact=True).click()
    assert page.get_by_role("heading", name="Training of custom").is_visible()


def test_a_data_set_is_imported_listed_trained_on_and_removed_by_command(up: Up, shapes: Path) -> None:
    imported = up.run_json("dataset", "import", "by-command", shapes, "--test-share", "0.25", "--wait")
    assert imported["classes"] == ["hook", "ring", "stroke"]
    assert imported["test_images"] == pytest.approx(imported["images"] / 4, abs=3)

    trained = up.run_json("train", "dropout-128", "--dataset", "by-command", "--epochs", "2", "--wait")
    assert trained["job"]["state"] == "succeeded"
    assert "is already in use" in up.run("dataset", "import", "by-command", shapes, status=4)
    assert "hook, ring, stroke" in up.run("dataset", "list")
    up.run("dataset", "delete", "by-command", "--yes")
    assert "hook, ring, stroke" not in up.run("dataset", "list")
    assert "is not a valid data set name" in up.run("dataset", "import", "By Command", shapes, status=2)


def test_a_data_set_is_uploaded_by_the_form_and_shown_on_any_screen(up: Up, shapes: Path, page: Page) -> None:
    page.goto(f"{up.url}/datasets")
    page.get_by_label("Name").fill("by-form")
    page.get_by_label("File", exact=True).set_input_files(shapes)
    page.get_by_role("button", name="Upload", exact=True).click()

    expect(page.get_by_role("heading", name="Import of by-form")).to_be_visible()
    page.get_by_role("link", name="View the data set").click()
    preview = page.get_by_role("img", name="Sample images of each class of by-form")
    preview.scroll_into_view_if_needed()
    expect(preview).to_have_js_property("complete", True)
    assert preview.evaluate("image => image.naturalWidth") > 0
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("link", name="Train on this data set").click()
    expect(page.get_by_label("Data set")).to_have_value("by-form")
    page.set_viewport_size({"width": 1280, "height": 720})


def test_a_digit_is_drawn_on_any_screen_and_read_without_reloading(up: Up, predictor: Client, page: Page) -> None:
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{up.url}/predict")
        paper = page.get_by_label("Drawing area")
        box = paper.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 80, box["y"] + 60)
        page.mouse.down()
        page.mouse.move(box["x"] + 200, box["y"] + 60, steps=5)
        page.mouse.move(box["x"] + 120, box["y"] + 220, steps=5)
        page.mouse.up()

        expect(page.locator("#label")).to_have_text("7")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Clear").click()
    paper.focus()
    for _ in range(15):
        page.keyboard.press("ArrowDown")
    expect(page.locator("#label")).to_have_text("1")
    page.set_viewport_size({"width": 1280, "height": 720})


def test_an_image_is_uploaded_to_be_read(up: Up, predictor: Client, seven: Path, page: Page) -> None:
    page.goto(f"{up.url}/predict")
    page.get_by_label("A photo or scan").set_input_files(seven)

    expect(page.locator("#label")).to_have_text("7")
    expect(page.get_by_role("img", name="The model input")).to_be_visible()


def test_doubtful_answers_are_reviewed_by_keys_and_become_a_data_set(up: Up, doubtful: str, page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{up.url}/jobs/{doubtful}")
    page.get_by_role("link", name="Review 40 uncertain answers").click()

    expect(page.locator("#strip button")).not_to_have_count(0)
    page.keyboard.press("7")
    expect(page.get_by_text("1 of 40 reviewed")).to_be_visible()
    expect(page.locator("#rank")).to_have_text("2 of 40")
    expect(page.get_by_role("status")).to_contain_text(": 7.")
    page.keyboard.press("Enter")
    page.keyboard.press("x")
    expect(page.locator("#rank")).to_have_text("4 of 40")
    page.keyboard.press("Backspace")
    expect(page.locator("#rank")).to_have_text("3 of 40")
    expect(page.get_by_text("2 of 40 reviewed")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#correction")).to_contain_text("Your answer")
    for image in ("#original", "#model-input"):
        expect(page.locator(image)).to_have_js_property("complete", True)
        assert page.locator(image).evaluate("image => image.naturalWidth") == 28
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("button", name="9", exact=True).click()
    expect(page.locator("#rank")).to_have_text("3 of 40")
    page.set_viewport_size({"width": 1280, "height": 720})

    page.get_by_label("New data set").fill("with-corrections")
    expect(page.get_by_label("Together with")).to_have_value("mnist")
    page.get_by_role("button", name="Merge").click()
    page.get_by_role("link", name="Train on this data set").click()
    expect(page.get_by_label("Data set")).to_have_value("with-corrections")
    assert complaints == []
    assert "60,002" in up.run("dataset", "list")
    said = [line.split(",")[4] for line in up.run("job", "corrections", doubtful).splitlines()[1:]]
    assert sorted(said) == ["7", "9"]


def test_what_is_said_while_the_server_is_away_is_sent_when_it_is_back(up: Up, doubtful: str, page: Page) -> None:
    page.goto(f"{up.url}/jobs/{doubtful}/review?rank=10")
    expect(page.locator("#strip button")).not_to_have_count(0)
    with Client(up.url) as client:
        row = list(client.job(doubtful).review())[10]["row"]
        page.route("**/api/v1/jobs/*/review/*", lambda route: route.abort())
        page.keyboard.press("5")
        expect(page.get_by_text("Unsent answers: 1.")).to_be_visible()
        expect(page.locator("#rank")).to_have_text("12 of 40")
        page.unroute("**/api/v1/jobs/*/review/*")
        expect(page.locator("#error")).to_be_hidden()

        assert [item["correction"]["label"] for item in client.job(doubtful).review() if item["row"] == row] == ["5"]


def test_a_review_goes_by_client_and_command(up: Up, doubtful: str) -> None:
    with Client(up.url) as client:
        job = client.job(doubtful)
        for item in list(job.review(only_open=True)):
            job.correct(item["row"], item["true_label"])
        assert list(job.review(only_open=True)) == []
        with pytest.raises(ServerError, match="its classes are"):
            job.correct(0, "seven")

    assert "Nothing to review." in up.run("review", doubtful, "--open")
    assert len(up.run_json("review", doubtful)["items"]) == 40
    corrections = up.run("job", "corrections", doubtful)
    assert len(corrections.splitlines()) == 41
    merged = up.run_json("correct", doubtful, "--dataset", "by-hand", "--wait")
    assert merged["reviewed"] == 40
    assert merged["dataset"]["images"] == 40
    up.run("job", "fetch", doubtful, "--to", "merged")
    header, first = (up.directory / "merged" / "results.csv").read_text().splitlines()[:2]
    assert header.endswith(",corrected")
    assert first.rsplit(",", 1)[1] == "7"


def test_the_list_of_jobs_leads_to_each_job(up: Up, training: dict[str, Any], page: Page) -> None:
    page.goto(f"{up.url}/jobs")
    page.get_by_role("row").filter(has_text=training["model"]).get_by_role("link").click()

    expect(page.get_by_text("Training time")).to_be_visible()


def test_ctrl_c_stops_every_child_and_the_jobs_are_there_at_the_next_start(up: Up, training: dict[str, Any]) -> None:
    unfinished = up.run_json("train", "dropout-128", "--epochs", "1000")["job"]["id"]
    until(lambda: up.run_json("job", "show", unfinished)["progress"]["done"] >= 1)

    assert up.stop() == 0
    assert processes_of(up.directory) == []

    up.start()
    until(lambda: up.run_json("job", "show", unfinished)["progress"]["detail"].get("epoch", 0) >= 2)
    log = (up.directory / "data" / "jobs" / unfinished / "log.txt").read_text()
    epochs = re.findall(r"epoch (\d+) of 1000:", log)
    assert epochs[0] == "1"
    assert len(epochs) == len(set(epochs))
    assert "released" in log
    up.run("job", "cancel", unfinished)
    assert training["model"] in [job["id"] for job in up.run_json("job", "list", "--limit", "100")["items"]]


def processes_of(directory: Path) -> list[str]:
    """Command lines of the processes whose environment or arguments name the directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            about = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
            if f"{directory}/data".encode() in about:
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found

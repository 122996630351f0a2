"""A classification step by step in this process: plan, shards and merge, of whatever was submitted."""

import hashlib
import io
import json
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tenfold.trainer.architecture.networks import build_model
from tenfold.trainer.architecture.recipes import RECIPES
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import png
from tenfold.worker.classification import merging
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.db.records import Job, Model
from tenfold.worker.db.states import JobState
from tenfold.worker.errors import LeaseLost
from tenfold.worker.jobs import submission
from tenfold.worker.process.runner import Runner
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tenfold.worker.uploads.upload import Upload
from tests.sources import KINDS, commit_outputs


@pytest.fixture(scope="session")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained net: what it answers does not matter here."""
    path = tmp_path_factory.mktemp("net") / "model.keras"
    build_model(RECIPES["dropout-128"].plan, classes=10, seed=1, steps=1).save(path)
    return path


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"shard_images": 3})


@pytest.fixture
def model(services: Services, net: Path) -> str:
    services.volume.model("m1").mkdir()
    (services.volume.model("m1") / "model.keras").symlink_to(net)
    with services.database.write() as session:
        session.add(Model(id="m1", recipe="dropout-128", dataset="mnist", parameters={}, metrics={}, created_at=1.0))
    services.aliases.promote("m1", who=None)
    return "m1"


def submit(services: Services, kind: str, files: Mapping[str, bytes]) -> Job:
    """Hand the files in as the web does."""
    if kind == "directory":
        directory = commit_outputs(kind, services.volume.inbox, files)
        return submit_classification(services, ClassificationParameters(directory=directory.name), None)
    path = commit_outputs(kind, services.volume.uploads, files)
    upload = Upload(path, path.name, path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
    return submit_classification(services, ClassificationParameters(), upload)


def work_off(services: Services, job: Job, *, steps: int = 100) -> Job:
    """Do at most so many steps of the job, one after the other."""
    runner = Runner(services, shutting_down=lambda: False)
    for _ in range(steps):
        in_line = services.jobs.queued_steps(job.id)
        if not in_line:
            break
        runner.run(in_line[0])
    return services.jobs.get(job.id)


def rows(services: Services, job: Job) -> list[dict[str, Any]]:
    lines = (services.volume.job(job.id) / "results.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_what_was_skipped_and_assumed_is_told(services: Services, model: str, mnist: Dataset) -> None:
    picture = png(mnist.test_images[0])
    files = {
        "7/anna/1.png": picture,
        "7/anna/.ipynb_checkpoints/1.png": picture,
        "7/2.jfif": picture,
        "3/ben/3": picture,
        "misc/4.png": picture,
    }

    job = work_off(services, submit(services, "zip", files))

    assert job.summary is not None
    assert {row["name"]: row["true_label"] for row in rows(services, job)} == {
        "7/anna/1.png": "7",
        "7/2.jfif": "7",
        "3/ben/3": "3",
        "misc/4.png": None,
    }
    assert job.summary["true_labels"]["source"] == "folders"
    assert job.summary["notes"][1:] == [
        "True labels come from the folders (for example the folder '7' in '7/anna'), for 3 of 4 images.",
        "Folders not named after a class of this model; their images have no true label: misc (1).",
        "Skipped hidden files: 1 (7/anna/.ipynb_checkpoints/1.png).",
    ]


def test_truths_that_are_no_class_are_told_and_neither_right_nor_wrong(
    services: Services, model: str, mnist: Dataset
) -> None:
    table = "file,label\nA/1.PNG,5b\n2.png,7.0\n2.png,8\nlost.png,1\n"
    files = {"a/1.png": b"", "b/2.png": b"", "b/3.png": b""}
    files = dict.fromkeys(files, png(mnist.test_images[0])) | {"labels.csv": table.encode()}

    job = work_off(services, submit(services, "zip", files))

    assert job.summary is not None
    assert (job.summary["labeled"], sum(map(sum, summary_of(services, job)["confusion"]))) == (1, 1)
    truth = job.summary["true_labels"]
    assert (truth["manifest_rows"], truth["matched_rows"], truth["images_matched"]) == (4, 2, 2)
    assert job.summary["notes"][1:] == [
        "2 of 3 names in labels.csv match an image. Not found: lost.png.",
        "1 images have no row in labels.csv.",
        "1 rows of labels.csv name an image again; the first row is used.",
        "True labels come from column 'label' of labels.csv, for 1 of 3 images.",
        "1 images have a true label that is not a class of this model; they do not count in the accuracy: 5b (1).",
    ]


def test_a_manifest_of_which_nothing_matches_says_so(services: Services, model: str, mnist: Dataset) -> None:
    files = {"1.png": png(mnist.test_images[0]), "manifest.csv": b"name,label\nx.png,1\ny.png,2\n"}

    job = work_off(services, submit(services, "tar", files))

    assert job.summary is not None
    assert job.summary["notes"][1].startswith("0 of 2 names in manifest.csv match an image")


def test_the_time_before_a_retry_does_not_count_as_work(services: Services, model: str, mnist: Dataset) -> None:
    job = submit(services, "zip", {f"{n}.png": png(mnist.test_images[n]) for n in range(8)})
    work_off(services, job, steps=1)
    with services.database.write() as session:
        row = session.get_one(Job, job.id)
        row.started_at = services.clock() - 10**6
        row.detail = row.detail | {"retry": {"at": services.clock(), "done": 0}}

    ended = work_off(services, job)

    assert ended.summary is not None
    assert ended.summary["seconds"] >= 10**6
    assert ended.summary["images_per_second"] > 0


def summary_of(services: Services, job: Job) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((services.volume.job(job.id) / "summary.json").read_text())
    return summary


@pytest.mark.parametrize("kind", KINDS)
def test_every_image_is_a_row_in_order_and_nothing_but_results_is_left(
    services: Services, model: str, mnist: Dataset, kind: str
) -> None:
    files = dict(sorted((f"{mnist.test_labels[n]}/{n:02d}.png", png(mnist.test_images[n])) for n in range(8)))
    extras = {"inside.zip": b"x", "Thumbs.db": b"x", "notes.txt": b"x"}

    job = work_off(services, submit(services, kind, files | extras))

    assert job.state is JobState.SUCCEEDED, job.error
    assert job.summary is not None
    assert job.summary["images"] == job.total == job.done == 8
    assert job.summary["errors"] == 0
    assert job.summary["skipped"] == 3
    assert job.summary["skipped_kinds"] == {"archives": 1, "other_files": 1, "system_files": 1}
    assert sum(map(len, job.summary["skipped_examples"].values())) == 3
    assert [note.partition(")")[0] for note in job.summary["notes"]][1:] == [
        "True labels come from the folders (for example the folder '0'",
        "Skipped archives: 1 (inside.zip",
        "Skipped other files: 1 (notes.txt",
        "Skipped system files: 1 (Thumbs.db",
    ]
    assert [row["name"] for row in rows(services, job)] == list(files)
    assert [row["true_label"] for row in rows(services, job)] == [name[0] for name in files]
    kept = {path.name for path in services.volume.job(job.id).iterdir()} - {f"input.{kind}"}
    assert kept >= {"results.csv", "results.jsonl", "summary.json", "log.txt"}
    assert not services.volume.work(job.id).exists()
    assert list(services.volume.uploads.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [0, 1, 2], ids=["before the plan", "after it", "after a shard"])
def test_a_cancelled_job_is_retried_from_what_was_handed_in(
    services: Services, model: str, mnist: Dataset, kind: str, steps: int
) -> None:
    job = submit(services, kind, {f"{n}.png": png(mnist.test_images[n]) for n in range(7)})
    work_off(services, job, steps=steps)
    services.jobs.cancel(job.id)

    submission.retry(services, job.id)

    ended = work_off(services, job)
    assert ended.state is JobState.SUCCEEDED, ended.error
    assert [row["name"] for row in rows(services, ended)] == [f"{n}.png" for n in range(7)]


def test_the_plan_sets_the_total_where_a_tar_was_too_long_to_be_counted(
    services: Services, model: str, mnist: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenfold.worker.sources.opening.COUNTED_FILES", 2)

    job = submit(services, "tar.gz", {f"{n}.png": png(mnist.test_images[n]) for n in range(7)})
    assert job.total < 7

    assert work_off(services, job, steps=1).total == 7
    assert work_off(services, job).done == 7


def test_a_large_zip_is_listed_once_when_it_is_handed_in(
    services: Services, settings: Settings, model: str, mnist: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenfold.worker.classification.inputs.MIN_STORED_IMAGES", 5)
    files = {f"{n}.png": png(mnist.test_images[n]) for n in range(5)}
    job = submit(services, "zip", files | {"notes.txt": b"skipped", "manifest.csv": b"name,pupil\n3.png,003\n"})
    refusing = Services.open(settings.model_copy(update={"max_archive_images": 2}))

    ended = work_off(refusing, job)

    assert ended.state is JobState.SUCCEEDED, ended.error
    assert ended.summary is not None
    assert (ended.summary["images"], ended.summary["skipped_kinds"]) == (5, {"other_files": 1})
    assert [row["pupil"] for row in rows(services, ended)] == [None, None, None, "003", None]


def test_a_large_zip_is_listed_again_where_its_listing_is_gone(
    services: Services, model: str, mnist: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenfold.worker.classification.inputs.MIN_STORED_IMAGES", 5)
    job = submit(services, "zip", {f"{n}.png": png(mnist.test_images[n]) for n in range(5)})
    services.volume.delete_work(job.id)

    ended = work_off(services, job)

    assert ended.state is JobState.SUCCEEDED, ended.error
    assert [row["name"] for row in rows(services, ended)] == [f"{n}.png" for n in range(5)]


def test_a_tar_that_unpacks_to_too_much_fails_its_job_with_the_reason(
    services: Services, settings: Settings, model: str
) -> None:
    job = submit(services, "tar.gz", {"1.png": b"x", "notes.txt": bytes(3_000_000)})
    bounded = Services.open(settings.model_copy(update={"max_unpacked_bytes": 2_000_000}))

    ended = work_off(bounded, job)

    assert ended.state is JobState.FAILED
    assert ended.error is not None
    assert "unpacks to more than 2,000,000 bytes" in ended.error
    assert list(services.volume.work(job.id).iterdir()) == []


def test_a_directory_that_is_gone_fails_its_job_and_can_be_retried_when_it_is_back(
    services: Services, model: str, mnist: Dataset
) -> None:
    job = submit(services, "directory", {"1.png": png(mnist.test_images[0])})
    directory = services.volume.inbox / job.parameters["directory"]
    directory.rename(directory.with_name("away"))

    failed = work_off(services, job)
    assert failed.state is JobState.FAILED
    assert failed.error is not None
    assert "Put it back and retry" in failed.error

    directory.with_name("away").rename(directory)
    submission.retry(services, job.id)
    assert work_off(services, job).state is JobState.SUCCEEDED


def png_that_claims(width: int, height: int) -> bytes:
    header = struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def noise(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (90, 90), np.uint8)).save(buffer, kind)
    return buffer.getvalue()


SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="28" height="28"><path d="M0 0"/></svg>'


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("empty.png", b"", "the file is empty (0 bytes)"),
        ("cut.png", noise("png")[:3000], "can't be read"),
        ("cut.jpg", noise("jpeg")[:3000], "can't be read"),
        ("page.png", b"<!DOCTYPE html><html><body>404</body></html>", "is an HTML page"),
        ("drawing.png", SVG, "is an SVG drawing, not a picture of pixels; save it as PNG"),
        ("text.png", b"a seven", "can't be read"),
        (
            "huge.png",
            png_that_claims(50_000, 50_000),
            "is too large: it claims several times the maximum of 50 million pixels",
        ),
        ("large.png", png_that_claims(10_000, 10_000), "is 10000×10000 pixels; the maximum is 50 million"),
        ("../outside.png", b"", "a path out of the archive"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value[:-3] else "",
)
def test_a_hostile_image_is_one_row_with_its_error_beside_a_good_one(
    services: Services, model: str, mnist: Dataset, name: str, data: bytes, says: str
) -> None:
    job = work_off(services, submit(services, "zip", {name: data, "7/good.png": png(mnist.test_images[0])}))

    assert job.state is JobState.SUCCEEDED, job.error
    bad, good = rows(services, job)
    assert bad["name"] == name
    assert says in bad["error"]
    assert good["error"] is None
    assert job.summary is not None
    assert job.summary["errors"] == 1
    assert good["true_label"] == "7"


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_manifest_says_comes_back_beside_the_answers(
    services: Services, model: str, mnist: Dataset, kind: str
) -> None:
    files = {f"scans/{n}.png": png(mnist.test_images[n]) for n in range(5)}
    lines = ["file;truth;pupil", *(f"{n}.png;{mnist.test_labels[n]};00{n}" for n in range(4))]

    job = work_off(services, submit(services, kind, files | {"scans/manifest.csv": "\n".join(lines).encode()}))

    assert job.state is JobState.SUCCEEDED, job.error
    assert job.summary is not None
    assert job.summary["labeled"] == 4
    assert job.summary["skipped"] == 0
    assert [row["true_label"] for row in rows(services, job)] == [*map(str, mnist.test_labels[:4]), None]
    assert [row["pupil"] for row in rows(services, job)] == ["000", "001", "002", "003", None]
    written = {path.name for path in services.volume.job(job.id).iterdir()}
    assert written >= {"confidence.png", "uncertain.png", "confusion.png", "mistakes.png", "results.parquet"}


def test_a_manifest_of_no_use_fails_the_job_with_the_reason(services: Services, model: str, mnist: Dataset) -> None:
    files = {"1.png": png(mnist.test_images[0]), "manifest.csv": b"pupil,grade\n7,1\n"}

    job = work_off(services, submit(services, "zip", files))

    assert job.state is JobState.FAILED
    assert job.error is not None
    assert "no column with image names: its columns are pupil, grade" in job.error


def test_two_models_answer_together(services: Services, model: str, net: Path, mnist: Dataset) -> None:
    services.volume.model("m2").mkdir()
    (services.volume.model("m2") / "model.keras").symlink_to(net)
    with services.database.write() as session:
        session.add(Model(id="m2", recipe="dropout-128", dataset="mnist", parameters={}, metrics={}, created_at=2.0))
    path = commit_outputs("zip", services.volume.uploads, {"1.png": png(mnist.test_images[0])})
    upload = Upload(path, path.name, path.stat().st_size, "0" * 64)

    job = submit_classification(services, ClassificationParameters(model="m1, m2"), upload)
    ended = work_off(services, job)

    assert ended.state is JobState.SUCCEEDED, ended.error
    assert ended.summary is not None
    assert ended.summary["model"] == ["m1", "m2"]


@pytest.mark.parametrize(("image_bytes", "sizes"), [(10, [3, 3, 1]), (400_000, [2, 2, 2, 1]), (10**7, [1] * 7)])
def test_a_shard_of_large_images_has_fewer(
    services: Services, model: str, tmp_path: Path, image_bytes: int, sizes: list[int]
) -> None:
    small = replace(services, settings=services.settings.model_copy(update={"shard_bytes": 10**6}))
    job = submit(small, "zip", {f"{n}.png": bytes(image_bytes) for n in range(7)})

    work_off(small, job)

    assert [shard["images"] for shard in small.leases.shard_outputs(job.id)] == sizes


def test_a_merge_that_loses_its_lease_leaves_nothing_beside_the_results_of_the_other(
    services: Services, model: str, mnist: Dataset
) -> None:
    job = work_off(
        services, submit(services, "zip", {f"{n}.png": png(mnist.test_images[n]) for n in range(3)}), steps=2
    )
    [step] = services.jobs.queued_steps(job.id)
    lease = services.leases.claim(step, "late")
    assert lease is not None
    before = {path.name for path in services.volume.job(job.id).iterdir()}

    def cancelled_meanwhile() -> None:
        """Nobody has told the worker yet."""
        if not services.jobs.get(job.id).state.final:
            services.jobs.cancel(job.id)

    with pytest.raises(LeaseLost):
        merging.merge(services, lease, check=cancelled_meanwhile)

    assert {path.name for path in services.volume.job(job.id).iterdir()} == before


@pytest.mark.parametrize("spoil", [Path.mkdir, lambda log: log.symlink_to("/dev/full")], ids=["unreadable", "full"])
def test_a_log_that_cannot_be_written_is_no_reason_not_to_work(
    services: Services, model: str, mnist: Dataset, spoil: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    job = submit(services, "zip", {"0.png": png(mnist.test_images[0])})
    spoil(services.volume.log(job.id))

    assert work_off(services, job).state is JobState.SUCCEEDED


def test_where_nothing_can_be_accepted_the_summary_says_so_first(
    services: Services, model: str, mnist: Dataset
) -> None:
    job = work_off(services, submit(services, "zip", {"1.png": png(mnist.test_images[0])}))

    assert job.summary is not None
    assert (job.summary["accepted"], job.summary["to_review"], job.summary["review_below"]) == (0, 1, 1)
    assert job.summary["notes"][0].startswith(
        "No answers are accepted, all must be reviewed: the error rate of this model"
    )

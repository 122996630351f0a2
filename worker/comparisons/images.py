"""The labeled images of a comparison, each model's input made from them as for its training."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

import numpy as np
import polars as pl

from tenfold.trainer.arrays import Bytes
from tenfold.trainer.images import Normalized
from tenfold.trainer.images.preparing import prepare_all
from tenfold.trainer.images.thumbnails import picture_of, thumbnail
from tenfold.trainer.input_spec import InputSpec
from tenfold.worker.classification.inputs import input_of
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.reading.images import Problem, read_images, read_members
from tenfold.worker.classification.reading.page_counts import with_pages
from tenfold.worker.classification.results import current_rows
from tenfold.worker.datasets.loading import load
from tenfold.worker.db.records import Job
from tenfold.worker.errors import WrongState
from tenfold.worker.jobs.leases import Lease
from tenfold.worker.models.preparing import Preparation
from tenfold.worker.review.reviews import class_names, reviewable
from tenfold.worker.services import Services
from tenfold.worker.sources import Limits, open_source, prepare

# Images given to a model at a time.
BATCH = 2048

# Pixels of a thumbnail's side.
THUMBNAIL_SIDE = 160

# Places among the labeled images, and their model inputs (n, *shape) uint8.
Batch = tuple[Sequence[int], Bytes]


@dataclass(frozen=True)
class LabeledImages:
    """Images with what they show.

    Args:
        rows: of a classification's results, or the test images' numbers.
        names, labels: of each image; a label is one of `classes`.
        inputs: model inputs made as a spec says, in order; images that cannot be read are left out.
        pictures: thumbnails of these places, as image files; None for one that cannot be read.
        left_out: numbers of images that are not compared, by reason.
        corrected: how many of the labels are a person's corrections.
    """

    rows: Sequence[int]
    names: Sequence[str]
    labels: Sequence[str]
    classes: Sequence[str]
    inputs: Callable[[InputSpec], Iterator[Batch]]
    pictures: Callable[[Sequence[int]], Iterator[bytes | None]]
    left_out: dict[str, int] = field(default_factory=dict)
    corrected: int = 0


def open_dataset(services: Services, name: str) -> AbstractContextManager[LabeledImages]:
    """A data set's test images.

    Raises:
        DatasetMissing, DatasetInvalid: it has been deleted, or is damaged.
    """
    dataset = load(services.volume, name)
    images = dataset.test_images
    numbers = range(len(images))

    def inputs(spec: InputSpec) -> Iterator[Batch]:
        for start in numbers[::BATCH]:
            places = numbers[start : start + BATCH]
            pixels = images[places.start : places.stop]
            yield (places, pixels) if spec.images == dataset.input.images else _prepared(places, pixels, spec)

    return nullcontext(
        LabeledImages(
            rows=numbers,
            names=[f"test image {number}" for number in numbers],
            labels=[dataset.class_names[label] for label in dataset.test_labels],
            classes=dataset.class_names,
            inputs=inputs,
            pictures=lambda places: (picture_of(images[place]) for place in places),
        )
    )


@contextmanager
def open_classification(
    services: Services, lease: Lease, job_id: str, check: Callable[[], None]
) -> Iterator[LabeledImages]:
    """A classification's images with a true label or a correction, which counts more.

    Args:
        check: called now and then; may raise to stop.

    Raises:
        UnknownJob, WrongState: the classification has been deleted, has no labels, or its images have changed.
        ArchiveError: its images are missing or damaged.
    """
    job = reviewable(services, job_id)
    labeled, left_out = _labeled(services, job)
    if labeled.is_empty():
        raise WrongState(f"The classification {job_id} has no labeled images any more.")
    numbers = labeled["row"].to_list()
    path, limits = input_of(services.volume, job_id, job.parameters), Limits.of(services.settings)
    work = services.volume.work(lease.job_id)
    prepare(path, work, limits, check)
    with open_source(path, work, limits) as source:
        positions, _ = with_pages(source, source.listing, limits, check)
        if len(positions) != job.total:
            raise WrongState(
                f"The classification {job_id} had {job.total:,} images, and there are {len(positions):,} now. Classify "
                "them again, and compare on that."
            )
        members = source.members(array("Q", (positions[row] for row in numbers)))
        limit, threads = services.settings.max_image_bytes, services.settings.threads_per_process

        def report(_: int) -> None:
            check()

        polarity = ClassificationParameters(**job.parameters).polarity

        def inputs(spec: InputSpec) -> Iterator[Batch]:
            read = read_images(
                source, members, Preparation(spec, polarity), max_image_bytes=limit, threads=threads, report=report
            )
            numbered = enumerate(read)
            while some := list(islice(numbered, BATCH)):
                readable = [(place, image.pixels) for place, (_, image) in some if isinstance(image, Normalized)]
                if readable:
                    yield [place for place, _ in readable], np.stack([pixels for _, pixels in readable])

        def pictures(places: Sequence[int]) -> Iterator[bytes | None]:
            chosen = (members[place] for place in places)
            drawn = read_members(
                source,
                chosen,
                partial(thumbnail, side=THUMBNAIL_SIDE),
                max_image_bytes=limit,
                threads=threads,
                report=report,
            )
            return (None if isinstance(picture, Problem) else picture for _, picture in drawn)

        yield LabeledImages(
            rows=numbers,
            names=labeled["name"].to_list(),
            labels=labeled["label"].to_list(),
            classes=class_names(services, job),
            inputs=inputs,
            pictures=pictures,
            left_out=left_out,
            corrected=int(labeled["corrected"].sum()),
        )


def _prepared(places: Sequence[int], images: Bytes, spec: InputSpec) -> Batch:
    """The places and model inputs (n, *spec.shape) of the images that the input takes."""
    prepared = zip(places, prepare_all(list(images), spec), strict=True)
    taken = [(place, image.pixels) for place, image in prepared if isinstance(image, Normalized)]
    return [place for place, _ in taken], np.array([pixels for _, pixels in taken], np.uint8).reshape(-1, *spec.shape)


def _labeled(services: Services, job: Job) -> tuple[pl.DataFrame, dict[str, int]]:
    """The labeled rows of a classification: `row`, `name`, `label` and whether it is `corrected`; what is left out."""
    path = services.volume.storage.fetch(services.volume.job(job.id) / "results.parquet", may_change=True)
    rows = current_rows(pl.scan_parquet(path)).select("row", "name", "true_label").collect()
    found = services.corrections.list(job.id)
    corrections = pl.DataFrame(
        {
            "row": [each.row for each in found],
            "label": [each.label for each in found],
            "corrected": [True] * len(found),
        },
        schema={"row": rows.schema["row"], "label": pl.String, "corrected": pl.Boolean},
    )
    joined = rows.join(corrections, on="row", how="left", maintain_order="left").with_columns(
        pl.col("corrected").fill_null(value=False)
    )
    none_of_these = pl.col("corrected") & pl.col("label").is_null()
    labels = joined.with_columns(label=pl.when("corrected").then("label").otherwise("true_label"))
    labeled = labels.filter(pl.col("label").is_not_null())
    none = joined.filter(none_of_these).height
    left_out = {"unlabeled": joined.height - labeled.height - none, "none_of_the_classes": none}
    return labeled.select("row", "name", "label", "corrected"), {
        name: count for name, count in left_out.items() if count
    }

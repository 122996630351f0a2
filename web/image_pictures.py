"""The picture of one image of a classification, in a form that a browser can show without being at its mercy."""

import base64
from array import array
from dataclasses import dataclass

from flask import Response

from trainer.file_kinds import BMP, GIF, JPEG, PNG, START_BYTES, WEBP, kind_of_file
from web.services import services, settings
from worker import reviews
from worker.errors import ArchiveError, InvalidSubmission, PredictionFailed, PredictorAway, WrongState
from worker.image_index import Image
from worker.inputs import input_of
from worker.records import Job
from worker.sources import UnreadableMember, open_source
from worker.sources import read_file as source_file
from worker.sources.packing import is_image
from worker.sources.pages import split_position

# What every browser shows, by what the content is. Never SVG or HTML, which could hold scripts.
SHOWN = {PNG: "image/png", JPEG: "image/jpeg", GIF: "image/gif", BMP: "image/bmp", WEBP: "image/webp"}

# A page shows sixty thumbnails: a larger file is made small by the predictor first.
MOST_THUMBNAIL_BYTES = 256 * 2**10

# What is in an archive does not change.
KEPT_SECONDS = 3600

# Should a file be something else after all, it can load nothing and run nothing.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Content-Disposition": "inline",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Picture:
    content: bytes
    mimetype: str


def thumbnail(job: Job, image: Image) -> Picture | None:
    """A small picture: the review's where it keeps one, else the file itself, else what the predictor makes of it.

    None where there is none: the file is gone or no image, or no predictor runs.
    """
    return _of_review(job, image.row) or _of_file(job, image, MOST_THUMBNAIL_BYTES)


def large_picture(job: Job, image: Image) -> Picture | None:
    """The file itself where a browser shows it; else as `thumbnail`."""
    return _of_file(job, image, settings().max_prediction_bytes) or _of_review(job, image.row)


def picture_response(picture: Picture) -> Response:
    response = Response(picture.content, mimetype=picture.mimetype, headers=HEADERS)
    response.cache_control.private = True
    response.cache_control.max_age = KEPT_SECONDS
    return response


def read_file(job: Job, image: Image) -> bytes | None:
    """The bytes of the image, as they were handed in, of a page those of its file; None where they are gone, or more
    than are held in memory."""
    if image.position is None:
        return None
    volume = services().volume
    try:
        with open_source(input_of(volume, job.id, job.parameters), volume.images(job.id)) as source:
            [member] = source.members(array("Q", [image.position]))
            if member.name != image.name:  # a directory of the inbox in which files have come and gone
                return None
            return source_file(source, member, settings().max_prediction_bytes)
    except (ArchiveError, UnreadableMember, OSError):
        return None


def _of_review(job: Job, row: int) -> Picture | None:
    try:
        with reviews.open_queue(services(), job.id) as queue:
            content = queue.picture(row, seen_by_model=False)
    except WrongState:
        return None
    return _shown(content) if content else None


def _of_file(job: Job, image: Image, most_bytes: int) -> Picture | None:
    content = read_file(job, image)
    if content is None:
        return None
    page = page_number(image)
    shown = _shown(content) if len(content) <= most_bytes and not page else None
    return shown or _by_predictor(job, content, page)


def _shown(content: bytes) -> Picture | None:
    kind = kind_of_file(content[:START_BYTES])
    return Picture(content, SHOWN[kind]) if kind in SHOWN else None


def page_number(image: Image) -> int:
    """Which page of its file the image is, from 1; 0 where it is the whole file."""
    return 0 if image.position is None else split_position(image.position)[1]


def _by_predictor(job: Job, content: bytes, page: int) -> Picture | None:
    """For formats that browsers do not show, and large files: its first step is the image as it came, made small."""
    if not is_image(content[:START_BYTES]):
        return None
    try:
        model = services().models.serving(job.parameters["model"][0])
        answer = services().predictions.ask(content, {"model": model.id, "steps": True, "page": page or 1})
    except (InvalidSubmission, PredictionFailed, PredictorAway):
        return None
    _, _, encoded = answer["steps"][0]["picture"].partition(",")
    return Picture(base64.b64decode(encoded), "image/png")

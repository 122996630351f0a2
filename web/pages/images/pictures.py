"""The picture of one image of a classification, in a format that browsers can display safely."""

import base64
from array import array
from dataclasses import dataclass

from flask import Response

from tenfold.files.kinds import BMP, GIF, JPEG, PNG, START_BYTES, WEBP, kind_of_file
from tenfold.files.packing import is_image
from tenfold.web.core.services import services, settings
from tenfold.worker.classification.image_index.index import Image
from tenfold.worker.classification.inputs import input_of
from tenfold.worker.db.records import Job
from tenfold.worker.errors import ArchiveError, InvalidSubmission, PredictionFailed, PredictorAway, WrongState
from tenfold.worker.review import reviews
from tenfold.worker.sources import UnreadableMember, open_source
from tenfold.worker.sources import read_file as source_file
from tenfold.worker.sources.pages import split_position

# Formats that all browsers display, by content. Never SVG or HTML, which can contain scripts.
DISPLAYABLE = {PNG: "image/png", JPEG: "image/jpeg", GIF: "image/gif", BMP: "image/bmp", WEBP: "image/webp"}

# A page has sixty thumbnails. Larger files are reduced by the predictor first.
MAX_THUMBNAIL_BYTES = 256 * 2**10

# The content of an archive does not change.
CACHE_SECONDS = 3600

# A malicious file can load nothing and run nothing.
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
    """A small picture: from the review queue, else the file itself, else converted by the predictor.

    None if the file was deleted or is no image, or no predictor is online.
    """
    return _of_review(job, image.row) or _of_file(job, image, MAX_THUMBNAIL_BYTES)


def large_picture(job: Job, image: Image) -> Picture | None:
    """The file itself if browsers can display it; else as `thumbnail`."""
    return _of_file(job, image, settings().max_prediction_bytes) or _of_review(job, image.row)


def picture_response(picture: Picture) -> Response:
    response = Response(picture.content, mimetype=picture.mimetype, headers=HEADERS)
    response.cache_control.private = True
    response.cache_control.max_age = CACHE_SECONDS
    return response


def read_file(job: Job, image: Image) -> bytes | None:
    """The submitted file of the image; for a page of a document the whole document. None if the file was deleted or is
    too large to hold in memory."""
    if image.position is None:
        return None
    volume = services().volume
    try:
        with open_source(input_of(volume, job.id, job.parameters), volume.images(job.id)) as source:
            [member] = source.members(array("Q", [image.position]))
            if member.name != image.name:  # the directory of the inbox has changed
                return None
            return source_file(source, member, settings().max_prediction_bytes)
    except (ArchiveError, UnreadableMember, OSError):
        return None


def _of_review(job: Job, row: int) -> Picture | None:
    try:
        with reviews.open_queue(services(), job.id) as queue:
            content = queue.picture(row, model_input=False)
    except WrongState:
        return None
    return _displayable(content) if content else None


def _of_file(job: Job, image: Image, max_bytes: int) -> Picture | None:
    content = read_file(job, image)
    if content is None:
        return None
    page = page_number(image)
    shown = _displayable(content) if len(content) <= max_bytes and not page else None
    return shown or _by_predictor(job, content, page)


def _displayable(content: bytes) -> Picture | None:
    kind = kind_of_file(content[:START_BYTES])
    return Picture(content, DISPLAYABLE[kind]) if kind in DISPLAYABLE else None


def page_number(image: Image) -> int:
    """The page of the document, from 1; 0 if the image is the whole file."""
    return 0 if image.position is None else split_position(image.position)[1]


def _by_predictor(job: Job, content: bytes, page: int) -> Picture | None:
    """For formats that browsers do not display, and large files: the first step of the answer is the image, reduced."""
    if not is_image(content[:START_BYTES]):
        return None
    try:
        model = services().models.serving(job.parameters["model"][0])
        answer = services().predictions.ask(content, {"model": model.id, "steps": True, "page": page or 1})
    except (InvalidSubmission, PredictionFailed, PredictorAway):
        return None
    _, _, encoded = answer["steps"][0]["picture"].partition(",")
    return Picture(base64.b64decode(encoded), "image/png")

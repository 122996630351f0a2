"""Single images of data sets, and what differs between two data sets."""

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import NotFound

from tenfold.trainer.data.stored import PARTS
from tenfold.web.api.documents.dataset_differences import DatasetDifferences, dataset_differences
from tenfold.web.api.openapi import examples
from tenfold.web.api.openapi.operations import Answer, operation
from tenfold.web.core.problems import with_code
from tenfold.web.core.services import services
from tenfold.worker.datasets.differences import compare_datasets, open_images

routes = Blueprint("dataset_images", __name__)

# A data set never changes, but another can come under its name.
KEPT_SECONDS = 60


class OtherDataset(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    other: str = Field(max_length=64, description="The data set to compare with.")


@routes.get("/datasets/<name>/diff")
@operation(
    "Data sets",
    "Compare two data sets",
    query=OtherDataset,
    answers=[Answer(200, "What became of the first in the other.", DatasetDifferences, examples.DATASET_DIFFERENCES)],
    problems=(404, 409),
)
def get_dataset_diff(name: str) -> Response:
    """Images added, removed, with another label or in the other part, by their pixels, and classes that differ."""
    wanted = OtherDataset.model_validate(request.args.to_dict())
    return jsonify(dataset_differences(compare_datasets(services().volume, name, wanted.other)))


@routes.get("/datasets/<name>/images/<part>/<int:index>.png")
@operation(
    "Data sets",
    "Show an image of a data set",
    answers=[Answer(200, "The picture; gray images that are light on dark are inverted.", media_types=["image/png"])],
    problems=(404, 409),
)
def get_dataset_image(name: str, part: str, index: int) -> Response:
    """One training (`train`) or test image, by its number from 0."""
    if part not in PARTS:
        raise with_code(NotFound(f"A data set's parts are {' and '.join(PARTS)}, not {part[:64]!r}."), "file_not_found")
    stored = open_images(services().volume, name, part)
    if index >= stored.count:
        raise with_code(NotFound(f"{name} has {stored.count:,} {part} images; numbers start at 0."), "file_not_found")
    response = Response(stored.png(index), mimetype="image/png")
    response.cache_control.private = True
    response.cache_control.max_age = KEPT_SECONDS
    return response

"""The filter and order of the images of a classification, from the query."""

from typing import Any

from flask import request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tenfold.web.core.forms import given_fields
from tenfold.web.core.url_numbers import MAX_INTEGER
from tenfold.worker.classification.image_index.index import ImageQuery, Order, Status

MAX_TEXT = 200


class ImageFilter(BaseModel):
    """All fields are optional. Confidence is in percent, as on the page."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    prediction: str | None = None
    true_label: str | None = None
    status: Status | None = None
    quality: str | None = None
    min_confidence: float | None = Field(None, ge=0, le=100)
    max_confidence: float | None = Field(None, ge=0, le=100)
    q: str | None = Field(None, max_length=MAX_TEXT)
    order: Order = Order.ROW
    after: int | None = Field(None, ge=0, le=MAX_INTEGER)

    @model_validator(mode="after")
    def _check_range(self) -> "ImageFilter":
        least, most = self.min_confidence, self.max_confidence
        if least is not None and most is not None and least > most:
            raise ValueError("The minimum confidence is greater than the maximum")
        return self

    @property
    def image_query(self) -> ImageQuery:
        return ImageQuery(
            prediction=self.prediction,
            true_label=self.true_label,
            status=self.status,
            quality=self.quality,
            min_confidence=None if self.min_confidence is None else self.min_confidence / 100,
            max_confidence=None if self.max_confidence is None else self.max_confidence / 100,
            text=self.q,
            order=self.order,
        )

    def query(self, **changes: Any) -> dict[str, Any]:
        """The query of a link with the same filter and some changes; it starts at the first image."""
        kept = self.model_dump(mode="json", exclude_defaults=True, exclude={"after"})
        return {name: value for name, value in (kept | changes).items() if value is not None}


def filter_of_request() -> ImageFilter:
    """
    Raises:
        ValidationError: a value is invalid.
    """
    return ImageFilter.model_validate(given_fields(request.args))

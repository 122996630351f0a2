"""What a person looks for among the images of a classification, as the page's address has it."""

from typing import Any

from flask import request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from web.forms import given_fields
from web.numbers_in_addresses import MAX_INTEGER
from worker.image_index import Order, Status, Wanted

MOST_TEXT = 200


class ImageFilter(BaseModel):
    """Every field may be left out. Confidence is in percent, as the page shows it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    label: str | None = None
    truth: str | None = None
    status: Status | None = None
    quality: str | None = None
    least: float | None = Field(None, ge=0, le=100)
    most: float | None = Field(None, ge=0, le=100)
    q: str | None = Field(None, max_length=MOST_TEXT)
    order: Order = Order.ROW
    after: int | None = Field(None, ge=0, le=MAX_INTEGER)

    @model_validator(mode="after")
    def _check_range(self) -> "ImageFilter":
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError("The least confidence is greater than the most; exchange them")
        return self

    @property
    def wanted(self) -> Wanted:
        return Wanted(
            label=self.label,
            truth=self.truth,
            status=self.status,
            quality=self.quality,
            least=None if self.least is None else self.least / 100,
            most=None if self.most is None else self.most / 100,
            text=self.q,
            order=self.order,
        )

    def query(self, **changes: Any) -> dict[str, Any]:
        """The query of a link to the same, with some of it changed; it begins at the first image again."""
        kept = self.model_dump(mode="json", exclude_defaults=True, exclude={"after"})
        return {name: value for name, value in (kept | changes).items() if value is not None}


def filter_of_request() -> ImageFilter:
    """
    Raises:
        ValidationError: a value that no image can have.
    """
    return ImageFilter.model_validate(given_fields(request.args))

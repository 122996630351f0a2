"""The links at the top of every page."""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from flask import current_app, request, url_for

PAGES = (
    ("home.index", "Home"),
    ("jobs.index", "Jobs"),
    ("train.form", "Train"),
    ("classify.form", "Classify"),
    ("predict.form", "Draw"),
    ("models.index", "Models"),
    ("datasets.index", "Data sets"),
    ("compare.show", "Compare"),
    ("reference.show", "API"),
)


@dataclass(frozen=True)
class Link:
    """`current` if it links to this page or to a parent of this page."""

    text: str
    address: str
    current: bool


def navigation() -> dict[str, Any]:
    """What the base template needs on every page, including error pages."""
    links = [(text, url_for(endpoint)) for endpoint, text in PAGES if endpoint in current_app.view_functions]
    return {
        "navigation": [Link(text, address, _is_current(address)) for text, address in links],
        "endpoints": current_app.view_functions,
        "version": version("tenfold"),
    }


def _is_current(address: str) -> bool:
    here, start = f"{request.script_root}{request.path}", f"{request.script_root}/"
    return here == address or (address != start and here.startswith(f"{address}/"))

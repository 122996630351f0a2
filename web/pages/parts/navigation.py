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


# Blueprints whose addresses do not start with that of the page that leads to them.
BELOW = {"aliases": "models.index"}


@dataclass(frozen=True)
class Link:
    """`current` if it links to this page or to a parent of this page."""

    text: str
    address: str
    current: bool


def navigation() -> dict[str, Any]:
    """What the base template needs on every page, including error pages."""
    above = BELOW.get(request.blueprint or "")
    links = [
        Link(text, url_for(endpoint), endpoint == above or _is_current(url_for(endpoint)))
        for endpoint, text in PAGES
        if endpoint in current_app.view_functions
    ]
    return {
        "navigation": links,
        "endpoints": current_app.view_functions,
        "version": version("tenfold"),
    }


def _is_current(address: str) -> bool:
    here, start = f"{request.script_root}{request.path}", f"{request.script_root}/"
    return here == address or (address != start and here.startswith(f"{address}/"))

"""The pages that every page links to."""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from flask import current_app, request, url_for

PAGES = (
    ("home.index", "Home"),
    ("pages.jobs", "Jobs"),
    ("pages.train_form", "Train"),
    ("pages.classify_form", "Classify"),
    ("predict.form", "Draw"),
    ("pages.models", "Models"),
    ("datasets.index", "Data sets"),
    ("compare.show", "Compare"),
    ("reference.show", "API"),
)


@dataclass(frozen=True)
class Link:
    """`current` is the page that is shown, or the one under which it is found."""

    text: str
    address: str
    current: bool


def navigation() -> dict[str, Any]:
    """What the base template needs on every page, also on one that tells of an error."""
    links = [(text, url_for(endpoint)) for endpoint, text in PAGES if endpoint in current_app.view_functions]
    return {
        "navigation": [Link(text, address, _is_current(address)) for text, address in links],
        "endpoints": current_app.view_functions,
        "version": version("tenfold"),
    }


def _is_current(address: str) -> bool:
    here, start = f"{request.script_root}{request.path}", f"{request.script_root}/"
    return here == address or (address != start and here.startswith(f"{address}/"))

"""The page of what differs between two data sets."""

from flask import Blueprint, render_template, request

from tenfold.web.api.documents.dataset_differences import dataset_differences
from tenfold.web.core.services import services
from tenfold.worker.datasets.datasets import list_datasets
from tenfold.worker.datasets.differences import compare_datasets

blueprint = Blueprint("dataset_diff", __name__)

# Of each list.
SHOWN = 60


@blueprint.get("/datasets/<name>/diff")
def show(name: str) -> str:
    """`?other=` is the data set to compare with; without it, a form to choose one."""
    volume = services().volume
    other = request.args.get("other", "")
    return render_template(
        "datasets/diff.html",
        name=name,
        other=other,
        others=[entry.name for entry in list_datasets(volume) if entry.ready and entry.name != name],
        found=dataset_differences(compare_datasets(volume, name, other)) if other else None,
        shown=SHOWN,
    )

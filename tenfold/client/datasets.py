"""The calls of the API about data sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from tenfold.client.errors import content_of
from tenfold.client.job import Job
from tenfold.client.options import ImportOptions, given
from tenfold.client.submitting import Submissions, quoted

if TYPE_CHECKING:
    from tenfold.web.api.documents.dataset_differences import DatasetDifferences
    from tenfold.web.api.documents.datasets import DatasetItem


class DatasetCalls(Submissions):
    """Data sets: to import, look at, check and correct."""

    def import_dataset(
        self,
        name: str,
        path: str | Path | None = None,
        *,
        upload: str | None = None,
        on_bytes: Callable[[int], None] = lambda count: None,
        idempotency_key: str | None = None,
        **parameters: Unpack[ImportOptions],
    ) -> Job:
        """Upload a data set and queue its import.

        Args:
            name: the name for trainings to use.
            path: a zip of class folders, a zip of MNIST's four files, an .npz or a .csv.
            upload, on_bytes: as for `classify`.

        Raises:
            ValueError: neither a path nor an upload was given.
        """
        if path is None:
            if upload is None:
                raise ValueError("Give the path of a file to send, or an upload.")
            query = given({**parameters, "name": name, "upload": upload})
            return self._queue("datasets", idempotency_key, params=query)
        path, query = Path(path), {**parameters, "name": name}
        return self._submit_file("datasets", path, path.name, query, upload, on_bytes, idempotency_key)

    def datasets(self) -> list[DatasetItem]:
        """All data sets."""
        datasets: list[DatasetItem] = self.document("GET", "datasets", needs=("items",))["items"]
        return datasets

    def dataset(self, name: str) -> dict[str, Any]:
        """A data set with the report of its import."""
        dataset: dict[str, Any] = self.document("GET", f"datasets/{quoted(name)}", needs=("name",))
        return dataset

    def dataset_preview(self, name: str) -> bytes:
        """Sample images of each class, as a PNG file."""
        return content_of(self.request("GET", f"datasets/{quoted(name)}/preview.png"), "image/")

    def dataset_image(self, name: str, part: Literal["train", "test"], index: int) -> bytes:
        """A training or test image of a data set, by its number from 0, as a PNG file."""
        return content_of(self.request("GET", f"datasets/{quoted(name)}/images/{part}/{index}.png"), "image/")

    def dataset_differences(self, name: str, other: str) -> DatasetDifferences:
        """What became of a data set in another one: images added, removed, with another label, in the other part."""
        path = f"datasets/{quoted(name)}/diff"
        found: DatasetDifferences = self.document("GET", path, params={"other": other}, needs=("summary",))
        return found

    def dataset_versions(self, name: str) -> list[DatasetItem]:
        """The data sets that were made from this one with corrected labels."""
        path = f"datasets/{quoted(name)}/versions"
        versions: list[DatasetItem] = self.document("GET", path, needs=("items",))["items"]
        return versions

    def check_dataset(self, name: str, *, idempotency_key: str | None = None) -> Job:
        """Queue a check of a data set's labels; `Job.results` then has the suspected ones, the clearest first."""
        return self._submit("checks", {"dataset": name}, idempotency_key)

    def relabel_dataset(
        self, name: str, new: str, corrections: Sequence[Mapping[str, Any]], content_sha256: str | None = None
    ) -> dict[str, Any]:
        """Make the data set `new` from `name`, which stays as it is, with corrected labels.

        Args:
            corrections: up to 1,000 of `{"part": "train" or "test", "index": 17, "label": "l"}`; the label None leaves
                the image out.
            content_sha256: refuse if `name` has another content by now.
        """
        body = {"name": new, "corrections": list(corrections), "content_sha256": content_sha256}
        made: dict[str, Any] = self.document("POST", f"datasets/{quoted(name)}/versions", json=body, needs=("name",))
        return made

    def delete_dataset(self, name: str) -> None:
        """Delete an imported data set. Models trained on it are kept."""
        self.request("DELETE", f"datasets/{quoted(name)}")

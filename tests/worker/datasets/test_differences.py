"""Which data sets are compared in a web request."""

import pytest

from tenfold.trainer.data.datasets import Dataset
from tenfold.worker.datasets import differences
from tenfold.worker.datasets.differences import compare_datasets
from tenfold.worker.errors import WrongState
from tenfold.worker.services import Services
from tests.conftest import write_dataset


def test_too_large_data_sets_are_refused(services: Services, mnist: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    write_dataset(mnist.head(60, 30), services.volume.dataset("a"))
    monkeypatch.setattr(differences, "MAX_BYTES", 100_000)

    with pytest.raises(WrongState, match="a and a have"):
        compare_datasets(services.volume, "a", "a")


def test_a_built_in_one_that_is_not_downloaded_is_refused(services: Services) -> None:
    with pytest.raises(WrongState, match="not downloaded yet"):
        compare_datasets(services.volume, "mnist", "fashion-mnist")

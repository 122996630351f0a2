"""The job that checks the labels of a data set."""

import pytest

from tenfold.trainer.data.datasets import Dataset
from tenfold.worker.checks.parameters import CheckParameters
from tenfold.worker.checks.step import check_labels
from tenfold.worker.checks.submission import submit_check
from tenfold.worker.datasets.datasets import delete_dataset
from tenfold.worker.errors import InvalidSubmission, LeaseLost, WrongState
from tenfold.worker.services import Services
from tests.conftest import write_dataset
from tests.reviews import work_off


def test_a_data_set_with_too_few_images_fails_with_the_reason(services: Services, mnist: Dataset) -> None:
    write_dataset(mnist.head(10, 5), services.volume.dataset("few"))

    job = work_off(services, submit_check(services, CheckParameters(dataset="few")))

    assert "has 15 images; a check needs at least 20" in (job.error or "")


def test_a_data_set_that_is_being_checked_is_not_deleted(services: Services, mnist: Dataset) -> None:
    write_dataset(mnist.head(40, 20), services.volume.dataset("few"))
    job = submit_check(services, CheckParameters(dataset="few"))

    with pytest.raises(WrongState, match=job.id):
        delete_dataset(services, "few")


def test_one_that_does_not_exist_is_refused(services: Services) -> None:
    with pytest.raises(InvalidSubmission, match="nosuch") as refused:
        submit_check(services, CheckParameters(dataset="nosuch"))

    assert refused.value.field == "dataset"


def test_a_cancelled_check_leaves_nothing(services: Services, mnist: Dataset) -> None:
    write_dataset(mnist.head(40, 20), services.volume.dataset("few"))
    job = submit_check(services, CheckParameters(dataset="few"))
    [step] = services.jobs.queued_steps(job.id)
    lease = services.leases.claim(step, "worker")
    assert lease is not None
    services.jobs.cancel(job.id)

    with pytest.raises(LeaseLost):
        check_labels(services, lease, lambda: services.leases.renew(lease))

    assert [path.name for path in services.volume.job(job.id).iterdir() if path.is_file()] == []

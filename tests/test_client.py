"""The client against the whole stack: outcomes as tables, progress as a bar, a web that is killed meanwhile."""

import os
import signal
from pathlib import Path

import pytest

from tenfold.client import Client
from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import write_digit_zip
from tests.conftest import write_dataset
from tests.up import Up
from tests.waiting import until

# A machine that does much else at once takes longer to start the web again.
PATIENT = 10


@pytest.fixture(scope="module")
def client(up: Up) -> Client:
    return Client(up.url, retries=PATIENT)


@pytest.fixture(scope="module")
def few(up: Up, mnist: Dataset) -> str:
    """A data set of the first digits, on which an epoch takes a moment."""
    write_dataset(mnist.head(train=4000, test=1000), up.directory / "data" / "datasets" / "few")
    return "few"


def test_outcomes_are_tables(
    client: Client, few: str, mnist: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = tmp_path / "digits.zip"
    write_digit_zip(mnist.test_images[:30], mnist.test_labels[:30], images)

    training = client.train("dropout-128", dataset=few, epochs=2).wait(progress=True)
    classification = client.classify(images, model=training.summary["model"]).wait()
    space = {"learning_rate": [0.001, 0.01]}
    sweep = client.sweep("custom", space, method="grid", dataset=few, epochs=1, filters=[2], units=[]).wait()

    assert training.results()["epoch"].tolist() == [1, 2]
    assert "2/2 epochs succeeded" in capsys.readouterr().out
    results = classification.results()
    assert results["true_label"].tolist() == [str(label) for label in mnist.test_labels[:30]]
    assert (results["prediction"] == results["true_label"]).mean() > 0.7
    assert results["accepted"].dtype == bool
    assert len(sweep.results()) == 2


def test_a_web_that_is_killed_is_waited_for_and_nothing_is_queued_twice(up: Up, client: Client, few: str) -> None:
    before = len(client.jobs(limit=1000))
    [killed] = web_masters(up)
    os.kill(killed, signal.SIGKILL)

    job = client.train("dropout-128", dataset=few, epochs=1)

    assert len(client.jobs(limit=1000)) == before + 1
    assert job.wait().state == "succeeded"
    wait_for_another_web(up, client, killed)


def wait_for_another_web(up: Up, client: Client, killed: int) -> None:
    """The killed one's children go on for a moment, and may have answered until now."""
    until(lambda: killed not in (masters := web_masters(up)) and len(masters) == 1 and client.ready())


def web_masters(up: Up) -> list[int]:
    """The processes that run the web, but the children of another such process."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"tenfold.web.serve\0--host\x00127.0.0.1\0--port\0{up.port}" in (process / "cmdline").read_text():
                found[int(process.name)] = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    return [pid for pid, parent in found.items() if parent not in found]

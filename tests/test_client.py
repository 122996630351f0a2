"""The client against the whole stack: outcomes as tables, progress as a bar, a web that is killed meanwhile."""

import os
import signal
from pathlib import Path

import pytest

from tests.up import Up
from trainer.datasets import Dataset
from trainer.samples import write_digit_zip
from web.client import Client

# A machine that does much else at once takes longer to start the web again.
PATIENT = 10


@pytest.fixture(scope="module")
def client(up: Up) -> Client:
    return Client(up.url, retries=PATIENT)


def test_outcomes_are_tables(
    client: Client, mnist: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = tmp_path / "digits.zip"
    write_digit_zip(mnist.test_images[:30], mnist.test_labels[:30], images)

    training = client.train("dropout-128", epochs=2).wait(progress=True)
    classification = client.classify(images, model=training.summary["model"]).wait()
    sweep = client.sweep("custom", {"units": [[4], [64]]}, method="grid", epochs=1).wait()

    assert training.results()["epoch"].tolist() == [1, 2]
    assert "2/2 epochs succeeded" in capsys.readouterr().out
    results = classification.results()
    assert results["truth"].tolist() == [str(label) for label in mnist.test_labels[:30]]
    assert (results["label"] == results["truth"]).mean() > 0.9
    assert results["accepted"].dtype == bool
    assert len(sweep.results()) == 2


def test_a_web_that_is_killed_is_waited_for_and_nothing_is_queued_twice(up: Up, client: Client) -> None:
    before = len(client.jobs(limit=1000))
    os.kill(web_process(up), signal.SIGKILL)

    job = client.train("dropout-128", epochs=1)

    assert len(client.jobs(limit=1000)) == before + 1
    assert job.wait().state == "succeeded"


def web_process(up: Up) -> int:
    """The process that `tenfold up` started as the web: the one that the others of its kind are children of."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"web.serve\0--host\x00127.0.0.1\0--port\0{up.port}" in (process / "cmdline").read_text():
                found[int(process.name)] = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    [master] = [pid for pid, parent in found.items() if parent not in found]
    return master

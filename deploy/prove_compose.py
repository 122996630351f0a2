"""Runs docker-compose.yml for real and shows that it does what it should; repeatable, and cleans up after itself.

    .venv/bin/python deploy/prove_compose.py                           with `docker compose`
    COMPOSE=docker-compose .venv/bin/python deploy/prove_compose.py    with another compose command

It builds the images if they are not there, and takes port 8000 and the project's own volume, which it removes.
Two workers train and classify through the published port; then one worker is killed in the middle of a
classification, Redis and the web are restarted, and every image must be there once.
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from trainer.datasets import load_dataset
from trainer.fetch import ensure_dataset
from trainer.samples import png, write_digit_zip
from web.client import Client

ROOT = Path(__file__).parent.parent
COMPOSE = shlex.split(os.environ.get("COMPOSE", "docker compose"))
SERVER = "http://127.0.0.1:8000"
SHARD_IMAGES = "500"
LEASE_SECONDS = "5"
PATIENCE_SECONDS = 180


def main() -> None:
    root = ROOT / ".cache" / "datasets"
    ensure_dataset("mnist", root, report=say)
    try:
        compose("up", "-d", "--scale", "worker=2")
        with Client(SERVER) as client:
            until(client.ready, "the web answers")
            seed_datasets(root)
            with tempfile.TemporaryDirectory() as directory:
                prove(client, root, Path(directory))
    finally:
        compose("down", "--volumes")
    say("all well")


def prove(client: Client, root: Path, directory: Path) -> None:
    training = client.train("dropout-128", epochs=2).wait(timeout_seconds=PATIENCE_SECONDS)
    check(
        training.state == "succeeded",
        f"trained through {SERVER}: test accuracy {training.summary.get('test_accuracy')}",
    )

    mnist = load_dataset("mnist", root)
    until(lambda: client.request("GET", "readyz").json()["checks"]["predictor"] == "ok", "the predictor is there")
    answer = client.predict(png(mnist.test_images[0]))
    check(answer["label"] == "7", f"read one image at once, in {answer['milliseconds']} ms")

    digits = directory / "digits.zip"
    write_digit_zip(mnist.test_images, mnist.test_labels, digits)
    job = client.classify(digits).wait(timeout_seconds=PATIENCE_SECONDS)
    check(job.summary.get("images") == 10_000 and job.summary["errors"] == 0, f"classified: {job.summary}")
    check(len(job.summary["workers"]) == 2, f"both workers took shards: {job.summary['workers']}")

    big = directory / "big.zip"
    write_digit_zip(mnist.train_images[:40_000], mnist.train_labels[:40_000], big)
    job = client.classify(big)
    until(lambda: job.refresh().document["progress"]["done"] > 2_000, "a larger classification is on its way")
    victim = containers("worker")[0]
    subprocess.run(["docker", "kill", victim], check=True, stdout=subprocess.DEVNULL)
    say(f"killed worker {victim[:12]}")
    compose("restart", "redis")
    compose("restart", "web")
    until(client.ready, "the web answers again")
    job.wait(timeout_seconds=PATIENCE_SECONDS)
    check(job.state == "succeeded", f"it ended all the same: {job.summary}")
    [results] = [path for path in job.fetch(directory / "results") if path.name == "results.jsonl"]
    names = [json.loads(line)["name"] for line in results.read_text().splitlines()]
    expected = [f"{label}/{index:05d}.png" for index, label in enumerate(mnist.train_labels[:40_000])]
    check(names == expected, f"all {len(names):,} images are in the result once, in order")


def seed_datasets(root: Path) -> None:
    """What the docs say for machines without internet: the data set goes onto the volume by tar."""
    packed = subprocess.run(["tar", "-C", root, "-cf", "-", "mnist"], check=True, capture_output=True).stdout
    compose("exec", "-T", "web", "tar", "-C", "/data/datasets", "-xf", "-", given=packed)


def containers(service: str) -> list[str]:
    listed = subprocess.run([*COMPOSE, "ps", "-q", service], cwd=ROOT, check=True, capture_output=True, text=True)
    return listed.stdout.split()


def compose(*arguments: str, given: bytes | None = None) -> None:
    environment = os.environ | {"TENFOLD_SHARD_IMAGES": SHARD_IMAGES, "TENFOLD_LEASE_SECONDS": LEASE_SECONDS}
    say(" ".join(("compose", *arguments)))
    subprocess.run([*COMPOSE, *arguments], cwd=ROOT, env=environment, input=given, check=True)


def until(seen: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not seen():
        if time.monotonic() > deadline:
            sys.exit(f"FAILED: not in {PATIENCE_SECONDS} s: {what}")
        time.sleep(0.1)
    say(what)


def check(well: bool, what: str) -> None:
    if not well:
        sys.exit(f"FAILED: {what}")
    say(what)


def say(what: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {what}", flush=True)


if __name__ == "__main__":
    main()

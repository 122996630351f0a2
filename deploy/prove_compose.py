"""Runs docker-compose.yml for real and shows that it does what it should; repeatable, and cleans up after itself.

    .venv/bin/python deploy/prove_compose.py                           with `docker compose`
    COMPOSE=docker-compose .venv/bin/python deploy/prove_compose.py    with another compose command

It builds the images if they are not there, and takes port 8000 and the project's own volume, which it removes.
A worker trains and classifies through the published port. While it goes through many images a second one comes and
goes, then a worker is killed, and Redis and the web restart. A worker that trains is told to stop and gives its
training back. Every job ends well, with every image there once and no training started over.
"""

import json
import os
import secrets
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tenfold.client import Client, Job
from tenfold.trainer.data.datasets import load_dataset
from tenfold.trainer.data.fetch import ensure_dataset
from tenfold.trainer.data.samples import png, write_digit_zip

ROOT = Path(__file__).parent.parent
COMPOSE = shlex.split(os.environ.get("COMPOSE", "docker compose"))
SERVER = "http://127.0.0.1:8000"
SHARD_IMAGES = "500"
LEASE_SECONDS = "5"
PATIENCE_SECONDS = 600


def main() -> None:
    root = ROOT / ".cache" / "datasets"
    ensure_dataset("mnist", root, report=say)
    token = os.environ.setdefault("TENFOLD_TOKEN", secrets.token_urlsafe(32))  # which docker-compose.yml passes on
    try:
        compose("up", "-d", "--scale", "worker=1")
        with Client(SERVER, key=token) as client:
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
    check(answer["prediction"] == "7", f"read one image at once, in {answer['milliseconds']} ms")

    check_confined("web")
    check_confined("worker")

    big = directory / "big.zip"
    write_digit_zip(np.tile(mnist.train_images, (2, 1, 1)), np.tile(mnist.train_labels, 2), big)
    scale_while_classifying(client, big, directory)
    kill_while_classifying(client, big, directory)
    stop_while_training(client, directory)


def scale_while_classifying(client: Client, big: Path, directory: Path) -> None:
    jobs = [client.classify(big) for _ in range(3)]
    until(lambda: done(jobs[0]) > 500, "a classification is on its way")
    compose("up", "-d", "--no-recreate", "--scale", "worker=2")
    until(lambda: all(healthy(worker) for worker in containers("worker")), "the second worker is there")
    before = done(*jobs)
    until(lambda: done(*jobs) > before + 10_000, "both go on")
    check(not all(job.refresh().finished for job in jobs), "there is still work while one worker goes")
    compose("up", "-d", "--no-recreate", "--scale", "worker=1")
    for job in jobs:
        check_complete(job, directory)
    workers = set().union(*(job.summary["workers"] for job in jobs))
    check(len(workers) == 2, f"both workers took shards: {sorted(workers)}")


def kill_while_classifying(client: Client, big: Path, directory: Path) -> None:
    compose("up", "-d", "--no-recreate", "--scale", "worker=2")
    job = client.classify(big)
    until(lambda: done(job) > 2_000, "another classification is on its way")
    victim = containers("worker")[0]
    docker("kill", victim)
    say(f"killed worker {victim[:12]}")
    compose("restart", "redis")
    compose("restart", "web")
    until(client.ready, "the web answers again")
    check_complete(job, directory)
    docker("start", victim)


def stop_while_training(client: Client, directory: Path) -> None:
    until(lambda: all(healthy(worker) for worker in containers("worker")), "two workers are there again")
    job = client.train("dropout-128", epochs=10)
    until(lambda: done(job) >= 2, "a training is on its way")
    [busy] = [worker for worker in containers("worker") if job.id in jobs_in_log(worker)]
    began = time.monotonic()
    docker("stop", "--time", str(PATIENCE_SECONDS), busy)
    status = docker("inspect", "--format", "{{.State.ExitCode}}", busy)
    check(status == "0", f"worker {busy[:12]} stopped within {time.monotonic() - began:.1f} s of SIGTERM")
    job.wait(timeout_seconds=PATIENCE_SECONDS)
    check(job.state == "succeeded", f"the other worker went on with it: {job.summary.get('test_accuracy')}")
    [log] = [path for path in job.fetch(directory / job.id) if path.name == "log.txt"]
    lines = log.read_text()
    check("released" in lines, "the step was released")
    check(lines.count("epoch 1 of 10:") == 1, "it did not start over")
    check(
        [epoch["epoch"] for epoch in job.document["progress"]["detail"]["history"]] == list(range(1, 11)),
        "all of them were done",
    )


def check_complete(job: Job, directory: Path) -> None:
    job.wait(timeout_seconds=PATIENCE_SECONDS)
    check(job.state == "succeeded", f"it ended well: {job.summary}")
    [results] = [path for path in job.fetch(directory / job.id) if path.name == "results.jsonl"]
    names = [json.loads(line)["name"] for line in results.read_text().splitlines()]
    check(
        len(names) == len(set(names)) == job.summary["images"] and names == sorted(names, key=number),
        f"all {len(names):,} images are in the result once, in order",
    )


def number(name: str) -> int:
    """Of `write_digit_zip`'s image `label/number.png`."""
    return int(Path(name).stem)


def check_confined(service: str) -> None:
    probe = "import os; os.access('/app', os.W_OK) and exit(1); print(os.getuid(), open('/proc/self/status').read())"
    seen = subprocess.run(
        [*COMPOSE, "exec", "-T", service, "python", "-c", probe], cwd=ROOT, capture_output=True, text=True
    )
    check(
        seen.returncode == 0
        and seen.stdout.startswith("10001 ")
        and "CapBnd:\t0000000000000000" in seen.stdout
        and "NoNewPrivs:\t1" in seen.stdout,
        f"{service} runs without privileges on a root that it cannot write to",
    )


def jobs_in_log(container: str) -> set[str]:
    """Every line that our own code logs is a JSON object; those about a job say which."""
    logged = subprocess.run(["docker", "logs", container], check=True, capture_output=True, text=True)
    lines = [json.loads(line) for line in (logged.stdout + logged.stderr).splitlines() if line.startswith("{")]
    return {line["job"] for line in lines if "job" in line}


def done(*jobs: Job) -> int:
    return sum(job.refresh().document["progress"]["done"] for job in jobs)


def healthy(container: str) -> bool:
    return docker("inspect", "--format", "{{.State.Health.Status}}", container) == "healthy"


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()


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

"""The files for Docker Compose: what they start is confined, checked for health, and set with settings there are.

`deploy/prove_compose.py` runs them for real where there is a container engine.
"""

import platform
import subprocess
import sys
import tomllib

import pytest
import yaml

from tenfold.web.core.settings import WebSettings
from tests.deploy.pods import Document
from tests.paths import ROOT


def services(*files: str) -> dict[str, Document]:
    """The services of several files, each later file's fields over the earlier ones', as Compose merges them."""
    merged: dict[str, Document] = {}
    for file in files:
        for name, service in yaml.safe_load((ROOT / file).read_text())["services"].items():
            before = merged.setdefault(name, {})
            merged[name] = (
                before
                | service
                | {
                    field: before.get(field, {}) | service[field]
                    for field in ("environment", "depends_on", "build")
                    if field in service
                }
            )
    return merged


BASE = "docker-compose.yml"
SHAPES = {
    "one machine": services(BASE),
    "gpu": services(BASE, "deploy/compose.gpu.yml"),
    "postgres": services(BASE, "deploy/compose.postgres.yml"),
}


@pytest.fixture(params=list(SHAPES.values()), ids=list(SHAPES))
def shape(request: pytest.FixtureRequest) -> dict[str, Document]:
    found: dict[str, Document] = request.param
    return found


def test_every_container_is_confined(shape: dict[str, Document]) -> None:
    for name, service in shape.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert not {"privileged", "cap_add", "network_mode", "pid"} & service.keys(), name
        assert not any(volume.startswith(("/", ".")) for volume in service.get("volumes", [])), name


def test_every_container_is_checked_for_health_and_comes_back(shape: dict[str, Document]) -> None:
    for name, service in shape.items():
        assert service["healthcheck"]["test"], name
        assert service["restart"] == "unless-stopped", name


def test_nobody_is_root(shape: dict[str, Document]) -> None:
    stages = (ROOT / "deploy" / "Dockerfile").read_text().split("\nFROM ")[1:]

    assert len(stages) == 3
    for stage in stages[1:]:
        assert "\nUSER 10001\n" in stage
    for name, service in shape.items():
        if not service["image"].startswith("tenfold-"):
            assert service["user"] not in ("root", "0"), name


def test_only_the_web_is_published_and_only_to_this_machine(shape: dict[str, Document]) -> None:
    published = {name: service["ports"] for name, service in shape.items() if "ports" in service}

    assert published == {"web": ["${TENFOLD_PUBLISH:-127.0.0.1:8000}:8000"]}


def test_every_setting_is_one_that_there_is(shape: dict[str, Document]) -> None:
    settings = {f"TENFOLD_{name.upper()}" for name in WebSettings.model_fields}

    for name, service in shape.items():
        ours = {variable for variable in service.get("environment", {}) if variable.startswith("TENFOLD_")}
        assert ours <= settings, name


def test_with_postgres_all_that_use_the_table_of_jobs_are_told_so() -> None:
    for name in ("web", "worker", "predictor"):
        url = SHAPES["postgres"][name]["environment"]["TENFOLD_DATABASE_URL"]
        assert url.startswith("postgresql+psycopg://tenfold:${TENFOLD_POSTGRES_PASSWORD:?"), name
    assert SHAPES["postgres"]["web"]["depends_on"].keys() == {"redis", "postgres"}


def test_a_gpu_is_reserved_for_the_worker_whose_image_has_cuda() -> None:
    worker = SHAPES["gpu"]["worker"]

    [device] = worker["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
    assert "gpu" in worker["build"]["args"]["EXTRAS"].split()
    assert worker["image"] != SHAPES["one machine"]["worker"]["image"]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="only there TensorFlow's usual build has CUDA code")
def test_tensorflow_comes_without_cuda_unless_the_image_is_for_gpus() -> None:
    assert [line for line in requirements("worker", "exports") if line.startswith("tensorflow")] == [
        line.replace("tensorflow>=", "tensorflow-cpu>=") for line in extra("worker") if line.startswith("tensorflow>")
    ]
    assert any(line.startswith("tensorflow[and-cuda]") for line in requirements("worker", "exports", "gpu"))


def test_the_web_s_image_has_neither_tensorflow_nor_keras() -> None:
    assert not any(line.startswith(("tensorflow", "keras")) for line in requirements("server", "postgres"))


def requirements(*extras: str) -> list[str]:
    """What the Dockerfile installs."""
    script = [sys.executable, "deploy/requirements.py", *extras]
    return subprocess.run(script, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()


def extra(name: str) -> list[str]:
    lines: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"][name]
    return lines

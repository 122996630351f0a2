"""Kubernetes' manifests as `kubectl kustomize` builds them."""

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
import yaml

from tests.deploy.pods import Document
from tests.paths import ROOT

DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
KUBECTL = Path(sysconfig.get_path("scripts")) / "kubectl"

OVERLAYS = ("cpu", "gpu", "keda", "s3")


def build(overlay: Path) -> list[Document]:
    built = subprocess.run([KUBECTL, "kustomize", overlay], check=True, capture_output=True, text=True)
    assert not built.stderr
    return list(yaml.safe_load_all(built.stdout))


def build_with_monitoring(overlay: str, directory: Path) -> list[Document]:
    """The overlay with the component named in it, as the docs have a person do."""
    shutil.copytree(DEPLOY, directory / "deploy")
    changed = directory / "deploy" / "kubernetes" / "overlays" / overlay
    kustomization = changed / "kustomization.yaml"
    named = yaml.safe_load(kustomization.read_text())
    named["components"].append("../../components/monitoring")
    kustomization.write_text(yaml.safe_dump(named))
    return build(changed)


SHAPES = {
    f"{overlay}{', monitored' * watched}": (overlay, watched) for watched in (False, True) for overlay in OVERLAYS
}


@pytest.fixture(scope="session", params=list(SHAPES.values()), ids=list(SHAPES))
def documents(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Document]:
    """Everything that one overlay makes, bare or with monitoring."""
    overlay, watched = request.param
    if watched:
        return build_with_monitoring(overlay, tmp_path_factory.mktemp(overlay))
    return build(KUBERNETES / "overlays" / overlay)


@pytest.fixture(scope="session")
def keda() -> list[Document]:
    return build(KUBERNETES / "overlays" / "keda")


@pytest.fixture(scope="session", params=OVERLAYS)
def monitored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Document]:
    """Everything that one overlay makes with monitoring."""
    return build_with_monitoring(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session")
def secret() -> Document:
    """What the docs have a person create."""
    example: Document = yaml.safe_load((KUBERNETES / "secret.example.yaml").read_text())
    return example

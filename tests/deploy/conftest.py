"""Kubernetes' manifests as `kubectl kustomize` builds them."""

import subprocess
import sysconfig
from pathlib import Path

import pytest
import yaml

from tests.deploy.pods import Document

KUBERNETES = Path(__file__).parents[2] / "deploy" / "kubernetes"
KUBECTL = Path(sysconfig.get_path("scripts")) / "kubectl"


def build(overlay: str | Path) -> list[Document]:
    """What an overlay makes, named or by its directory."""
    built = subprocess.run(
        [KUBECTL, "kustomize", KUBERNETES / "overlays" / overlay], check=True, capture_output=True, text=True
    )
    assert not built.stderr
    return list(yaml.safe_load_all(built.stdout))


@pytest.fixture(scope="session", params=["cpu", "gpu", "keda", "s3"])
def documents(request: pytest.FixtureRequest) -> list[Document]:
    """Everything that one overlay makes."""
    return build(request.param)


@pytest.fixture(scope="session")
def keda() -> list[Document]:
    return build("keda")


@pytest.fixture(scope="session")
def secret() -> Document:
    """What the docs have a person create."""
    example: Document = yaml.safe_load((KUBERNETES / "secret.example.yaml").read_text())
    return example

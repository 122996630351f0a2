"""Where in Kubernetes' documents the pods are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True)
class Pod:
    """A template of pods: whose it is, its labels, and its specification."""

    owner: str
    labels: dict[str, str]
    spec: Document

    def __str__(self) -> str:
        return self.owner


def pods(documents: list[Document]) -> Iterator[Pod]:
    """The templates in Deployments, StatefulSets, Jobs and KEDA's ScaledJobs."""
    for document in documents:
        spec = document.get("spec", {})
        template = spec.get("jobTargetRef", spec).get("template")
        if template is not None:
            owner = f"{document['kind']}/{document['metadata']['name']}"
            yield Pod(owner, template["metadata"]["labels"], template["spec"])


def containers(documents: list[Document]) -> Iterator[tuple[Pod, Document]]:
    for pod in pods(documents):
        for container in pod.spec["containers"] + pod.spec.get("initContainers", []):
            yield pod, container


def of_kind(documents: list[Document], kind: str) -> list[Document]:
    return [document for document in documents if document["kind"] == kind]


def selects(selector: Document, labels: dict[str, str]) -> bool:
    """Whether a label selector meets these labels."""
    wanted = selector.get("matchLabels", {}).items() <= labels.items()
    return wanted and all(
        expression["operator"] == "In" and labels.get(expression["key"]) in expression["values"]
        for expression in selector.get("matchExpressions", [])
    )

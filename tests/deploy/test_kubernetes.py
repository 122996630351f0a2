"""Every overlay, bare or with monitoring, is valid to Kubernetes and the operators, is confined, and hangs together."""

import copy
import json
import os
import tomllib
from pathlib import Path

import kubernetes_validate
import pytest
from sqlalchemy import make_url

from tenfold.web.core.settings import WebSettings
from tenfold.worker.process.main import main as tenfold_worker
from tenfold.worker.process.once import ExitCode
from tenfold.worker.settings import Settings
from tests.deploy.conftest import KUBERNETES as MANIFESTS
from tests.deploy.conftest import build
from tests.deploy.operators import faults, is_an_operators
from tests.deploy.pods import Document, containers, of_kind, pods, selects
from tests.paths import ROOT

KUBERNETES = kubernetes_validate.latest_version()


def test_everything_is_valid_to_kubernetes_or_to_the_operator_whose_it_is(
    documents: list[Document], secret: Document
) -> None:
    for document in [*documents, secret]:
        if is_an_operators(document):
            assert not faults(document)
        else:
            kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_what_is_left_to_operators_is_what_their_overlays_say(keda: list[Document], monitored: list[Document]) -> None:
    theirs = {document["kind"] for document in [*keda, *monitored] if is_an_operators(document)}

    assert theirs == {"ScaledJob", "ScaledObject", "TriggerAuthentication", "PodMonitor", "PrometheusRule"}


def test_the_job_that_keda_makes_of_a_training_is_valid_to_kubernetes(keda: list[Document]) -> None:
    [scaled] = of_kind(keda, "ScaledJob")
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "training"},
        "spec": scaled["spec"]["jobTargetRef"],
    }

    kubernetes_validate.validate(job, KUBERNETES, strict=True)


def test_a_misspelled_field_would_be_found(documents: list[Document]) -> None:
    [web] = [document for document in of_kind(documents, "Deployment") if document["metadata"]["name"] == "web"]

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(web | {"spec": web["spec"] | {"replica": 2}}, KUBERNETES, strict=True)


def test_a_misspelled_field_of_an_operator_would_be_found(keda: list[Document]) -> None:
    [scaled] = copy.deepcopy(of_kind(keda, "ScaledObject"))
    scaled["spec"]["triggers"][0]["metaData"] = {}
    scaled["spec"]["maxReplicaCount"] = "20"

    assert len(faults(scaled)) == 2


def test_every_pod_satisfies_the_restricted_standard_that_the_namespace_enforces(documents: list[Document]) -> None:
    [namespace] = of_kind(documents, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"

    for pod in pods(documents):
        context = pod.spec["securityContext"]
        assert context["runAsNonRoot"], pod
        assert context["runAsUser"] > 0, pod
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, pod
        assert not any("hostPath" in volume for volume in pod.spec.get("volumes", [])), pod
    for pod, container in containers(documents):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False, pod
        assert context["capabilities"] == {"drop": ["ALL"]}, pod


def test_every_container_has_a_root_that_it_cannot_write_to_and_says_what_it_needs(documents: list[Document]) -> None:
    for pod, container in containers(documents):
        assert container["securityContext"]["readOnlyRootFilesystem"], pod
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), pod
        assert "memory" in container["resources"]["limits"], pod
        assert not container["image"].endswith(":latest"), pod
        assert ":" in container["image"], pod


def test_no_pod_is_given_the_cluster_s_credentials_or_variables_named_like_settings(documents: list[Document]) -> None:
    for pod in pods(documents):
        assert pod.spec["automountServiceAccountToken"] is False, pod
        assert pod.spec["enableServiceLinks"] is False, pod


def test_what_runs_for_ever_is_probed(documents: list[Document]) -> None:
    for document in of_kind(documents, "Deployment") + of_kind(documents, "StatefulSet"):
        for container in document["spec"]["template"]["spec"]["containers"]:
            assert {"startupProbe", "livenessProbe"} <= container.keys(), document["metadata"]["name"]


def test_whatever_a_pod_refers_to_exists(documents: list[Document], secret: Document) -> None:
    configs = {document["metadata"]["name"] for document in of_kind(documents, "ConfigMap")}
    claims = {document["metadata"]["name"] for document in of_kind(documents, "PersistentVolumeClaim")}

    for pod, container in containers(documents):
        for source in container.get("envFrom", []):
            assert source["configMapRef"]["name"] in configs, pod
        for variable in container.get("env", []):
            if "valueFrom" in variable:
                reference = variable["valueFrom"]["secretKeyRef"]
                assert reference["name"] == secret["metadata"]["name"], pod
                assert reference["key"] in secret["stringData"], pod
        for volume in pod.spec.get("volumes", []):
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in claims, pod


@pytest.mark.parametrize("overlay", ["cpu", "gpu", "keda"])
def test_all_pods_share_one_volume(overlay: str) -> None:
    [shared] = of_kind(build(MANIFESTS / "overlays" / overlay), "PersistentVolumeClaim")

    assert shared["spec"]["accessModes"] == ["ReadWriteMany"]


def test_with_a_bucket_no_claim_is_shared_and_whoever_needs_the_volume_may_reach_it() -> None:
    documents = build(MANIFESTS / "overlays" / "s3")

    assert not of_kind(documents, "PersistentVolumeClaim")
    [config] = of_kind(documents, "ConfigMap")
    [policy] = [each for each in of_kind(documents, "NetworkPolicy") if each["metadata"]["name"] == "to-bucket"]
    assert Settings(data=config["data"]["TENFOLD_DATA"], database_url="postgresql://").bucket == "s3://tenfold/data"
    on_the_volume = [
        pod for pod in pods(documents) if any(each["name"] == "data" for each in pod.spec.get("volumes", []))
    ]
    assert {pod.owner for pod in on_the_volume} == {
        "Deployment/web",
        "Deployment/worker",
        "Deployment/predictor",
        "Job/migrate",
    }
    for pod in on_the_volume:
        [container] = pod.spec["containers"]
        assert {"name": "data", "emptyDir": {"sizeLimit": "20Gi"}} in pod.spec["volumes"], pod
        assert {"name": "data", "mountPath": config["data"]["TENFOLD_CACHE"]} in container["volumeMounts"], pod
        variables = {variable["name"] for variable in container["env"]}
        assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= variables, pod
        assert pod.owner == "Job/migrate" or selects(policy["spec"]["podSelector"], pod.labels), pod


def test_the_trainings_of_keda_can_use_the_bucket_too(tmp_path: Path) -> None:
    overlays = ROOT / "deploy" / "kubernetes"
    (tmp_path / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        f"resources: [{os.path.relpath(overlays / 'overlays' / 'keda', tmp_path)}]\n"
        f"components: [{os.path.relpath(overlays / 'components' / 's3', tmp_path)}]\n"
    )

    documents = build(tmp_path)

    [training] = [pod for pod in pods(documents) if pod.owner == "ScaledJob/training"]
    assert training.spec["volumes"][0] == {"name": "data", "emptyDir": {"sizeLimit": "20Gi"}}


def test_every_setting_and_command_is_one_that_there_is(documents: list[Document]) -> None:
    settings = {f"TENFOLD_{name.upper()}" for name in WebSettings.model_fields}
    commands = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]

    assert {name for name in settings_of(documents) if not name.startswith("AWS_")} <= settings
    for pod, container in containers(documents):
        ours = {variable["name"] for variable in container.get("env", []) if variable["name"].startswith("TENFOLD_")}
        assert ours <= settings, pod
        if container.get("command"):
            name, *options = container["command"]
            assert name in commands, pod
            if name == "tenfold-worker":
                tenfold_worker.make_context(name, options)


def test_every_selector_meets_pods(documents: list[Document]) -> None:
    everybody = list(pods(documents))

    def somebody(selector: Document) -> bool:
        return any(selects(selector, pod.labels) for pod in everybody)

    for document in documents:
        kind, name, spec = document["kind"], document["metadata"]["name"], document.get("spec", {})
        if kind == "Service":
            assert somebody({"matchLabels": spec["selector"]}), name
        if kind in ("Deployment", "StatefulSet"):
            assert selects(spec["selector"], spec["template"]["metadata"]["labels"]), name
        if kind == "PodDisruptionBudget":
            assert somebody(spec["selector"]), name
        if kind == "NetworkPolicy":
            assert somebody(spec["podSelector"]), name


def test_every_pod_that_talks_to_redis_or_the_database_is_let_through(documents: list[Document]) -> None:
    policies = of_kind(documents, "NetworkPolicy")

    for pod, container in containers(documents):
        variables = {variable["name"] for variable in container.get("env", [])}
        for server, url in {"redis": "TENFOLD_REDIS_URL", "postgres": "TENFOLD_DATABASE_URL"}.items():
            if url in variables:
                [policy] = [policy for policy in policies if policy["metadata"]["name"] == server]
                [rule] = policy["spec"]["ingress"]
                assert any(selects(peer["podSelector"], pod.labels) for peer in rule["from"]), (pod, server)
                [leaving] = [policy for policy in policies if policy["metadata"]["name"] == "to-redis-and-database"]
                assert selects(leaving["spec"]["podSelector"], pod.labels), (pod, server)


def test_whoever_waits_for_the_migration_sees_one(documents: list[Document]) -> None:
    [migrate] = of_kind(documents, "Job")

    assert settings_of(documents)["TENFOLD_MIGRATE_AT_START"] == "false"
    assert migrate["spec"]["template"]["spec"]["containers"][0]["command"] == ["tenfold-migrate"]


def test_a_training_s_pod_is_tried_again_or_not_as_its_exit_code_says(keda: list[Document]) -> None:
    [scaled] = of_kind(keda, "ScaledJob")
    job = scaled["spec"]["jobTargetRef"]
    rules = {
        rule["onExitCodes"]["values"][0]: rule["action"]
        for rule in job["podFailurePolicy"]["rules"]
        if "onExitCodes" in rule
    }

    assert rules == {ExitCode.JOB_FAILED: "FailJob", ExitCode.TRY_AGAIN: "Ignore"}
    assert job["template"]["spec"]["restartPolicy"] == "Never"


@pytest.mark.parametrize("code", ExitCode)
def test_every_exit_code_is_documented(code: ExitCode) -> None:
    assert f"\n| `{code.value}` | " in (ROOT / "docs" / "operations" / "kubernetes.md").read_text()


def test_keda_asks_the_database_that_the_pods_use(keda: list[Document], secret: Document) -> None:
    url = make_url(secret["stringData"]["TENFOLD_DATABASE_URL"])
    [service] = [service for service in of_kind(keda, "Service") if service["metadata"]["name"] == url.host]
    [authentication] = of_kind(keda, "TriggerAuthentication")

    for document in of_kind(keda, "ScaledObject") + of_kind(keda, "ScaledJob"):
        [trigger] = document["spec"]["triggers"]
        asked = trigger["metadata"]
        assert asked["host"] == f"{url.host}.{service['metadata']['namespace']}.svc"
        assert asked["port"] == str(service["spec"]["ports"][0]["port"])
        assert (asked["userName"], asked["dbName"]) == (url.username, url.database)
        assert trigger["authenticationRef"] == {"name": authentication["metadata"]["name"]}
    [password] = authentication["spec"]["secretTargetRef"]
    assert (password["parameter"], password["name"]) == ("password", secret["metadata"]["name"])
    assert secret["stringData"][password["key"]] == url.password


def test_with_keda_trainings_are_left_to_jobs_and_nobody_else_says_how_many_workers_there_are(
    keda: list[Document],
) -> None:
    [worker] = [document for document in of_kind(keda, "Deployment") if document["metadata"]["name"] == "worker"]

    assert worker["spec"]["template"]["spec"]["containers"][0]["command"] == ["tenfold-worker", "--kind", "classify"]
    assert "replicas" not in worker["spec"]


def test_whoever_works_on_a_gpu_asks_for_one_and_says_so() -> None:
    on_gpu = [
        container
        for overlay in ("gpu", "keda")
        for _, container in containers(build(MANIFESTS / "overlays" / overlay))
        if "tenfold-worker-gpu" in container["image"]
    ]

    assert len(on_gpu) == 2
    for container in on_gpu:
        assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
        assert {"name": "TENFOLD_DEVICE", "value": "gpu"} in container["env"]


def test_the_web_believes_its_ingress_and_knows_its_own_name(documents: list[Document]) -> None:
    """Without either, cookies are not kept to https, and everybody has the ingress' address."""
    [ingress] = of_kind(documents, "Ingress")
    settings = settings_of(documents)

    hosts = {rule["host"] for rule in ingress["spec"]["rules"]}
    assert settings["TENFOLD_PROXIES"] == "1"
    assert hosts <= set(json.loads(settings["TENFOLD_TRUSTED_HOSTS"]))


def settings_of(documents: list[Document]) -> dict[str, str]:
    """What the pods are told by the ConfigMap of settings."""
    [config] = [config for config in of_kind(documents, "ConfigMap") if "TENFOLD_DATA" in config["data"]]
    data: dict[str, str] = config["data"]
    return data

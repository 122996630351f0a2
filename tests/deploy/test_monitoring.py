"""The component that lets Prometheus' operator watch an overlay: it finds the pods, may reach them, and warns alike."""

import json

import yaml

from tests.deploy.conftest import DEPLOY
from tests.deploy.pods import Document, of_kind, pods, selects


def test_the_alerts_are_those_of_prometheus_own_file(monitored: list[Document]) -> None:
    [alerts] = of_kind(monitored, "PrometheusRule")

    assert alerts["spec"] == yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())


def test_the_dashboard_is_the_one_there_is(monitored: list[Document]) -> None:
    [dashboard] = [document for document in of_kind(monitored, "ConfigMap") if "tenfold.json" in document["data"]]

    assert dashboard["metadata"]["labels"] == {"grafana_dashboard": "1"}
    there_is = json.loads((DEPLOY / "grafana" / "dashboards" / "tenfold.json").read_text())
    assert json.loads(dashboard["data"]["tenfold.json"]) == there_is


def test_every_web_worker_and_predictor_is_scraped_at_a_port_that_it_has_under_the_job_that_the_alerts_know(
    monitored: list[Document],
) -> None:
    known = {job["job_name"] for job in scrape_configs()}
    scraped = {}
    for monitor in of_kind(monitored, "PodMonitor"):
        [endpoint] = monitor["spec"]["podMetricsEndpoints"]
        for pod in pods(monitored):
            if selects(monitor["spec"]["selector"], pod.labels):
                ports = {port["name"] for container in pod.spec["containers"] for port in container["ports"]}
                assert endpoint["port"] in ports, pod
                [job] = [each for each in endpoint["relabelings"] if each["targetLabel"] == "job"]
                scraped[pod.labels["app.kubernetes.io/component"]] = job["replacement"]

    assert scraped == {"web": "tenfold-web", "worker": "tenfold-workers", "predictor": "tenfold-workers"}
    assert set(scraped.values()) == known


def test_prometheus_is_let_through_to_each_port_that_it_asks(monitored: list[Document]) -> None:
    [policy] = [one for one in of_kind(monitored, "NetworkPolicy") if one["metadata"]["name"] == "monitoring-to-all"]
    [rule] = policy["spec"]["ingress"]
    open_ports = {port["port"] for port in rule["ports"]}

    for pod in pods(monitored):
        if selects(policy["spec"]["podSelector"], pod.labels):
            ports = {port["containerPort"] for container in pod.spec["containers"] for port in container["ports"]}
            assert ports <= open_ports, pod


def test_workers_and_predictor_export_at_the_port_that_is_scraped(monitored: list[Document]) -> None:
    [config] = [config for config in of_kind(monitored, "ConfigMap") if "TENFOLD_DATA" in config["data"]]
    asked = {
        port["containerPort"]
        for pod in pods(monitored)
        for container in pod.spec["containers"]
        for port in container.get("ports", [])
        if port["name"] == "metrics"
    }

    assert asked == {int(config["data"]["TENFOLD_METRICS_PORT"])}


def scrape_configs() -> list[Document]:
    configs: list[Document] = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    return configs

"""Dashboard and alerts ask for what the processes of a real stack export, and the docs name all of it."""

import json
import os
import re
import signal
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tenfold.trainer.data.datasets import Dataset
from tenfold.trainer.data.samples import png, write_digit_zip
from tests import patient
from tests.paths import ROOT
from tests.up import Up
from tests.waiting import until

DASHBOARD = ROOT / "deploy" / "grafana" / "dashboards" / "tenfold.json"
RULES = ROOT / "deploy" / "prometheus" / "rules.yml"

# What Prometheus itself says of each target, and the labels that it adds to all.
OF_PROMETHEUS = {"up": set[str]()}
ADDED_LABELS = {"job", "instance"}

# Only where there is a GPU.
ON_GPUS = {"tenfold_process_gpu_memory_bytes": {"process", "role", "device"}}

# What Grafana puts in.
VARIABLES = {"$__rate_interval": "1m"}

DIGITS = 500


@pytest.fixture(scope="module")
def worked(up: Up, mnist: Dataset) -> Up:
    """The stack after a training, a classification and an image answered at once."""
    up.run("train", "dropout-128", "--epochs", "1", "--wait")
    write_digit_zip(mnist.test_images[:DIGITS], mnist.test_labels[:DIGITS], up.directory / "observed.zip")
    up.run("classify", "observed.zip", "--wait")
    (up.directory / "one.png").write_bytes(png(mnist.test_images[0]))
    until(lambda: patient.get(f"{up.url}/api/v1/readyz").json()["checks"]["predictor"] == "ok")
    up.run("predict", "one.png")
    return up


Sample = tuple[str, tuple[tuple[str, str], ...]]


def scrape(up: Up) -> dict[Sample, float]:
    """What web, worker and predictor export now: values by name and labels, those of several processes added up."""
    found: dict[Sample, float] = {}
    for port in (up.port, up.metrics_port, up.metrics_port + 1):
        text = patient.get(f"http://127.0.0.1:{port}/metrics").raise_for_status().text
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                series = (sample.name, tuple(sorted(sample.labels.items())))
                found[series] = found.get(series, 0) + sample.value
    return found


@pytest.fixture(scope="module")
def labels(worked: Up) -> dict[str, set[str]]:
    """The labels of every series that the processes export, by its name."""
    exported: dict[str, set[str]] = {}
    for name, of_sample in scrape(worked):
        exported.setdefault(name, set()).update(label for label, _ in of_sample)
    return exported


def total(up: Up, name: str, **chosen: str) -> float:
    """The sum of the series of this name that have these labels."""
    return sum(
        value for (found, has), value in scrape(up).items() if found == name and chosen.items() <= dict(has).items()
    )


def queries() -> dict[str, str]:
    """Every query of the dashboard and of the alerts, by what it is for."""
    panels = [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]
    found = {f"{panel['title']} {target['refId']}": target["expr"] for panel in panels for target in panel["targets"]}
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        found |= {rule["alert"]: rule["expr"] for rule in group["rules"]}
    return found


def parse(query: str) -> Any:
    for variable, value in VARIABLES.items():
        query = query.replace(variable, value)
    return promql_parser.parse(query)


def parts(expression: Any) -> Iterator[Any]:
    """The expression and all that it is made of."""
    yield expression
    for name in ("lhs", "rhs", "expr", "param", "args", "vector_selector"):
        inner = getattr(expression, name, None)
        for part in inner if isinstance(inner, list) else [inner]:
            if part is not None:
                yield from parts(part)


def selectors(query: str) -> list[Any]:
    return [part for part in parts(parse(query)) if isinstance(part, promql_parser.VectorSelector)]


@pytest.mark.parametrize("query", queries().values(), ids=queries().keys())
def test_a_query_asks_for_series_that_the_processes_export_by_labels_that_they_have(
    labels: dict[str, set[str]], query: str
) -> None:
    known = labels | OF_PROMETHEUS | ON_GPUS
    asked = selectors(query)

    assert asked
    for selector in asked:
        assert selector.name in known
        assert {matcher.name for matcher in selector.matchers.matchers} <= known[selector.name] | ADDED_LABELS
    grouped = {label for part in parts(parse(query)) for label in grouping(part)}
    assert grouped <= set.union(*(known[selector.name] for selector in asked)) | ADDED_LABELS


def grouping(part: Any) -> list[str]:
    modifier = getattr(part, "modifier", None)
    return list(modifier.labels) if isinstance(part, promql_parser.AggregateExpr) and modifier else []


@pytest.mark.parametrize("query", queries().values(), ids=queries().keys())
def test_the_values_that_a_query_picks_are_ones_that_there_are(worked: Up, query: str) -> None:
    exported = scrape(worked)
    for selector in selectors(query):
        for matcher in selector.matchers.matchers:
            if matcher.name in ADDED_LABELS or (matcher.op == promql_parser.MatchOp.Re and "." in matcher.value):
                continue
            values = {dict(has).get(matcher.name) for name, has in exported if name == selector.name}
            assert set(matcher.value.split("|")) <= values


def test_legends_and_texts_name_labels_that_the_query_keeps() -> None:
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            kept = {label for part in parts(parse(target["expr"])) for label in grouping(part)} | ADDED_LABELS
            assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= kept, panel["title"]
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            kept = {label for part in parts(parse(rule["expr"])) for label in grouping(part)}
            assert set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"]))) <= kept, rule["alert"]


def test_what_was_done_is_counted(worked: Up) -> None:
    assert total(worked, "tenfold_classified_images_total", outcome="answered") >= DIGITS
    assert total(worked, "tenfold_steps_total", kind="train", outcome="done") >= 1
    assert total(worked, "tenfold_epoch_seconds_count") >= 1
    assert total(worked, "tenfold_stage_seconds_sum", kind="shard", stage="classify") > 0
    assert total(worked, "tenfold_model_cache_requests_total") >= 2
    assert total(worked, "tenfold_prediction_seconds_count", outcome="answered") >= 1
    assert total(worked, "tenfold_jobs", kind="classification", state="succeeded") >= 1
    assert total(worked, "tenfold_processes") == 2
    assert total(worked, "tenfold_redis_up") == 1
    assert total(worked, "tenfold_http_requests_total", route="/api/v1/trainings", status="202") >= 1


def test_what_a_killed_process_has_counted_still_counts(worked: Up) -> None:
    before = total(worked, "tenfold_classified_images_total", outcome="answered")
    [victim] = [process["pid"] for process in worker_processes(worked)]

    os.kill(victim, signal.SIGKILL)
    until(lambda: [process for process in worker_processes(worked) if process["pid"] != victim and process["device"]])
    up_again = worked.run_json("classify", "observed.zip", "--wait")

    assert up_again["job"]["state"] == "succeeded"
    assert total(worked, "tenfold_classified_images_total", outcome="answered") == before + DIGITS


def worker_processes(up: Up) -> list[dict[str, Any]]:
    workers: list[dict[str, Any]] = (
        patient.get(f"{up.url}/api/v1/workers", headers=up.headers).raise_for_status().json()["items"]
    )
    return [process for process in workers if process["role"] == "worker"]


def test_the_docs_name_each_metric_and_each_alert(labels: dict[str, set[str]]) -> None:
    page = (ROOT / "docs" / "operations" / "observability.md").read_text()
    ours = {re.sub(r"_(bucket|sum|count)$", "", name) for name in labels if name.startswith("tenfold_")}
    alerts = {rule["alert"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]}

    assert {name for name in ours | set(ON_GPUS) | alerts if f"`{name}`" not in page} == set()


def test_the_overlay_and_what_it_mounts_fit_together() -> None:
    overlay = yaml.safe_load((ROOT / "deploy" / "compose.monitoring.yml").read_text())
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    jobs = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    targets = {name: config["port"] for job in jobs for config in job["dns_sd_configs"] for name in config["names"]}

    assert set(targets) == {"web", "worker", "predictor"} <= set(services)
    for name in ("worker", "predictor"):
        assert overlay["services"][name]["environment"]["TENFOLD_METRICS_PORT"] == targets[name]
    mounted = [
        volume.split(":")[0]
        for service in overlay["services"].values()
        for volume in service.get("volumes", [])
        if volume.startswith("./")
    ]
    assert [path for path in mounted if not (ROOT / path).is_dir()] == []

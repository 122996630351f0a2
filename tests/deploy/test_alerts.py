"""The alerts are right to Prometheus' own tool, and each goes off when it should, and not before."""

import shutil
import subprocess

import pytest
import yaml

from tests.deploy.conftest import DEPLOY

PROMETHEUS = DEPLOY / "prometheus"


def test_each_alert_is_tried_before_and_when_it_should_go_off() -> None:
    alerts = {
        rule["alert"]
        for group in yaml.safe_load((PROMETHEUS / "rules.yml").read_text())["groups"]
        for rule in group["rules"]
    }
    tries = [
        one
        for test in yaml.safe_load((PROMETHEUS / "rules_test.yml").read_text())["tests"]
        for one in test["alert_rule_test"]
    ]

    assert {one["alertname"] for one in tries if one.get("exp_alerts")} == alerts
    assert {one["alertname"] for one in tries if not one.get("exp_alerts")} == alerts


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here: it is in Debian's package prometheus")
@pytest.mark.parametrize(
    "command",
    [("check", "config", "prometheus.yml"), ("test", "rules", "rules_test.yml")],
    ids=" ".join,
)
def test_prometheus_own_tool_agrees(command: tuple[str, ...]) -> None:
    said = subprocess.run(["promtool", *command], cwd=PROMETHEUS, capture_output=True, text=True)

    assert said.returncode == 0, said.stdout + said.stderr

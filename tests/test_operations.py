"""`docs/operations/running.md` leads through each shape: whatever its commands name is there."""

import re
import shlex

import click
import pytest
import yaml

from tenfold.cli import tenfold
from tenfold.web.core.settings import WebSettings
from tests.deploy.conftest import KUBERNETES, build
from tests.deploy.pods import of_kind
from tests.paths import ROOT

PAGE = (ROOT / "docs" / "operations" / "running.md").read_text()

SHAPES = ("One machine", "Containers", "Kubernetes")
STEPS = ("Start|images", "first user", "GPUs", "PostgreSQL", "Backup", "Monitoring", "Upgrade")

# Set where Compose starts containers, not in them.
OF_COMPOSE = {"TENFOLD_PUBLISH", "TENFOLD_POSTGRES_PASSWORD"}

# What Kubernetes calls the states of a pod.
POD_STATES = {"CreateContainerConfigError", "Pending"}


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def commands() -> list[list[str]]:
    """The words of every line of the shell examples, without what is set before it and without comments."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    lines = [line.partition(" > ")[0].strip() for block in blocks for line in block.replace("\\\n", "").splitlines()]
    return [words for line in lines if (words := _without_variables(shlex.split(line, comments=True)))]


def _without_variables(words: list[str]) -> list[str]:
    return words if not words or "=" not in words[0] else _without_variables(words[1:])


def naming(program: str) -> list[list[str]]:
    """The arguments of this program wherever a line runs it: by itself, or in a container of the web or in a pod."""
    found = [
        words[at + 1 :]
        for words in commands()
        for at, word in enumerate(words)
        if word in (program, f".venv/bin/{program}") and (at == 0 or words[at - 1] in ("web", "--", "docker"))
    ]
    assert found, program
    return found


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_has_numbered_steps_for_all_that_has_to_be_done(shape: str) -> None:
    steps = re.findall(r"^\d+\. \*\*(.*?)\*\*", section(shape), re.MULTILINE)

    assert [step for step in STEPS if not any(re.search(step, title) for title in steps)] == []


def test_every_file_is_there() -> None:
    named = set(re.findall(r"\b(deploy/[\w./-]+\w|docker-compose\.yml|constraints\.txt)", PAGE))

    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_make_target_is_there() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert {words[0] for words in naming("make")} <= set(targets)


@pytest.mark.parametrize("line", sorted({" ".join(words) for words in naming("tenfold")}))
def test_every_command_of_tenfold_is_one_that_there_is(line: str) -> None:
    words = line.split()
    command: click.Command | None = tenfold
    context = click.Context(tenfold)
    while isinstance(command, click.Group):
        name, *words = words
        command = command.get_command(context, name)
        assert command, f"there is no command {name}"
        context = click.Context(command, parent=context)
    command.make_parser(context).parse_args(words)


def test_every_service_of_compose_is_there() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    named = set()
    for words in naming("compose"):
        joined = " ".join(words)
        named |= set(re.findall(r"--scale (\w+)=|\bcp (\w+):|\b(?:exec|run)(?: -\S+(?: \S*:\S*)?)* (\w+) ", joined))

    assert {name for names in named for name in names if name} == {"web", "worker"} <= set(services)


def test_everything_of_kubernetes_is_there() -> None:
    built = build(KUBERNETES / "overlays" / "cpu")
    lines = [" ".join(words) for words in naming("kubectl")]

    for kind, names in {"Deployment": r"deployment/([\w-]+)", "Job": r"job[/ ]([\w-]+)"}.items():
        there = {document["metadata"]["name"] for document in of_kind(built, kind)}
        named = {name for line in lines for name in re.findall(names, line)}
        assert named
        assert named <= there
    namespaces = {document["metadata"]["name"] for document in of_kind(built, "Namespace")}
    assert {name for line in lines for name in re.findall(r"-n (\S+)", line)} <= namespaces


def test_every_setting_is_one_that_there_is() -> None:
    settings = {f"TENFOLD_{name.upper()}" for name in WebSettings.model_fields} | {"TENFOLD_HEARTBEAT_FILE"}

    assert set(re.findall(r"TENFOLD_[A-Z_]+[A-Z]", PAGE)) <= settings | OF_COMPOSE


def test_every_message_that_it_explains_is_one_that_there_is() -> None:
    rows = [line for line in section("When something goes wrong").splitlines() if line.startswith("| ")][1:]
    messages = {message for row in rows for message in re.findall(r"`(.*?)`", row.split(" | ")[0])}
    source = "".join(path.read_text() for room in ("web", "worker", "trainer") for path in (ROOT / room).rglob("*.py"))

    assert messages > POD_STATES
    for message in messages - POD_STATES:
        assert all(part.strip() in source for part in message.split("…")), message

"""The docs name everything that a person can set, call, run or choose."""

import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest
from flask import Flask

from trainer.parameters import TrainingParameters
from trainer.plans import Plan
from trainer.recipes import RECIPES, Recipe
from web.api import api
from web.commands import tenfold
from web.commands.lazy import Entry
from web.commands.reference import reference
from web.forms import as_text
from web.settings import WebSettings
from worker.sweep_parameters import SweepParameters

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", WebSettings.model_fields)
def test_every_setting_is_documented_with_its_meaning(name: str) -> None:
    line = f"`TENFOLD_{name.upper()}`"
    [documented] = [
        row for row in (ROOT / "docs" / "settings.md").read_text().splitlines() if row.startswith(f"| {line}")
    ]

    assert WebSettings.model_fields[name].description in documented


def api_calls() -> list[str]:
    app = Flask(__name__)
    app.register_blueprint(api)
    return sorted(
        f"{method} {rule.rule.removeprefix('/api/v1')}"
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    )


@pytest.mark.parametrize("call", api_calls())
def test_every_call_is_documented(call: str) -> None:
    generic = (
        call.replace("<job_id>", "{id}")
        .replace("<model:model_id>", "{id}")
        .replace("<upload_id>", "{id}")
        .replace("<webhook_id>", "{id}")
        .replace("<name>", "{name}")
        .replace("<int:row>", "{row}")
        .replace("<path:name>", "{name}")
    )

    assert f"`{generic}`" in (ROOT / "docs" / "api.md").read_text()


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_every_recipe_is_documented_with_its_parameters_and_published_figure(recipe: Recipe) -> None:
    page = (ROOT / "docs" / "recipes.md").read_text()
    [row] = [line for line in page.splitlines() if line.startswith(f"| `{recipe.name}` |") and line.count("|") == 5]
    [section] = [part for part in page.split("\n## ") if part.startswith(f"{recipe.name}\n")]

    assert f"| {recipe.parameters:,} |" in row
    assert f"| {percent(recipe.published['test_accuracy']) if 'test_accuracy' in recipe.published else '–'} |" in row
    assert all(word in section for word in ("**Layers:**", "**Trained with:**", "**Take it**"))
    assert f"{recipe.plan.epochs} epochs of batches of {recipe.plan.batch_size}" in section
    assert all(str(number) in section for number in (*recipe.plan.filters, *recipe.plan.units))


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_every_recipe_is_in_the_readme_with_its_parameters(recipe: Recipe) -> None:
    [row] = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith(f"| `{recipe.name}`")]

    assert f"{recipe.parameters:,}" in row


def percent(share: float) -> str:
    return f"{share * 100:.2f}".rstrip("0").rstrip(".") + " %"


@pytest.mark.parametrize("name", Plan.model_fields)
def test_every_hyper_parameter_is_documented_with_its_default_and_meaning(name: str) -> None:
    field = Plan.model_fields[name]
    [row] = [
        line for line in (ROOT / "docs" / "training.md").read_text().splitlines() if line.startswith(f"| `{name}`")
    ]

    assert f"| `{as_text(field.default)}` |" in row
    assert field.description in row.replace("\\|", "|")


@pytest.mark.parametrize("name", sorted(set(SweepParameters.model_fields) - set(TrainingParameters.model_fields)))
def test_every_parameter_of_a_sweep_is_documented(name: str) -> None:
    [row] = [
        line for line in (ROOT / "docs" / "training.md").read_text().splitlines() if line.startswith(f"| `{name}`")
    ]

    assert SweepParameters.model_fields[name].description in row.replace("\\|", "|")


def commands() -> dict[str, click.Command]:
    context = click.Context(tenfold)
    found = {name: tenfold.get_command(context, name) for name in tenfold.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def test_the_reference_of_commands_has_every_command_and_option_as_it_is() -> None:
    assert (ROOT / "docs" / "commands.md").read_text() == reference(), (
        "run: python -m web.commands.reference > docs/commands.md"
    )


@pytest.mark.parametrize(("name", "command"), commands().items(), ids=commands())
def test_every_command_and_option_has_help(name: str, command: click.Command) -> None:
    assert command.help
    for parameter in command.params:
        assert not isinstance(parameter, click.Option) or parameter.help, f"{name} --{parameter.name}"


@pytest.mark.parametrize("entry", tenfold.entries.values(), ids=tenfold.entries)
def test_the_list_of_commands_says_of_each_what_its_help_says_first(entry: Entry) -> None:
    assert entry.summary == entry.load().get_short_help_str(limit=1000)


# What needs no server, or is no outcome to be read by a program.
WITHOUT_JSON = {"up", "down", "reproduce", "completion"}


@pytest.mark.parametrize("name", sorted(commands().keys() - WITHOUT_JSON))
def test_every_command_can_print_json(name: str) -> None:
    command = commands()[name]
    leaves = command.commands.values() if isinstance(command, click.Group) else [command]

    assert all("--json" in [name for option in leaf.params for name in option.opts] for leaf in leaves)


PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text())]

    assert [link for link in links if "://" not in link and link and not (page.parent / link).exists()] == []


def test_the_index_leads_to_every_page() -> None:
    index = (ROOT / "docs" / "index.md").read_text()
    pages = [page.relative_to(ROOT / "docs") for page in (ROOT / "docs").rglob("*.md")]

    assert [str(page) for page in pages if page.name != "index.md" and f"({page})" not in index] == []


def dependencies() -> set[str]:
    """Every package that `pyproject.toml` names, but Tenfold itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = [project["dependencies"], *project["optional-dependencies"].values()]
    return {re.split(r"[\[<>=]", package)[0] for packages in declared for package in packages} - {"tenfold"}


@pytest.mark.parametrize("package", sorted(dependencies()))
def test_every_dependency_is_documented_once(package: str) -> None:
    rows = [line for line in (ROOT / "docs" / "dependencies.md").read_text().splitlines() if line.startswith("| ")]

    assert sum(package in row.split(" | ")[0].removeprefix("| ").split(", ") for row in rows) == 1


def command_lines() -> list[str]:
    """Every line of the docs' shell examples that runs `tenfold`."""
    blocks = [block for page in PAGES for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)]
    lines = [line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return sorted({line.partition(" |")[0].partition(" ||")[0] for line in lines if line.startswith("tenfold ")})


@pytest.mark.parametrize("line", command_lines())
def test_every_command_in_the_docs_is_one_that_there_is(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    root = click.Context(tenfold, info_name="tenfold")
    name, *arguments = words[2:] if words[0] in ("--server", "--key") else words
    command = tenfold.get_command(root, name)

    assert command, f"there is no command {name}"
    command.make_parser(click.Context(command, parent=root)).parse_args(arguments)


# Everything that the API can do, and the command that does it.
DONE_BY = {
    "POST /trainings": "train",
    "POST /sweeps": "sweep",
    "POST /classifications": "classify",
    "POST /predictions": "predict",
    "POST /datasets": "import",
    "GET /datasets": "datasets",
    "GET /datasets/<name>": "datasets",
    "GET /datasets/<name>/preview.png": "datasets --preview",
    "DELETE /datasets/<name>": "datasets --remove",
    "GET /jobs": "jobs",
    "GET /jobs/<job_id>": "status",
    "POST /jobs/<job_id>/cancel": "cancel",
    "POST /jobs/<job_id>/retry": "retry",
    "DELETE /jobs/<job_id>": "delete",
    "GET /jobs/<job_id>/files": "files",
    "GET /jobs/<job_id>/files/<path:name>": "fetch",
    "GET /jobs/<job_id>/review": "review",
    "GET /jobs/<job_id>/review/<int:row>/picture": "review --pictures",
    "PUT /jobs/<job_id>/review/<int:row>": "review --answer",
    "DELETE /jobs/<job_id>/review/<int:row>": "review --take-back",
    "GET /jobs/<job_id>/corrections.csv": "corrections",
    "POST /reviews": "correct",
    "GET /models": "models",
    "GET /models/<model:model_id>": "models",
    "GET /models/<model:model_id>/files": "files --model",
    "GET /models/<model:model_id>/files/<path:name>": "fetch --model",
    "GET /models/default": "models",
    "PUT /models/default": "models --default",
    "DELETE /models/<model:model_id>": "models --remove",
    "POST /uploads": "classify",
    "GET /uploads/<upload_id>": "classify --upload",
    "PATCH /uploads/<upload_id>": "classify",
    "DELETE /uploads/<upload_id>": "classify",  # when its job is queued
    "POST /webhooks": "webhooks add",
    "GET /webhooks": "webhooks list",
    "GET /webhooks/<webhook_id>": "webhooks deliveries",
    "GET /webhooks/<webhook_id>/deliveries": "webhooks deliveries",
    "DELETE /webhooks/<webhook_id>": "webhooks remove",
    "GET /workers": "workers",
    "GET /jobs/<job_id>/events": "wait",  # by polls that are held open, which tell the same
    "GET /recipes": "recipes",
    "GET /readyz": "health",
}

# What is for machines: a process that answers is asked by what supervises it, the description is read by tools.
NOT_BY_COMMAND = {"GET /healthz", "GET /openapi.json"}


@pytest.mark.parametrize("call", [call for call in api_calls() if call not in NOT_BY_COMMAND])
def test_everything_that_the_api_can_do_the_command_can(call: str) -> None:
    words = DONE_BY[call].split()
    command: click.Command = tenfold
    while words and isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found, f"there is no command {DONE_BY[call]}"
        command = found

    assert not isinstance(command, click.Group)
    assert set(words) <= {name for parameter in command.params for name in parameter.opts}

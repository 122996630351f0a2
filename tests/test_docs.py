"""The docs name everything that a person can set, call, run or choose."""

import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest
from flask import Flask
from mkdocs.commands.build import build
from mkdocs.config import load_config

from tenfold.cli import tenfold
from tenfold.cli.lazy import Entry
from tenfold.cli.reference import reference
from tenfold.trainer.architecture.parameters import TrainingParameters
from tenfold.trainer.architecture.plans import Plan
from tenfold.trainer.architecture.recipes import RECIPES, Recipe
from tenfold.web.api.blueprint import api
from tenfold.web.core.forms import as_text
from tenfold.web.core.settings import WebSettings
from tenfold.worker.sweeps.parameters import SweepParameters
from tests.paths import ROOT


@pytest.mark.parametrize("name", WebSettings.model_fields)
def test_every_setting_is_documented_with_its_meaning(name: str) -> None:
    line = f"`TENFOLD_{name.upper()}`"
    [documented] = [
        row
        for row in (ROOT / "docs" / "reference" / "settings.md").read_text().splitlines()
        if row.startswith(f"| {line}")
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
        .replace("<model_id>", "{id}")
        .replace("<alias>", "{alias}")
        .replace("<upload_id>", "{id}")
        .replace("<webhook_id>", "{id}")
        .replace("<name>", "{name}")
        .replace("<int:row>", "{row}")
        .replace("<int:rank>", "{rank}")
        .replace("<part>", "{part}")
        .replace("<int:index>", "{index}")
        .replace("<path:name>", "{name}")
    )

    assert f"`{generic}`" in (ROOT / "docs" / "reference" / "api.md").read_text()


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_every_recipe_is_documented_with_its_parameters_and_published_figure(recipe: Recipe) -> None:
    page = (ROOT / "docs" / "reference" / "recipes.md").read_text()
    [row] = [line for line in page.splitlines() if line.startswith(f"| `{recipe.name}` |") and line.count("|") == 4]
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
        line
        for line in (ROOT / "docs" / "reference" / "training.md").read_text().splitlines()
        if line.startswith(f"| `{name}`")
    ]

    assert f"| `{as_text(field.default)}` |" in row
    assert field.description in row.replace("\\|", "|")


@pytest.mark.parametrize("name", sorted(set(SweepParameters.model_fields) - set(TrainingParameters.model_fields)))
def test_every_parameter_of_a_sweep_is_documented(name: str) -> None:
    [row] = [
        line
        for line in (ROOT / "docs" / "reference" / "training.md").read_text().splitlines()
        if line.startswith(f"| `{name}`")
    ]

    assert SweepParameters.model_fields[name].description in row.replace("\\|", "|")


def commands() -> dict[str, click.Command]:
    context = click.Context(tenfold)
    found = {name: tenfold.get_command(context, name) for name in tenfold.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def test_the_reference_of_commands_has_every_command_and_option_as_it_is() -> None:
    assert (ROOT / "docs" / "reference" / "commands.md").read_text() == reference(), (
        "run: python -m tenfold.cli.reference > docs/reference/commands.md"
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

    assert all("--output" in [name for option in leaf.params for name in option.opts] for leaf in leaves)


PAGES = sorted(
    [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")), *(ROOT / "docs").rglob("*.md")]
)


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text())]

    assert [link for link in links if "://" not in link and link and not (page.parent / link).exists()] == []


def test_the_site_builds_and_every_anchor_is_there(tmp_path: Path) -> None:
    config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path))
    config.plugins.on_startup(command="build", dirty=False)

    build(config)

    assert (tmp_path / "index.html").is_file()


# Files called NAME are those that a contributor makes.
GUIDE = re.sub(r"`[^`]*NAME[^`]*`", "", (ROOT / "CONTRIBUTING.md").read_text())


@pytest.mark.parametrize(
    "name", sorted(set(re.findall(r"`((?:web|worker|trainer|tenfold|tests|docs)/[\w./]+)`", GUIDE)))
)
def test_every_file_that_a_contributor_is_sent_to_is_there(name: str) -> None:
    assert (ROOT / name).exists()


def test_the_architecture_has_a_sentence_for_each_folder() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    described = set(re.findall(r"`((?:web|worker|trainer|tenfold)/[a-z_]+)/`", page))
    packages = [*ROOT.glob("w*/*/__init__.py"), *ROOT.glob("t*/*/__init__.py")]
    folders = {str(package.parent.relative_to(ROOT)) for package in packages if not package.parent.is_symlink()}

    assert described - {"web/templates", "web/static"} == {
        folder for folder in folders if not folder.startswith("tests")
    }


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


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
    rows = [
        line
        for line in (ROOT / "docs" / "explanation" / "dependencies.md").read_text().splitlines()
        if line.startswith("| ")
    ]

    assert sum(package in row.split(" | ")[0].removeprefix("| ").split(", ") for row in rows) == 1


def command_lines() -> list[str]:
    """Every line of the docs' shell examples that runs `tenfold`."""
    blocks = [block for page in PAGES for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)]
    lines = [line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return sorted({line.partition(" |")[0].partition(" ||")[0] for line in lines if line.startswith("tenfold ")})


@pytest.mark.parametrize("line", command_lines())
def test_every_command_in_the_docs_is_one_that_there_is(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    words = words[2:] if words[0] in ("--server", "--key") else words
    command, context = found_command(words)

    command.make_parser(context).parse_args(words)


def found_command(words: list[str]) -> tuple[click.Command, click.Context]:
    """The command that these words begin with; takes its name from them."""
    command: click.Command = tenfold
    context = click.Context(tenfold, info_name="tenfold")
    while isinstance(command, click.Group):
        name = words.pop(0)
        found = command.get_command(context, name)
        assert found, f"there is no command {context.command_path} {name}"
        command, context = found, click.Context(found, parent=context, info_name=name)
    return command, context


# Everything that the API can do, and the command that does it.
DONE_BY = {
    "POST /trainings": "train",
    "POST /sweeps": "sweep",
    "POST /classifications": "classify",
    "POST /predictions": "predict",
    "POST /datasets": "dataset import",
    "GET /datasets": "dataset list",
    "GET /datasets/<name>": "dataset show",
    "GET /datasets/<name>/preview.png": "dataset preview",
    "GET /datasets/<name>/diff": "dataset diff",
    "POST /datasets/<name>/versions": "dataset relabel",
    "GET /datasets/<name>/versions": "dataset show",
    "POST /checks": "dataset check",
    "GET /checks": "job list --kind",
    "GET /datasets/<name>/images/<part>/<int:index>.png": "dataset diff --pictures",
    "DELETE /datasets/<name>": "dataset delete",
    "GET /jobs": "job list",
    "GET /trainings": "job list --kind",
    "GET /sweeps": "job list --kind",
    "GET /classifications": "job list --kind",
    "GET /reviews": "job list --kind",
    "GET /jobs/<job_id>": "job show",
    "POST /jobs/<job_id>/cancel": "job cancel",
    "POST /jobs/<job_id>/retry": "job retry",
    "DELETE /jobs/<job_id>": "job delete",
    "GET /jobs/<job_id>/files": "job files",
    "GET /jobs/<job_id>/files/<path:name>": "job fetch",
    "GET /jobs/<job_id>/review": "review",
    "GET /jobs/<job_id>/review/<int:row>": "review",
    "GET /jobs/<job_id>/review/<int:row>/picture": "review --pictures",
    "PUT /jobs/<job_id>/review/<int:row>": "review --answer",
    "DELETE /jobs/<job_id>/review/<int:row>": "review --undo",
    "GET /jobs/<job_id>/corrections.csv": "job corrections",
    "POST /reviews": "correct",
    "POST /comparisons": "model compare",
    "GET /comparisons": "job list --kind",
    "GET /jobs/<job_id>/differences": "model differences",
    "GET /jobs/<job_id>/differences/<int:rank>/picture": "model differences --pictures",
    "POST /models": "model import",
    "GET /models": "model list",
    "GET /models/<model_id>": "model show",
    "GET /models/<model_id>/files": "model files",
    "GET /models/<model_id>/files/<path:name>": "model fetch",
    "GET /models/<model_id>/aliases": "model show",
    "POST /models/<model_id>/aliases": "model promote",
    "GET /aliases": "alias list",
    "GET /aliases/<alias>": "alias list",
    "PUT /aliases/<alias>": "model promote --alias",
    "DELETE /aliases/<alias>": "alias delete",
    "GET /aliases/<alias>/changes": "alias show",
    "POST /aliases/<alias>/changes": "alias rollback",
    "DELETE /models/<model_id>": "model delete",
    "POST /uploads": "classify",
    "GET /uploads": "classify --upload",
    "GET /uploads/<upload_id>": "classify --upload",
    "PATCH /uploads/<upload_id>": "classify",
    "DELETE /uploads/<upload_id>": "classify",  # when its job is queued
    "POST /webhooks": "webhook add",
    "GET /webhooks": "webhook list",
    "GET /webhooks/<webhook_id>": "webhook show",
    "GET /webhooks/<webhook_id>/deliveries": "webhook deliveries",
    "DELETE /webhooks/<webhook_id>": "webhook delete",
    "GET /workers": "worker list",
    "GET /jobs/<job_id>/events": "job wait",  # by long polls, which report the same
    "GET /recipes": "recipe list",
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

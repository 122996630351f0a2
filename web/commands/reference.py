"""`python -m web.commands.reference > docs/commands.md`: every command and option, as it declares them."""

import inspect
import re

import click

from web.commands import tenfold
from web.commands.exits import MEANINGS

HEAD = """\
# The command

Made by `python -m web.commands.reference > docs/commands.md`; a test holds it to the command.

`tenfold --help` and `tenfold COMMAND --help` say the same. Progress and messages go to standard error, results to
standard output; with `--json` the last line of standard output is one JSON object. `JOB` is an id, or `last` for the
newest job that you submitted, where a command is for one kind of job the newest of that kind.

## Which server

`tenfold config` says which is used, and why. What is named first counts:

1. `--server URL` and `--key KEY`, before the command: `tenfold --server http://digits:8000 jobs`;
2. `TENFOLD_SERVER` and `TENFOLD_KEY`;
3. the configuration file, `~/.config/tenfold/config.toml` or what `TENFOLD_CONFIG` names;
4. the server that `tenfold up` last started from the directory (its `.tenfold` file);
5. `http://127.0.0.1:8000`.

The file can set any option of any command, too.

A key goes only to the server that it was set for: one in the file to the file's server (to this machine, where the file
names none); `TENFOLD_KEY` to the server of `TENFOLD_SERVER`, where that is set; the start-up token of `tenfold up` to
that server, while it runs. A `.tenfold` file that belongs to somebody else, that others can write, or that names
another machine is ignored, and you are told.

```toml
server = "http://digits:8000"
key = "…"

[train]
dataset = "letters"
epochs = 20
```

## Exit codes

| code | meaning |
|---|---|
"""

COMPLETION = """
## Completion

```sh
tenfold completion bash --install   # or zsh, fish; in bash 4.4 or newer, with the package bash-completion
```

completes commands, options, and what can be chosen; ids of jobs and models and names of data sets come from the server,
which is given a second to answer.
"""


def reference() -> str:
    """The page, in Markdown."""
    codes = "".join(f"| {code} | {meaning} |\n" for code, meaning in MEANINGS.items())
    parts = [HEAD + codes + COMPLETION]
    root = click.Context(tenfold, info_name="tenfold")
    for heading, entries in tenfold.sections.items():
        parts.append(f"\n## {heading}\n")
        parts += [_describe(entry.load(), entry.name, root) for entry in entries]
    if tenfold.commands:
        parts.append("\n## More\n")
        parts += [_describe(tenfold.commands[name], name, root) for name in sorted(tenfold.commands)]
    return "".join(parts)


def _describe(command: click.Command, name: str, parent: click.Context) -> str:
    context = click.Context(command, info_name=name, parent=parent)
    title = context.command_path
    usage = " ".join([title, *command.collect_usage_pieces(context)])
    text = f"\n### {title}\n\n```\n{usage}\n```\n\n{inspect.cleandoc(command.help or '')}\n"
    options = [option for option in command.params if isinstance(option, click.Option) and not option.hidden]
    if options:
        text += "\n| option | what it does |\n|---|---|\n" + "".join(_row(option, context) for option in options)
    if isinstance(command, click.Group):
        subcommands = {name: command.get_command(context, name) for name in command.list_commands(context)}
        text += "".join(_describe(found, name, context) for name, found in subcommands.items() if found)
    return text


def _row(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    assert record is not None, f"{option.name} has no help"
    names, help_text = (_for_table(part) for part in record)
    return f"| `{names}` | {help_text} |\n"


def _for_table(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


if __name__ == "__main__":
    print(reference(), end="")

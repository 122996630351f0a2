"""`python -m tenfold.cli.reference > docs/reference/commands.md`: every command and option, as it declares them."""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence, Set

import click

from tenfold.cli import tenfold
from tenfold.cli.exits import MEANINGS

HEAD = """\
# The command

Made by `python -m tenfold.cli.reference > docs/reference/commands.md`; a test holds it to the command.

`tenfold --help` and `tenfold COMMAND --help` say the same. The verbs of every day stand alone (`tenfold train`); the
rest is by noun and verb (`tenfold model list`). Results go to standard output, progress and messages to standard error.
With `-o json` the last line of standard output is one JSON object, for a list `{"items": […]}`. What deletes asks for
confirmation, unless `--yes` is given; without a terminal it needs `--yes`. `JOB` is an ID, or `last` for the newest job
that you submitted (for a command about one kind of job, the newest of that kind).

`pip install tenfold` is enough for every command that talks to a server. `user`, `key`, `doctor`, `gc`, `backup` and
`restore` need `tenfold[server]`; `samples` and `reproduce` need `tenfold[worker]`; `up`, `down` and `demo` need
`tenfold[all]`.

## Which server

`tenfold config` shows which is used, and why. In order of precedence:

1. `--server URL` and `--key KEY`, before the command: `tenfold --server http://digits:8000 job list`;
2. `TENFOLD_SERVER` and `TENFOLD_KEY`;
3. the configuration file, `~/.config/tenfold/config.toml` or what `TENFOLD_CONFIG` names;
4. the server that `tenfold up` last started from the directory (its `.tenfold` file);
5. `http://127.0.0.1:8000`.

A key is sent only to the server that it was set for: one in the file to the file's server, or to this machine if the
file names none; `TENFOLD_KEY` to the server of `TENFOLD_SERVER`, if that is set; the start-up token of `tenfold up` to
that server, while it runs. A `.tenfold` file that belongs to another user, that others can write, or that names another
machine is ignored, with a message.

The configuration file can also set any option of any command:

```toml
server = "http://digits:8000"
key = "…"

[train]
dataset = "letters"
epochs = 20

[job.list]
mine = true
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

completes commands, options, choices, IDs and names. IDs and names come from the server, which has a second to answer.
"""


# An option that so many commands have alike is described once.
MIN_COMMON = 5

# A command that has all options of another, and more.
EXTENDS = {"tenfold sweep": "tenfold train"}


def reference() -> str:
    """The page, in Markdown."""
    codes = "".join(f"| {code} | {meaning} |\n" for code, meaning in MEANINGS.items())
    root = click.Context(tenfold, info_name="tenfold")
    sections = {
        heading: [found for entry in entries for found in _with_subcommands(entry.load(), entry.name, root)]
        for heading, entries in tenfold.sections.items()
    }
    if tenfold.commands:
        more = [_with_subcommands(tenfold.commands[name], name, root) for name in sorted(tenfold.commands)]
        sections["More"] = [found for commands in more for found in commands]
    rows = {context.command_path: _rows(context) for commands in sections.values() for context in commands}
    common = _common(rows)
    parts = [HEAD + codes + COMPLETION, "\n## Common options\n\n", *_common_options(common, sections)]
    for heading, commands in sections.items():
        parts.append(f"\n## {heading}\n")
        parts += [_describe(context, rows, common.keys()) for context in commands]
    return "".join(parts)


def _with_subcommands(command: click.Command, name: str, parent: click.Context) -> Iterator[click.Context]:
    """The command and, of a group, all below it."""
    context = click.Context(command, info_name=name, parent=parent)
    yield context
    if isinstance(command, click.Group):
        for subname in command.list_commands(context):
            if found := command.get_command(context, subname):
                yield from _with_subcommands(found, subname, context)


def _common(rows: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    """The rows that at least `MIN_COMMON` commands have, the rarest first, and these commands."""
    having: dict[str, list[str]] = {}
    for command, names in rows.items():
        for row in names:
            having.setdefault(row, []).append(command)
    return {
        row: having[row] for row in sorted(having, key=lambda row: len(having[row])) if len(having[row]) >= MIN_COMMON
    }


def _common_options(
    common: Mapping[str, Sequence[str]], sections: Mapping[str, Sequence[click.Context]]
) -> Iterator[str]:
    """Each common option with the commands that have it; of the most frequent one, those that have not."""
    leaves = [
        context.command_path
        for commands in sections.values()
        for context in commands
        if not isinstance(context.command, click.Group)
    ]
    *few, frequent = common
    for row in few:
        yield f"{row.rstrip()} For {_named(common[row])}.\n"
    option = frequent.partition(",")[0]
    having = {command for row, commands in common.items() if row.partition(",")[0] == option for command in commands}
    without = _named([leaf for leaf in leaves if leaf not in having])
    yield f"{frequent.rstrip()} For all other commands except {without}.\n"


def _named(commands: Sequence[str]) -> str:
    return ", ".join(f"`{command.removeprefix('tenfold ')}`" for command in commands)


def _describe(context: click.Context, rows: Mapping[str, Mapping[str, str]], common: Set[str]) -> str:
    title, command = context.command_path, context.command
    arguments = [] if isinstance(command, click.Group) else command.collect_usage_pieces(context)[1:]
    text = f"\n### {title}\n\n"
    if arguments:
        text += f"`{' '.join([title, '[OPTIONS]', *arguments])}`\n\n"
    text += f"{inspect.cleandoc(command.help or '')}\n"
    extended = EXTENDS.get(title)
    inherited = rows[extended].keys() - common if extended else set()
    options = [row for row in rows[title] if row not in common and row not in inherited]
    text += "\n" + "".join(options) if options else ""
    return text + (f"\nAlso the options of `{extended}`.\n" if inherited & rows[title].keys() else "")


def _rows(context: click.Context) -> dict[str, str]:
    """A row for each option of the command, and the option's first name."""
    options = [option for option in context.command.params if isinstance(option, click.Option) and not option.hidden]
    return {_row(option, context): option.opts[0] for option in options}


def _row(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    assert record is not None, f"{option.name} has no help"
    names, help_text = (re.sub(r"\s+", " ", part) for part in record)
    return f"- `{names}`: {help_text}\n"


if __name__ == "__main__":
    print(reference(), end="")

"""A group of commands that imports a command's module only when it is used, so that help and completion are fast."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

# What the extras of the package install, in words.
EXTRAS = {"server": "the server", "worker": "the worker", "all": "the server and the worker"}


class MissingExtra(click.ClickException):
    """A command needs packages that only an extra of Tenfold installs."""

    def __init__(self, extra: str) -> None:
        super().__init__(f"This command needs {EXTRAS[extra]}: pip install 'tenfold[{extra}]'")


@dataclass(frozen=True)
class Entry:
    """A command that is imported when it is used.

    Args:
        where: `module:attribute`, within `tenfold.cli.commands`.
        summary: the first sentence of its help, for the list of commands. A test compares the two.
        extra: which extra installs the packages that it imports; default: none is needed.
    """

    name: str
    where: str
    summary: str
    extra: str | None = None

    def load(self) -> click.Command:
        """Import the command.

        Raises:
            MissingExtra: it needs packages that are not installed.
        """
        module, _, attribute = self.where.partition(":")
        try:
            command: click.Command = getattr(import_module(f"tenfold.cli.commands.{module}"), attribute)
        except ModuleNotFoundError as error:
            if self.extra is None or (error.name or "").startswith("tenfold"):
                raise
            raise MissingExtra(self.extra) from error
        return command


class LazyGroup(click.Group):
    """Lists its entries under headings, in the given order; commands added otherwise come last."""

    def __init__(self, *args: Any, sections: Mapping[str, Sequence[Entry]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.sections = sections
        self.entries = {entry.name: entry for entries in sections.values() for entry in entries}

    def list_commands(self, context: click.Context) -> list[str]:
        return [*self.entries, *super().list_commands(context)]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        entry = self.entries.get(name)
        if entry is None:
            return super().get_command(context, name)
        try:
            return entry.load()
        except MissingExtra:
            if context.resilient_parsing:  # completion: nothing to suggest
                return None
            raise

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        for heading, rows in self._sections(context):
            with formatter.section(heading):
                formatter.write_dl(rows)

    def shell_complete(self, context: click.Context, incomplete: str) -> list[CompletionItem]:
        if incomplete.startswith("-"):
            return super().shell_complete(context, incomplete)
        return [
            CompletionItem(name, help=summary)
            for _, rows in self._sections(context)
            for name, summary in rows
            if name.startswith(incomplete)
        ]

    def _sections(self, context: click.Context) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        for heading, entries in self.sections.items():
            yield heading, [(entry.name, entry.summary) for entry in entries]
        if self.commands:
            added = ((name, self.commands[name]) for name in super().list_commands(context))
            yield "More", [(name, command.get_short_help_str()) for name, command in added if not command.hidden]

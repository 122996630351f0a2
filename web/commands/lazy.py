"""A group of commands that loads a command's module only when it is used, so that help and completion come at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem


@dataclass(frozen=True)
class Entry:
    """A command that is loaded when it is used.

    Args:
        where: `module:attribute`, within `web.commands`.
        summary: its help's first sentence, for the list of commands. A test holds it to the command.
    """

    name: str
    where: str
    summary: str

    def load(self) -> click.Command:
        module, _, attribute = self.where.partition(":")
        command: click.Command = getattr(import_module(f"web.commands.{module}"), attribute)
        return command


class LazyGroup(click.Group):
    """Lists its entries under headings, in the order given; commands added otherwise come after them."""

    def __init__(self, *args: Any, sections: Mapping[str, Sequence[Entry]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.sections = sections
        self.entries = {entry.name: entry for entries in sections.values() for entry in entries}

    def list_commands(self, context: click.Context) -> list[str]:
        return [*self.entries, *super().list_commands(context)]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        entry = self.entries.get(name)
        return entry.load() if entry else super().get_command(context, name)

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

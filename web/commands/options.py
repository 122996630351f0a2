"""Command options made from the one typed declaration of a job's parameters."""

from collections.abc import Callable, Collection
from typing import Any, TypeVar

import click
from pydantic import BaseModel, ValidationError

from web.problems import field_errors

F = TypeVar("F", bound=Callable[..., Any])


def options_of(declaration: type[BaseModel], *, besides: Collection[str] = ()) -> Callable[[F], F]:
    """Add an option for each field of the declaration but those of `besides`. Left out, each arrives as None."""

    def decorate(function: F) -> F:
        for name, field in reversed(declaration.model_fields.items()):
            if name not in besides:
                option = click.option(f"--{name.replace('_', '-')}", name, help=field.description, metavar="VALUE")
                function = option(function)
        return function

    return decorate


def check(declaration: type[BaseModel], given: dict[str, Any]) -> dict[str, Any]:
    """The given values as the declaration types them.

    Raises:
        click.UsageError: a value is out of bounds or of another type.
    """
    known = {name: value for name, value in given.items() if value is not None}
    try:
        return declaration.model_validate(known).model_dump(mode="json", exclude_unset=True)
    except ValidationError as error:
        raise click.UsageError("; ".join(f"{e['field']}: {e['message']}" for e in field_errors(error))) from error

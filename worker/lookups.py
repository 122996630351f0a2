"""SELECTs of one row that every request asks: compiled once, and run without what a session and a transaction cost,
which is fifteen times what SQLite itself takes."""

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Engine, Select
from sqlalchemy.exc import DBAPIError


class Lookup:
    """One SELECT on one database; safe to share between threads.

    Args:
        engine: where it is asked.
        statement: it may have parameters (`bindparam`), all of them text, and finds one row at most.
    """

    def __init__(self, engine: Engine, statement: Select[*tuple[Any, ...]]) -> None:
        self._engine = engine
        self._refused: type[Exception] = engine.dialect.loaded_dbapi.Error
        self._compiled = statement.compile(dialect=engine.dialect)
        self._constants = self._compiled.params
        self._order = self._compiled.positiontup
        self._selected = statement.selected_columns
        self._columns: list[tuple[str, Callable[[Any], Any] | None]] = []

    def __call__(self, **parameters: str | float) -> dict[str, Any] | None:
        """The row as its columns' names and values; None where there is none.

        Raises:
            DBAPIError: the database is away, or refuses.
        """
        row = self.row(**parameters)
        return None if row is None else self.read(row)

    def row(self, **parameters: str | float) -> tuple[Any, ...] | None:
        """The row as the database's driver gives it; None where there is none.

        Raises:
            DBAPIError: the database is away, or refuses.
        """
        given = {**self._constants, **parameters}
        return self._first_row(tuple(given[name] for name in self._order) if self._order else given)

    def read(self, row: tuple[Any, ...]) -> dict[str, Any]:
        """The names and values of the columns of a row that was found."""
        return {
            name: value if read is None else read(value) for (name, read), value in zip(self._columns, row, strict=True)
        }

    def _first_row(self, bound: Any) -> tuple[Any, ...] | None:
        try:
            with closing(self._engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute(self._compiled.string, bound)
                row: tuple[Any, ...] | None = cursor.fetchone()
                if not self._columns:
                    self._columns = self._readers([column[1] for column in cursor.description or ()])
                return row
        except self._refused as error:
            raise DBAPIError.instance(self._compiled.string, bound, error, self._refused) from error

    def _readers(self, driver_types: Sequence[Any]) -> list[tuple[str, Callable[[Any], Any] | None]]:
        """Each column's name, and what makes a value of it of what the driver gives."""
        dialect = self._engine.dialect
        return [
            (name, column.type.dialect_impl(dialect).result_processor(dialect, driver_type))
            for (name, column), driver_type in zip(self._selected.items(), driver_types, strict=True)
        ]

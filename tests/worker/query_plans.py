"""How SQLite finds the rows that are asked for: along an index, or by going through all of them."""

from collections.abc import Sequence

from sqlalchemy import event

from tenfold.worker.db.database import Database


def plans_of(database: Database, action: object) -> Sequence[str]:
    """How SQLite finds the rows of each query that an action makes."""
    seen: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        assert callable(action)
        action()
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    with database.engine.connect() as connection:
        return [
            str(row[3])
            for statement, parameters in seen
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        ]

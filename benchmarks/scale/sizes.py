"""How many bytes a database takes."""

from tenfold.worker.db.database import Database


def database_bytes(database: Database) -> int:
    """Tables and indexes, as far as they are in use."""
    with database.engine.connect() as connection:
        if database.engine.dialect.name == "sqlite":
            pages, size = (
                connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "page_size")
            )
            return int(pages * size)
        return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())

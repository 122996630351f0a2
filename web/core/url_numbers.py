"""Numbers in addresses, limited to what the database can store; larger ones are answered with 404."""

from typing import Any

from werkzeug.routing import IntegerConverter, Map

# The largest INTEGER of SQLite.
MAX_INTEGER = 2**63 - 1


class BoundedInteger(IntegerConverter):
    """`<int:…>` of a route, with a maximum."""

    def __init__(self, map: Map, **options: Any) -> None:
        super().__init__(map, **{"max": MAX_INTEGER} | options)

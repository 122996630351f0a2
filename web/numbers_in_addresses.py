"""Numbers in addresses, no larger than the database can hold: beyond that there is no such page."""

from typing import Any

from werkzeug.routing import IntegerConverter, Map

# The largest INTEGER of SQLite, which a larger number would make fail.
MAX_INTEGER = 2**63 - 1


class BoundedInteger(IntegerConverter):
    """`<int:…>` of a route: a number above the bound does not match, which is answered with 404."""

    def __init__(self, map: Map, **options: Any) -> None:
        super().__init__(map, **{"max": MAX_INTEGER} | options)

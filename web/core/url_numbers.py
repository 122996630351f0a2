"""Numbers in addresses and forms, limited to what the database can store; a route answers larger ones with 404."""

from typing import Any

from werkzeug.routing import IntegerConverter, Map

# The largest INTEGER of SQLite.
MAX_INTEGER = 2**63 - 1


def stored_integer(text: str) -> int:
    """For `type=` of `request.args.get` and `request.form.get`, which then ignore what raises ValueError."""
    if abs(number := int(text)) > MAX_INTEGER:
        raise ValueError(text)
    return number


class BoundedInteger(IntegerConverter):
    """`<int:…>` of a route, with a maximum."""

    def __init__(self, map: Map, **options: Any) -> None:
        super().__init__(map, **{"max": MAX_INTEGER} | options)

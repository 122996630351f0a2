"""Puts a hash of static files into their addresses, so that browsers cache them for good and fetch new ones after an
upgrade.

For our own files it is the hash of the whole folder, in the path, so that a script's `./other.js` has the same one.
"""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

OWN = "static"
BOOTSTRAP = "bootstrap.static"

HASH_CHARACTERS = 16
KEPT_FOR_GOOD = "public, max-age=31536000, immutable"


def serve_static_files(app: Flask) -> None:
    """Add the addresses with hashes. Without a hash a file is served too, but not cached."""
    version = hash_of_folder(Path(str(app.static_folder)))
    bootstrap = Path(str(app.blueprints["bootstrap"].static_folder))

    def add_hash(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == OWN:
            values.setdefault("version", version)
        elif endpoint == BOOTSTRAP:
            values.setdefault("v", _hash_of_file(bootstrap / values["filename"]))

    def is_of_its_hash() -> bool:
        given = request.view_args or {}
        if request.endpoint == OWN:
            return given.get("version") == version
        return request.endpoint == BOOTSTRAP and request.args.get("v") == _hash_of_file(bootstrap / given["filename"])

    def keep(response: Response) -> Response:
        if response.status_code < 400 and is_of_its_hash():
            response.headers["Cache-Control"] = KEPT_FOR_GOOD
        return response

    def serve(filename: str, version: str = "") -> Response:
        return app.send_static_file(filename)

    app.add_url_rule(f"{app.static_url_path}/<string(length={HASH_CHARACTERS}):version>/<path:filename>", OWN)
    app.view_functions[OWN] = serve
    app.url_defaults(add_hash)
    app.after_request(keep)


def hash_of_folder(folder: Path) -> str:
    """A hash of the names and the contents of all files in a folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
    return digest.hexdigest()[:HASH_CHARACTERS]


@lru_cache
def _hash_of_file(path: Path) -> str:
    """Cached: an installed package does not change while the server runs."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:HASH_CHARACTERS]

"""An example with curl for each call, for the OpenAPI document."""

import json
import re
import shlex

from tenfold.web.api.openapi.headers import EXAMPLES, HEADERS
from tenfold.web.api.openapi.operations import FileBody, Operation, RawBody

SERVER = "http://127.0.0.1:8000"

# An example file, by the first part of the path.
FILES = {"classifications": "digits.zip", "datasets": "letters.zip", "models": "model.keras", "predictions": "7.png"}
HEADER_EXAMPLES = {
    "Tus-Resumable": "1.0.0",
    "Upload-Length": "734003200",
    "Upload-Offset": "52428800",
    "Upload-Metadata": "filename c2NhbnMuemlw",
    "Range": "bytes=0-1023",
}


def curl(method: str, path: str, declared: Operation) -> str:
    """A command that makes this call."""
    filled = re.sub(r"{(\w+)}", lambda found: _value(found[1], path), path)
    words = ["curl", *(["-X", method] if method not in ("GET", "POST") or declared.body is None else [])]
    if words[1:] == ["-X", "GET"]:
        words = ["curl"]
    for name in declared.headers:
        if name in HEADER_EXAMPLES and name in HEADERS:
            words += ["-H", f"{name}: {HEADER_EXAMPLES[name]}"]
    if any(answer.media_types == ["text/event-stream"] for answer in declared.answers):
        words.append("-N")
    if isinstance(declared.body, FileBody):
        fields = {"file": f"@{FILES[path.split('/')[3]]}", **declared.body.example}
        words += [word for name, value in fields.items() for word in ("-F", f"{name}={value}")]
    elif isinstance(declared.body, RawBody):
        words += ["-H", f"Content-Type: {declared.body.media_type}", "--data-binary", "@piece"]
    elif declared.body is not None:
        words += ["--json", json.dumps(declared.example)]
    return shlex.join([*words, f"{SERVER}{filled}"])


def _value(name: str, path: str) -> str:
    if name == "name" and "/files/" in path:
        return "model.keras" if "/models/" in path else "results.csv"
    return EXAMPLES[name]

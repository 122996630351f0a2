"""The web's image holds no NumPy, and starts in a moment."""

import subprocess
import sys


def test_the_web_and_the_commands_load_no_numpy() -> None:
    code = (
        "import sys, tenfold.web.app, tenfold.client; from tenfold.cli import tenfold; "
        "[entry.load() for entry in tenfold.entries.values()]; print(*{'numpy', 'pandas'} & set(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""


def test_the_list_of_commands_waits_for_no_library() -> None:
    code = "import sys, tenfold.cli; print(*{'httpx', 'pydantic', 'flask', 'rich'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""

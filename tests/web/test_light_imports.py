"""The web's image holds no NumPy, and starts in a moment."""

import subprocess
import sys


def test_the_web_and_the_command_load_no_numpy() -> None:
    code = "import sys, web.app, web.commands; print('numpy' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "False"

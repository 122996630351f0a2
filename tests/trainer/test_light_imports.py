"""The web reads recipes and parameters, and image work starts at once: none of it may wait for TensorFlow."""

import subprocess
import sys

WITHOUT_NUMPY = [
    *(
        "errors",
        "plans",
        "recipes",
        "parameters",
        "hardware",
        "dataset_files",
        "catalogue",
        "known",
        "layers",
        "model_card",
    ),
]
LIGHT = [*WITHOUT_NUMPY, "idx", "datasets", "images", "samples", "fetch", "splits", "importing", "runtime"]


def test_the_light_modules_load_no_tensorflow_keras_or_matplotlib() -> None:
    imports = ", ".join(f"trainer.{name}" for name in LIGHT)
    code = f"import sys, {imports}; print(*({{'tensorflow', 'keras', 'matplotlib'}} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_what_the_web_reads_needs_not_even_numpy() -> None:
    code = "import sys, trainer.recipes, trainer.parameters, trainer.catalogue; print('numpy' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "False"

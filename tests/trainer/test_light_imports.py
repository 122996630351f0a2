"""What the web loads of the trainer stays light: loading TensorFlow takes seconds and hundreds of megabytes."""

import subprocess
import sys

WITHOUT_NUMPY = (
    *("errors", "input_spec", "runtime", "reports.model_card"),
    *("architecture.recipes", "architecture.parameters", "architecture.layers", "data.files", "data.catalog"),
    *("evaluation.acceptance", "files.class_folders", "files.truth_folders", "files.zip_names"),
)
LIGHT = (*WITHOUT_NUMPY, "data.datasets", "data.fetch", "data.samples", "data.importing", "images", "images.decoding")


def loaded_by(modules: tuple[str, ...]) -> set[str]:
    imports = ", ".join(f"tenfold.trainer.{module}" for module in modules)
    code = f"import sys, {imports}; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_the_light_modules_load_no_tensorflow_keras_or_matplotlib() -> None:
    assert loaded_by(LIGHT).isdisjoint({"tensorflow", "keras", "matplotlib"})


def test_what_the_web_reads_needs_not_even_numpy() -> None:
    assert "numpy" not in loaded_by(WITHOUT_NUMPY)

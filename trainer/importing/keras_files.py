"""Opens `.keras` files and legacy `.h5` files of Keras. What is in them is checked before Keras reads it."""

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from tenfold.trainer.errors import ModelRefused
from tenfold.trainer.importing.keras_configs import check_config
from tenfold.trainer.importing.outputs import not_finite
from tenfold.trainer.importing.zips import files_of, open_zip, unpack

CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"

MAX_CONFIG_BYTES = 16 * 2**20

SAVE_AGAIN = "Save the whole model again: model.save('model.keras')."


def open_keras(path: Path, work: Path, max_bytes: int) -> keras.Model:
    """The model in a `.keras` file.

    Args:
        work: a directory to unpack its weights in.

    Raises:
        ModelRefused: it is damaged, or holds anything but Keras' own layers and their weights.
    """
    with open_zip(path, max_bytes) as archive:
        files = files_of(archive)
        if foreign := files.keys() - {CONFIG, WEIGHTS, METADATA}:
            raise ModelRefused(
                "file",
                f"The .keras file has a member {min(foreign)[:100]!r}; only {METADATA}, {CONFIG} and {WEIGHTS} are "
                f"opened. {SAVE_AGAIN}",
            )
        if missing := {CONFIG, WEIGHTS} - files.keys():
            raise ModelRefused("file", f"The .keras file lacks {min(missing)}. {SAVE_AGAIN}")
        if files[CONFIG].file_size > MAX_CONFIG_BYTES:
            raise ModelRefused("file", f"{CONFIG} has more than {MAX_CONFIG_BYTES:,} bytes. {SAVE_AGAIN}")
        config = _network_of(_parsed(archive.read(CONFIG)))
        check_config(config)
        unpack(archive, files[WEIGHTS], work / WEIGHTS)
    _check_links(work / WEIGHTS)
    clean = work / "checked.keras"
    with zipfile.ZipFile(clean, "w") as packed:
        packed.writestr(CONFIG, json.dumps(config))
        packed.writestr(METADATA, json.dumps({"keras_version": keras.__version__}))
        packed.write(work / WEIGHTS, WEIGHTS)
    return _load(clean)


def open_h5(path: Path) -> keras.Model:
    """The model in an `.h5` file, as Keras 2 wrote and Keras 3 still can.

    Raises:
        ModelRefused: as for `open_keras`; or the file has weights only.
    """
    _check_links(path)
    with _opened(path) as file:
        written = file.attrs.get("model_config")
        if written is None:
            raise ModelRefused(
                "file", f"The HDF5 file has no model_config: it has weights only, or is no Keras model. {SAVE_AGAIN}"
            )
        if len(written) > MAX_CONFIG_BYTES:
            raise ModelRefused("file", f"The model's configuration has more than {MAX_CONFIG_BYTES:,} bytes.")
        check_config(_parsed(written))
    return _load(path)


def check_finite(model: keras.Model) -> None:
    """Refuse weights that are not numbers.

    Raises:
        ModelRefused: a weight is NaN or infinite.
    """
    for variable in model.variables:
        values = np.asarray(keras.ops.convert_to_numpy(variable.value))
        if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
            raise not_finite(variable.path)


def _parsed(written: bytes | str) -> Any:
    try:
        return json.loads(written)
    except (ValueError, RecursionError) as error:
        raise ModelRefused("file", f"The model's configuration is not JSON ({error}). {SAVE_AGAIN}") from error


def _network_of(config: Any) -> Any:
    """Only the network, without how it was compiled, which isn't needed."""
    if not isinstance(config, dict):
        return config
    return {name: config[name] for name in ("module", "class_name", "config", "registered_name") if name in config}


def _opened(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise ModelRefused("file", f"The HDF5 data is damaged or truncated ({error}). {SAVE_AGAIN}") from error


def _check_links(path: Path) -> None:
    """Refuse what HDF5 would read from other files."""
    with _opened(path) as file:
        rest, seen = [file["/"]], set()
        while rest:
            group = rest.pop()
            if group.id.__hash__() in seen:  # a hard link to an outer group
                continue
            seen.add(group.id.__hash__())
            for name in group:
                link = group.get(name, getlink=True)
                if isinstance(link, h5py.ExternalLink | h5py.SoftLink):
                    raise ModelRefused("file", f"The HDF5 data has a link {name[:100]!r}. {SAVE_AGAIN}")
                found = group[name]
                if isinstance(found, h5py.Group):
                    rest.append(found)
                elif isinstance(found, h5py.Dataset) and (found.external or found.is_virtual):
                    raise ModelRefused(
                        "file", f"The data of {name[:100]!r} lies outside of the HDF5 file. {SAVE_AGAIN}"
                    )


def _load(path: Path) -> keras.Model:
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except MemoryError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelRefused(
            "file",
            f"Keras {keras.__version__} can't open the model: {reason} If another version of Keras wrote it, export it "
            "there as ONNX.",
        ) from error
    check_finite(model)
    return model

"""Imports a data set from an uploaded file, whose format is detected by its content, and validates it."""

from tenfold.trainer.data.importing.building import Imported, extend_dataset, import_dataset, save_dataset
from tenfold.trainer.data.importing.preprocessing import Wanted

__all__ = ["Imported", "Wanted", "extend_dataset", "import_dataset", "save_dataset"]

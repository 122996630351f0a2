"""Imports a data set from an uploaded file, whose format is detected by its content, and validates it."""

from tenfold.trainer.data.importing.building import Imported, extend_dataset, import_dataset, save_dataset

__all__ = ["Imported", "extend_dataset", "import_dataset", "save_dataset"]

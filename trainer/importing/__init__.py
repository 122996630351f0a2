"""Reads a person's own data set from one uploaded file, whose kind its content tells, and checks it."""

from trainer.importing.additions import extend_dataset
from trainer.importing.imported import Imported, import_dataset, save_dataset

__all__ = ["Imported", "extend_dataset", "import_dataset", "save_dataset"]

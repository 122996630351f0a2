"""Errors of training and classifying. Every message says what was wrong, where, and what to do."""


class TrainerError(Exception):
    """Base class of this package's errors."""


class UnknownRecipe(TrainerError):
    """No recipe has this name."""


class DatasetMissing(TrainerError):
    """The data set is not on the volume and can't be downloaded."""


class DatasetInvalid(TrainerError):
    """The data set's files are damaged or invalid."""


class ImageUnreadable(TrainerError):
    """The image can't be read.

    Args:
        kind: the category in which it is counted: `empty`, `unrecognized_format`, `damaged`, `too_large`, `wrong_size`
            or `missing_package`.
    """

    def __init__(self, message: str, kind: str = "unrecognized_format") -> None:
        super().__init__(message)
        self.kind = kind


class ClassesDiffer(TrainerError):
    """The models of an ensemble have different classes."""


class UnpackingFailed(TrainerError):
    """A compressed file is damaged, encrypted, needs too much memory, or uses an unsupported compression."""


class InputUnsupported(TrainerError):
    """A data set or model needs an input that this version doesn't support."""


class CannotFineTune(TrainerError):
    """A training can't start from this model."""


class TrainingDiverged(TrainerError):
    """The loss is no longer finite."""


class ModelUnfaithful(TrainerError):
    """A saved model gives other answers than the trained one."""


class ModelRefused(TrainerError):
    """A model that was made elsewhere can't be imported.

    Args:
        field: the parameter of the import that is wrong, or `file`; the message begins with it.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class PackageMissing(TrainerError):
    """A package that this model needs is not installed."""

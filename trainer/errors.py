"""What can go wrong in training and classifying. Every message says what was wrong, where, and what to do."""


class TrainerError(Exception):
    """Base of this package's errors."""


class UnknownRecipe(TrainerError):
    """No recipe has this name."""


class DatasetMissing(TrainerError):
    """The data set is not on the volume, or can be had from nowhere."""


class DatasetInvalid(TrainerError):
    """The data set's files are not what they should be."""


class ImageUnreadable(TrainerError):
    """These bytes are no image that can be read.

    Args:
        kind: one of few words, by which such images are counted.
    """

    def __init__(self, message: str, kind: str = "no image") -> None:
        super().__init__(message)
        self.kind = kind


class ClassesDiffer(TrainerError):
    """Models that are to answer together do not know the same classes."""


class UnpackingFailed(TrainerError):
    """A compressed file is damaged, encrypted, packed in a way that cannot be read, or asks for too much memory."""


class InputUnsupported(TrainerError):
    """A data set or a model asks for an input that this version can't make."""


class TrainingDiverged(TrainerError):
    """The loss is no longer a finite number."""


class ModelUnfaithful(TrainerError):
    """A saved model, read back, does not answer as the trained one did."""

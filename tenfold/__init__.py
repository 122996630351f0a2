"""Tenfold trains classifiers of small images, classifies images in bulk, and says how far its answers can be trusted.

    from tenfold import Client

    with Client("http://127.0.0.1:8000") as client:
        training = client.train("dropout-128", epochs=1).wait()
        job = client.classify("digits.zip", model=training.summary["model"]).wait()
        print(job.summary["accuracy"])

`tenfold.client` and `tenfold.cli` need only the base packages; `tenfold.web`, `tenfold.worker` and `tenfold.trainer`
need the extras `server` and `worker`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tenfold.client import Client, Job

    __version__: str

__all__ = ["Client", "Job", "__version__"]


def __getattr__(name: str) -> Any:
    """Import the client, or read the version, when it is first used: worker and trainer need neither."""
    if name == "__version__":
        from importlib.metadata import version

        return version("tenfold")
    if name in __all__:
        from tenfold import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

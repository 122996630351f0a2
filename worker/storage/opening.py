"""Opens the volume that the settings name."""

from tenfold.worker.settings import Settings
from tenfold.worker.storage.volume import Volume


def open_volume(settings: Settings) -> Volume:
    """The volume. Call `Volume.create` before the first use."""
    if settings.bucket is None:
        return Volume(settings.root)
    # Imported here, since only buckets need these packages.
    from tenfold.worker.storage.objects import ObjectStorage

    storage = ObjectStorage(settings.bucket, settings.cache, settings.cache_bytes)
    return Volume(storage.root, storage)

"""Reads image files that lie in folders named after their classes, perhaps within `train` and `test`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from trainer.importing.archives import Archive
from trainer.importing.found import Check, Found
from trainer.importing.pictures import Labeled, read_labeled
from trainer.importing.preprocessing import Wanted
from trainer.naming.class_folders import Layout, find_layout
from trainer.naming.splits import Part


def layout_of(images: Sequence[PurePosixPath]) -> Layout:
    """Which folders of these images are the classes and which the split."""
    return find_layout(Counter(str(path.parent) for path in images))


def read_folders(
    archive: Archive, images: Sequence[PurePosixPath], layout: Layout, check: Check, preprocessing: Wanted
) -> Found:
    """The images of all class folders, prepared; those in none, and those that cannot be read, are left out.

    Raises:
        DatasetInvalid: there are too many, or a folder's name cannot be the name of a class.
    """
    labeled = []
    for path in images:
        place = layout.places[str(path.parent)]
        if place.label:
            labeled.append(Labeled(path, place.label, place.part is Part.TEST))
        else:
            archive.skipped.add(f"images {place.why}", path)
    found = read_labeled(archive, labeled, check, preprocessing)
    return replace(found, told=[layout.split, layout.level, *found.told], notes=[*found.notes, *layout.doubts])

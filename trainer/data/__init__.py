"""Data sets: their files on the volume, downloading, importing, splitting and previews."""

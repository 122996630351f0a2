"""Interprets names of files and folders, for imports and classifications. Standard library only: the web uses it.

- `zip_names`: decodes names stored in a zip.
- `splits`: which names mean training or test.
- `class_folders`: which folder level names the class, if the classes are unknown.
- `class_names`: which class a folder or a cell names, if the classes are known.
"""

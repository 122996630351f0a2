"""What names of files and folders tell, for imports and classifications alike. Standard library only: the web uses it.

- `zip_names`: the text of a name as a zip stores it.
- `system_files`: what file managers, notebooks and NAS boxes leave behind.
- `splits`: which folder names mean training and which mean test.
- `class_folders`: which folder level names the class, when the classes are not known yet.
- `class_names`: which class a folder or a cell names, when the classes are known.
"""

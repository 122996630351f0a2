"""Keeping an installation well: what may be removed, whether all is as it should be, backup and restore.

Loads nothing heavy: `tenfold gc`, `doctor`, `backup` and `restore` start as fast as any other command.
"""

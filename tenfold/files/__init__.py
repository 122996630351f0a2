"""What the client, the web, the worker and the trainer all know of files: formats by content, kinds by name, packing.

Standard library only. It imports none of the rooms, so it works where only the client is installed.
"""

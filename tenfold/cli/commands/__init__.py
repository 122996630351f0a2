"""The commands: a module for each noun or group of verbs, a folder where a noun takes several."""

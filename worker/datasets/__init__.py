"""The data sets on the volume, and the job that imports one."""

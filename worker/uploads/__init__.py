"""Uploaded files: resumable uploads, and how a file becomes the input of a job."""

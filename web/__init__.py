"""The face: JSON API and pages (Flask), the Python client, and the `tenfold` command. Never loads TensorFlow."""

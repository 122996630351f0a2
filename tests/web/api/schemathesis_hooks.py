"""Lets Schemathesis send pieces of uploads as it sends any bytes."""

import schemathesis

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")

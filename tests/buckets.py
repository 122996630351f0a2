"""A real S3 service for tests: moto's server in a thread, which keeps its buckets in memory."""

import itertools
import logging
import os

import fsspec
from moto.server import ThreadedMotoServer

LOOPBACK = "127.0.0.1"


class Buckets:
    """Start it once; each test takes a bucket of its own."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address=LOOPBACK, port=0, verbose=False)
        self._numbers = itertools.count()

    def start(self) -> None:
        self._server.start()
        host, port = self._server.get_host_and_port()
        # Read by every client of S3 in this process and in those that it starts.
        os.environ |= {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "tests",
            "AWS_SECRET_ACCESS_KEY": "tests",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def new(self) -> str:
        """The address of a volume in an empty bucket."""
        name = f"tenfold-{next(self._numbers)}"
        fsspec.filesystem("s3", use_listings_cache=False).mkdir(name)
        return f"s3://{name}/volume"

    def stop(self) -> None:
        self._server.stop()

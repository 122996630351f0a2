"""Debian's nginx as the reverse proxy before a web."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from tenfold.web.local.supervisor import free_port
from tests import patient
from tests.waiting import until

NGINX = shutil.which("nginx") or next((path for path in ("/usr/sbin/nginx",) if Path(path).exists()), None)

CONFIGURATION = """
{user}
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{}}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {locations}
    }}
}}
"""


@contextmanager
def nginx(locations: str) -> Iterator[str]:
    """The address of an nginx with these `location` blocks, for as long as the block lasts."""
    assert NGINX, "the tests of proxies need nginx: `make test` installs it with apt-get"
    port = free_port()
    with TemporaryDirectory(prefix="tenfold-nginx-") as directory:
        configuration = Path(directory) / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        configuration.write_text(CONFIGURATION.format(user=user, directory=directory, port=port, locations=locations))
        with subprocess.Popen([NGINX, "-p", directory, "-e", f"{directory}/error.log", "-c", configuration]) as process:
            try:
                until(lambda: _answers(port) or process.poll() is not None)
                assert process.poll() is None, (Path(directory) / "error.log").read_text()
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()


def _answers(port: int) -> bool:
    try:
        patient.get(f"http://127.0.0.1:{port}/")
    except httpx.TransportError:
        return False
    return True

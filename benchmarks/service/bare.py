"""A Flask application with one route on the web's own server, settings and all: `TENFOLD_PORT=… python -m
benchmarks.service.bare`."""

from flask import Flask

from tenfold.web.core.settings import WebSettings
from tenfold.web.serve import Server


class BareServer(Server):
    def load(self) -> Flask:  # type: ignore[override]
        app = Flask(__name__)

        @app.get("/")
        def answer() -> str:
            return "ok"

        return app


if __name__ == "__main__":
    BareServer(WebSettings()).run()

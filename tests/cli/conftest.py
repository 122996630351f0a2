"""The web application, as tests/web has it: what the client and the command talk to."""

from tests.web.conftest import api, app, model, services

__all__ = ["api", "app", "model", "services"]

"""The Python client.

from tenfold import Client

with Client("http://127.0.0.1:8000") as client:
    training = client.train("dropout-128", epochs=5).wait(progress=True)
    job = client.classify("digits.zip", model=training.summary["model"]).wait()
    print(job.results())
"""

from tenfold.client.client import Client
from tenfold.client.errors import JobFailed, ServerAway, ServerError, UnexpectedAnswer
from tenfold.client.job import UPLOADS, Job

__all__ = ["UPLOADS", "Client", "Job", "JobFailed", "ServerAway", "ServerError", "UnexpectedAnswer"]

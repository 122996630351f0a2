"""The pages, rendered on the server; `static/*.js` only refreshes them. Without JavaScript everything still works.

This is the page of a job. `job_list`, `train_pages`, `classify_page` and `model_pages` add theirs to its blueprint.
"""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from web.job_page import job_context, live_context
from web.services import services
from worker import submissions

pages = Blueprint("pages", __name__)

Page = str | tuple[str, int] | Response


@pages.get("/jobs/<job_id>")
def job(job_id: str) -> Page:
    """One job: live progress while it runs, then what came of it."""
    return render_template("job.html", **job_context(services().jobs.get(job_id)))


@pages.get("/jobs/<job_id>/live")
def job_live(job_id: str) -> Page:
    """The part of a running job's page that changes; `static/job.js` puts it into the page."""
    return render_template("job_live.html", **live_context(services().jobs.get(job_id)))


@pages.post("/jobs/<job_id>/cancel")
def cancel(job_id: str) -> Page:
    services().jobs.cancel(job_id)
    return _to_job(job_id)


@pages.post("/jobs/<job_id>/retry")
def retry(job_id: str) -> Page:
    submissions.retry(services(), job_id)
    return _to_job(job_id)


@pages.post("/jobs/<job_id>/delete")
def delete(job_id: str) -> Page:
    submissions.delete(services(), job_id)
    return redirect(url_for("pages.jobs"), HTTPStatus.SEE_OTHER)


def _to_job(job_id: str) -> Response:
    return redirect(url_for("pages.job", job_id=job_id), HTTPStatus.SEE_OTHER)

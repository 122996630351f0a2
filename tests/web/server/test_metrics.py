"""`GET /metrics` of the web: what it says, whom it answers, and when Redis is away."""

from pathlib import Path

from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from tenfold.web.app import create_app
from tenfold.web.core.settings import WebSettings
from tenfold.web.local.supervisor import free_port
from tenfold.worker.db.scopes import Scope
from tenfold.worker.db.states import JobKind
from tenfold.worker.jobs.claim_rules import ClaimRules
from tenfold.worker.jobs.leases import LeaseStore
from tenfold.worker.services import Services
from tests.web.people import add_person


def scrape(client: FlaskClient) -> dict[str, float]:
    """Values by name, and label values in alphabetical order of the labels: `tenfold_jobs training queued`."""
    response = client.get("/metrics")
    assert response.status_code == 200
    return {
        " ".join([sample.name, *(value for _, value in sorted(sample.labels.items()))]): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def test_jobs_are_counted_by_kind_and_state_whoever_they_belong_to(api: FlaskClient, services: Services) -> None:
    ada = add_person(services, "ada", Scope.ADMIN)
    api.environ_base["HTTP_AUTHORIZATION"] = ada.headers["Authorization"]
    for number, owner in enumerate((None, "ada", "ada")):
        services.jobs.submit(f"job-{number}", JobKind.TRAINING, {}, total=1, fingerprint="", owner=owner)
    services.jobs.cancel("job-2")

    said = scrape(api)

    assert said["tenfold_jobs training queued"] == 2
    assert said["tenfold_jobs training cancelled"] == 1
    assert said["tenfold_jobs review queued"] == 0
    assert said["tenfold_queued_steps train"] == 2
    assert said["tenfold_processes worker"] == 0


def test_the_longest_wait_is_that_of_the_oldest_job_since_it_was_last_put_in_line(
    api: FlaskClient, services: Services
) -> None:
    for name in ("job-1", "job-2"):
        services.jobs.submit(name, JobKind.TRAINING, {}, total=1, fingerprint="")
    with services.database.write() as session:
        oldest = services.jobs.get("job-1")
        oldest.created_at -= 3600
        session.merge(oldest)
    assert 3600 <= scrape(api)["tenfold_oldest_queued_job_seconds training"] < 3700

    services.jobs.cancel("job-1")
    services.jobs.retry("job-1")

    assert scrape(api)["tenfold_oldest_queued_job_seconds training"] < 100


def test_an_expired_lease_is_seen_before_anybody_takes_the_step_over(api: FlaskClient, services: Services) -> None:
    services.jobs.submit("job-1", JobKind.TRAINING, {}, total=1, fingerprint="")
    [step] = services.jobs.queued_steps("job-1")
    earlier = LeaseStore(services.database, ClaimRules(10, 3, lambda: services.clock() - 100))
    assert earlier.claim(step, "a worker that was killed")

    said = scrape(api)
    assert said["tenfold_running_steps train"] == said["tenfold_expired_leases train"] == 1

    lease = services.leases.claim(step, "another")
    assert lease is not None
    assert lease.taken_over
    said = scrape(api)
    assert (said["tenfold_running_steps train"], said["tenfold_expired_leases train"]) == (1, 0)


def test_requests_are_counted_by_route_and_never_by_address_or_invented_method(api: FlaskClient) -> None:
    for number in range(3):
        api.get(f"/api/v1/jobs/no-such-{number}")
    api.get("/no/such/page")
    api.open("/jobs", method="INVENTED")
    api.get("/api/v1/jobs/no-such?wait=0.1")

    said = scrape(api)

    assert said["tenfold_http_requests_total GET /api/v1/jobs/<job_id> 404"] == 4
    assert said["tenfold_http_request_seconds_count /api/v1/jobs/<job_id>"] == 3
    assert said["tenfold_http_requests_total GET unknown 404"] == 1
    assert said["tenfold_http_requests_total other unknown 405"] == 1


def test_without_redis_the_rest_is_still_told(tmp_path: Path) -> None:
    app = create_app(WebSettings(data=tmp_path, redis_url=f"redis://127.0.0.1:{free_port()}/0"))

    said = scrape(app.test_client())

    assert said["tenfold_redis_up"] == 0
    assert said["tenfold_database_up"] == 1
    assert said["tenfold_volume_free_bytes"] > 0
    assert "tenfold_queue_messages training" not in said


def test_once_there_are_users_it_takes_a_key_and_says_so(api: FlaskClient, services: Services) -> None:
    add_person(services, "ada", Scope.ADMIN)
    person = add_person(services, "prometheus", Scope.READ)

    refused = api.get("/metrics")

    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert api.get("/metrics", headers=person.headers).status_code == 200

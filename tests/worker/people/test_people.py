"""People, their keys and quotas: secrets are kept as hashes, and nobody has more than they may."""

import pytest
from sqlalchemy import text

from tenfold.worker.db.database import Database
from tenfold.worker.db.records import Job
from tenfold.worker.db.scopes import Scope, lesser
from tenfold.worker.db.states import JobKind
from tenfold.worker.errors import IdempotencyConflict, InvalidSubmission, QuotaExceeded, UnknownKey, UnknownUser
from tenfold.worker.jobs.leases import LeaseStore
from tenfold.worker.jobs.store import JobStore
from tenfold.worker.people.keys import LAST_USED_RESOLUTION_SECONDS, KeyStore
from tenfold.worker.people.quotas import Quota
from tenfold.worker.people.sessions import SessionStore
from tenfold.worker.people.users import UserStore
from tests.conftest import Clock

PASSWORD = "correct horse battery"


@pytest.fixture
def users(database: Database, clock: Clock) -> UserStore:
    return UserStore(database, clock)


@pytest.fixture
def keys(database: Database, clock: Clock) -> KeyStore:
    return KeyStore(database, clock)


@pytest.fixture
def sessions(database: Database, clock: Clock) -> SessionStore:
    return SessionStore(database, clock)


@pytest.fixture
def anna(users: UserStore) -> str:
    """The first user, an administrator."""
    return users.add("anna", PASSWORD, Scope.ADMIN).name


@pytest.fixture
def bert(users: UserStore, anna: str) -> str:
    return users.add("bert", PASSWORD).name


def submit(jobs: JobStore, job_id: str, owner: str | None, *, size: int = 0, key: str | None = None) -> Job:
    return jobs.submit(
        job_id,
        JobKind.TRAINING,
        {},
        total=1,
        source={"bytes": size},
        fingerprint=job_id[:2],
        idempotency_key=key,
        owner=owner,
    )


def test_whom_this_process_adds_counts_at_once_and_whom_another_adds_in_a_moment(database: Database) -> None:
    here, there = (UserStore(database, cache_seconds=3600) for _ in range(2))
    strict = UserStore(database, cache_seconds=0)
    assert here.no_users_yet()
    assert there.no_users_yet()
    assert strict.no_users_yet()

    here.add("anna", PASSWORD, Scope.ADMIN)

    assert not here.no_users_yet()
    assert there.no_users_yet(), "as it was told within the hour"
    assert not strict.no_users_yet()


def dump(database: Database, table: str) -> str:
    with database.read() as session:
        return str(session.execute(text(f"SELECT * FROM {table}")).all())


def test_a_person_is_known_by_their_password(users: UserStore, anna: str) -> None:
    found = users.authenticate("anna", PASSWORD)

    assert found is not None
    assert found.name == "anna"
    assert users.authenticate("anna", "wrong horse battery") is None
    assert users.authenticate("nobody", PASSWORD) is None


def test_passwords_and_keys_are_not_in_the_database(
    users: UserStore, keys: KeyStore, anna: str, database: Database
) -> None:
    key, secret = keys.add(anna, "laptop", Scope.READ)

    assert "$argon2id$" in dump(database, "users")
    assert PASSWORD not in dump(database, "users")
    assert key.id in dump(database, "api_keys")
    assert secret.removeprefix(f"{key.id}_") not in dump(database, "api_keys")


@pytest.mark.parametrize("name", ["", "Anna", "an na", "../up", "-a", "a" * 64])
def test_names_that_cannot_be(users: UserStore, name: str) -> None:
    with pytest.raises(InvalidSubmission, match="Use 1 to 63"):
        users.add(name, PASSWORD, Scope.ADMIN)


def test_a_short_password_a_taken_name_and_a_first_user_without_rights_are_refused(users: UserStore) -> None:
    with pytest.raises(InvalidSubmission, match="first user must be an administrator"):
        users.add("anna", PASSWORD)
    users.add("anna", PASSWORD, Scope.ADMIN)
    with pytest.raises(InvalidSubmission, match="user name anna is already in use"):
        users.add("anna", PASSWORD)
    with pytest.raises(InvalidSubmission, match="8 to 1024"):
        users.add("bert", "short")


def test_another_password_ends_the_sessions(users: UserStore, sessions: SessionStore, anna: str) -> None:
    here, there = (sessions.begin(users.get(anna), 3600) for _ in range(2))
    assert [found.name for found in (sessions.find(here), sessions.find(there)) if found] == [anna, anna]

    users.change_password(anna, "another password")

    assert sessions.find(here) is sessions.find(there) is None
    assert users.authenticate(anna, "another password")


def test_a_session_ends_when_it_is_ended_or_its_time_is_up(
    users: UserStore, sessions: SessionStore, clock: Clock, anna: str
) -> None:
    ended, kept = (sessions.begin(users.get(anna), 3600) for _ in range(2))
    sessions.end(ended)
    assert sessions.find(ended) is None
    assert sessions.find(kept)

    clock.advance(3600)

    assert sessions.find(kept) is None
    assert sessions.find("nothing like it") is None


def test_a_key_expires_after_its_days_and_not_before(keys: KeyStore, clock: Clock, anna: str) -> None:
    (_, week), (_, lasting) = keys.add(anna, "week", Scope.READ, days=7), keys.add(anna, "lasting", Scope.READ)
    clock.advance(7 * 86_400 - 1)
    assert keys.find(week)

    clock.advance(1)

    assert keys.find(week) is None
    assert keys.find(lasting)
    for days in (-1, 3651):
        with pytest.raises(InvalidSubmission, match="1 to 3,650 days"):
            keys.add(anna, "odd", Scope.READ, days=days)


def test_who_was_removed_has_no_session_key_or_job_and_the_jobs_stay(
    users: UserStore, keys: KeyStore, sessions: SessionStore, jobs: JobStore, bert: str
) -> None:
    begun = sessions.begin(users.get(bert), 3600)
    _, secret = keys.add(bert, "laptop", Scope.SUBMIT)
    submit(jobs, "a-1", bert, key="once")

    users.remove(bert)

    assert sessions.find(begun) is None
    assert keys.find(secret) is None
    assert jobs.get("a-1").owner is None
    users.add("bert", PASSWORD)
    assert submit(jobs, "a-2", "bert", key="once").id == "a-2"
    with pytest.raises(UnknownUser):
        users.remove("nobody")


def test_a_key_is_found_by_its_whole_text_until_it_is_revoked(keys: KeyStore, anna: str) -> None:
    key, secret = keys.add(anna, "laptop", Scope.READ)

    found = keys.find(secret)
    assert found is not None
    assert (found.key_id, found.owner, found.scope) == (key.id, "anna", Scope.READ)
    assert keys.find(secret[:-1] + ("0" if secret[-1] != "0" else "1")) is None
    assert keys.find(secret + "0") is None
    assert keys.find("") is None

    keys.revoke(key.id)
    assert keys.find(secret) is None
    with pytest.raises(UnknownKey):
        keys.revoke(key.id)


def test_nobody_revokes_anothers_key(keys: KeyStore, anna: str, bert: str) -> None:
    key, secret = keys.add(anna, "laptop", Scope.READ)

    with pytest.raises(UnknownKey):
        keys.revoke(key.id, owner=bert)

    assert keys.find(secret)


def test_when_a_key_was_used_is_noted_now_and_then(keys: KeyStore, anna: str, clock: Clock) -> None:
    _, secret = keys.add(anna, "laptop", Scope.READ)
    keys.find(secret)
    first = clock()
    clock.advance(LAST_USED_RESOLUTION_SECONDS - 1)
    keys.find(secret)
    assert keys.list(anna)[0].last_used_at == first

    clock.advance(1)
    keys.find(secret)
    assert keys.list(anna)[0].last_used_at == clock()


def test_a_key_may_no_more_than_its_owner() -> None:
    assert lesser(Scope.ADMIN, Scope.READ) is Scope.READ
    assert lesser(Scope.READ, Scope.ADMIN) is Scope.READ
    assert lesser(Scope.SUBMIT, Scope.SUBMIT) is Scope.SUBMIT


def test_one_idempotency_key_of_two_people_makes_two_jobs(jobs: JobStore, anna: str, bert: str) -> None:
    assert submit(jobs, "a-1", anna, key="monday").id == "a-1"
    assert submit(jobs, "b-1", bert, key="monday").id == "b-1"
    assert submit(jobs, "a-12", anna, key="monday").id == "a-1"
    with pytest.raises(IdempotencyConflict):
        submit(jobs, "c-1", bert, key="monday")


def test_more_unfinished_jobs_than_allowed_are_refused_until_one_ends(
    database: Database, clock: Clock, users: UserStore, bert: str
) -> None:
    jobs = JobStore(database, clock, Quota(max_jobs=2))
    submit(jobs, "a-1", bert)
    submit(jobs, "a-2", bert)

    with pytest.raises(QuotaExceeded, match=r"2 unfinished jobs; your quota is 2.*cancel"):
        submit(jobs, "a-3", bert)
    submit(jobs, "n-1", None)
    jobs.cancel("a-1")
    submit(jobs, "a-3", bert)
    with pytest.raises(QuotaExceeded):
        jobs.retry("a-1")


def test_a_persons_own_quota_counts_before_the_settings(
    database: Database, clock: Clock, users: UserStore, bert: str
) -> None:
    jobs = JobStore(database, clock, Quota(max_jobs=1, max_bytes=10))
    users.change(bert, Scope.SUBMIT, max_jobs=2, max_bytes=None)
    submit(jobs, "a-1", bert, size=6)

    with pytest.raises(QuotaExceeded, match="use 6 bytes and this one needs 5; your quota is 10"):
        submit(jobs, "a-2", bert, size=5)
    submit(jobs, "a-3", bert, size=4)


def test_what_a_job_leaves_on_the_volume_counts(jobs: JobStore, leases: LeaseStore, bert: str) -> None:
    submit(jobs, "a-1", bert, size=6)
    jobs.note_bytes("a-1", 100)

    assert jobs.usage(bert).bytes == 100


def test_a_lease_says_whose_the_job_is_so_that_trials_belong_to_them_too(
    jobs: JobStore, leases: LeaseStore, bert: str
) -> None:
    submit(jobs, "a-1", bert)

    lease = leases.claim(jobs.queued_steps("a-1")[0], "worker")

    assert lease is not None
    assert lease.owner == bert

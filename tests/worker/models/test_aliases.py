"""Aliases of models: every change is kept in order, and can be rolled back; what one names cannot be deleted."""

import threading

import pytest

from tenfold.worker.db.database import Database
from tenfold.worker.db.records import Model
from tenfold.worker.errors import (
    AliasChanged,
    InvalidSubmission,
    UnknownAlias,
    UnknownModel,
    WrongState,
)
from tenfold.worker.models.aliases import AliasStore, aliases_among
from tenfold.worker.models.registry import ModelStore
from tests.conftest import Clock, every_database


@pytest.fixture
def models(database: Database) -> ModelStore:
    """Models a, b, c and d."""
    with database.write() as session:
        session.add_all(
            Model(id=name, recipe="cnn", dataset="mnist", parameters={}, metrics={}, created_at=1.0, trial=False)
            for name in "abcd"
        )
    return ModelStore(database)


@pytest.fixture
def aliases(database: Database, models: ModelStore, clock: Clock) -> AliasStore:
    return AliasStore(database, clock)


def history(aliases: AliasStore, name: str = "production") -> list[tuple[str | None, str | None]]:
    """What each change led from and to, oldest first."""
    return [(change.previous, change.model) for change in reversed(aliases.changes(name))]


@every_database
def test_a_change_says_who_made_it_when_and_why(aliases: AliasStore, clock: Clock) -> None:
    aliases.promote("a", who="anna", reason="  the first  ")
    clock.now += 60
    aliases.promote("b", who="bert", reason="better by 0.3 points")

    newest, oldest = aliases.changes("production")

    assert (newest.number, newest.previous, newest.model) == (2, "a", "b")
    assert (newest.changed_by, newest.changed_at, newest.reason) == ("bert", clock.now, "better by 0.3 points")
    assert (oldest.number, oldest.previous, oldest.model, oldest.reason) == (1, None, "a", "the first")


@every_database
def test_a_model_is_found_by_its_aliases(aliases: AliasStore, models: ModelStore) -> None:
    aliases.promote("a", who=None)
    aliases.promote("a", "candidate", who=None)
    aliases.promote("b", "v1.0_old-one", who=None)

    assert models.get("candidate").id == models.serving(None).id == models.serving("production").id == "a"
    assert dict(aliases.by_model()) == {"a": ["candidate", "production"], "b": ["v1.0_old-one"]}
    assert aliases_among([None, "a", "candidate"], ["a"] * 3) == {"production": "a", "candidate": "a"}


def test_promoting_what_is_named_already_is_no_change(aliases: AliasStore) -> None:
    first = aliases.promote("a", who="anna")

    assert aliases.promote("a", who="bert").number == first.number
    assert len(aliases.changes("production")) == 1


@every_database
def test_a_rollback_is_a_change_and_the_next_one_goes_further_back(aliases: AliasStore, models: ModelStore) -> None:
    for model_id in "abc":
        aliases.promote(model_id, who=None)

    first = aliases.roll_back("production", who="anna", reason="worse on scans")
    assert (first.number, first.previous, first.model, first.restores) == (4, "c", "b", 2)
    assert aliases.roll_back("production", who="anna").model == "a"
    with pytest.raises(WrongState, match="has named no other model before"):
        aliases.roll_back("production", who="anna")

    aliases.promote("d", who=None)
    assert aliases.roll_back("production", who=None).model == "a"
    assert aliases.roll_back("production", who=None, to=3).model == "c"
    assert history(aliases)[-4:] == [("b", "a"), ("a", "d"), ("d", "a"), ("a", "c")]


@every_database
def test_an_alias_that_was_deleted_keeps_its_history_and_comes_back(aliases: AliasStore, models: ModelStore) -> None:
    aliases.promote("a", who=None)
    aliases.delete("production", who="anna", reason="retired")

    assert models.in_production() is None
    assert aliases.list() == []
    with pytest.raises(UnknownAlias, match=r"was removed.*tenfold alias rollback production"):
        aliases.get("production")
    with pytest.raises(UnknownAlias):
        aliases.delete("production", who=None)
    assert aliases.roll_back("production", who=None).model == "a"
    assert history(aliases) == [(None, "a"), ("a", None), (None, "a")]


@every_database
def test_a_model_that_an_alias_names_is_not_deleted(aliases: AliasStore, models: ModelStore) -> None:
    aliases.promote("a", who=None)
    aliases.promote("a", "candidate", who=None)

    with pytest.raises(WrongState, match=r"candidate, production name the model a.*tenfold alias delete candidate"):
        models.delete("a")

    aliases.promote("b", "candidate", who=None)
    aliases.promote("b", who=None)
    models.delete("a")
    with pytest.raises(WrongState, match="model a, which has been deleted"):
        aliases.roll_back("production", who=None)


def test_what_cannot_be_is_refused_and_leaves_nothing_behind(aliases: AliasStore) -> None:
    for name in ("", "Production", "1st", "a b", "a-", "x" * 64, "naïve", "01m7y8q3v0kx2m4d9p7c5s1r6t", "a\n", "../a"):
        with pytest.raises(InvalidSubmission, match="cannot be an alias") as refused:
            aliases.promote("a", name, who=None)
        assert refused.value.field == "alias"
    for reason in ("x" * 501, "two\nlines", "\x1b[31mred"):
        with pytest.raises(InvalidSubmission) as refused:
            aliases.promote("a", who=None, reason=reason)
        assert refused.value.field == "reason"
    with pytest.raises(UnknownModel):
        aliases.promote("nosuch", who=None)

    assert aliases.list() == []
    for unknown in (lambda: aliases.changes("production"), lambda: aliases.roll_back("production", who=None)):
        with pytest.raises(UnknownAlias):
            unknown()


@every_database
def test_a_rollback_to_a_change_that_named_no_model_is_refused(aliases: AliasStore) -> None:
    aliases.promote("a", who=None)
    aliases.delete("production", who=None)
    aliases.promote("b", who=None)

    for number in (2, 9):
        with pytest.raises(InvalidSubmission, match=f"No change {number}"):
            aliases.roll_back("production", who=None, to=number)


@every_database
def test_a_change_of_what_has_changed_since_is_refused(aliases: AliasStore) -> None:
    seen = aliases.promote("a", who=None).number
    aliases.promote("b", who=None)

    with pytest.raises(AliasChanged):
        aliases.promote("c", who=None, expected=seen)
    assert aliases.promote("c", who=None, expected=seen + 1).model == "c"


@every_database
def test_of_many_who_promote_at_once_all_are_in_the_history_in_order(aliases: AliasStore) -> None:
    people = 12
    together = threading.Barrier(people)

    def promote(person: int) -> None:
        together.wait()
        aliases.promote("abcd"[person % 4], who=f"person-{person}")

    threads = [threading.Thread(target=promote, args=(person,)) for person in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    changes = list(reversed(aliases.changes("production")))
    assert [change.number for change in changes] == list(range(1, len(changes) + 1))
    assert [change.previous for change in changes] == [None, *(change.model for change in changes[:-1])]
    assert aliases.get("production").model == changes[-1].model
    assert {change.model for change in changes} == set("abcd")


@every_database
def test_a_model_is_either_promoted_or_deleted_never_both(aliases: AliasStore, models: ModelStore) -> None:
    together = threading.Barrier(2)
    outcomes: dict[str, bool] = {}

    def attempt(what: str) -> None:
        together.wait()
        try:
            models.delete("a") if what == "delete" else aliases.promote("a", who=None)
            outcomes[what] = True
        except (UnknownModel, WrongState):
            outcomes[what] = False

    threads = [threading.Thread(target=attempt, args=(what,)) for what in ("delete", "promote")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes.values()) == [False, True]

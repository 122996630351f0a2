"""Aliases: names for models, such as `production`. Every change of one is kept, and can be rolled back."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tenfold.worker.db.clock import Clock
from tenfold.worker.db.database import Database
from tenfold.worker.db.records import Alias, AliasChange, Model
from tenfold.worker.errors import AliasChanged, InvalidSubmission, UnknownAlias, UnknownModel, WrongState

# Names the model that is used where none is named.
PRODUCTION = "production"

# No id of a model starts with a letter. Browsers need the hyphen escaped.
ALIAS_PATTERN = r"[a-z]([a-z0-9._\-]{0,61}[a-z0-9])?"
MAX_ALIAS = 63

MAX_REASON = 500


def check_alias(name: str) -> str:
    """The name, if it can be an alias.

    Raises:
        ValueError: it cannot.
    """
    if not re.fullmatch(ALIAS_PATTERN, name):
        raise ValueError(
            f"{name[:64]!r} cannot be an alias: it needs 1 to {MAX_ALIAS} lowercase letters, digits, dots, hyphens "
            "and underscores, the first a letter, the last a letter or digit: candidate"
        )
    return name


def check_reason(reason: str) -> str:
    """The reason of a change without spaces around it.

    Raises:
        ValueError: it is too long, or more than one line.
    """
    reason = reason.strip()
    if len(reason) > MAX_REASON or not reason.isprintable():
        raise ValueError(f"must be one line of up to {MAX_REASON} characters; this one has {len(reason):,}")
    return reason


class AliasStore:
    """Aliases in the database. Every method is one transaction, every change one conditional UPDATE."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def list(self) -> Sequence[AliasChange]:
        """The latest change of each alias that names a model, by name."""
        query = (
            select(AliasChange)
            .join(Alias, (Alias.name == AliasChange.alias) & (Alias.version == AliasChange.number))
            .where(Alias.model.is_not(None))
            .order_by(Alias.name)
        )
        with self._database.read() as session:
            return session.scalars(query).all()

    def by_model(self) -> Mapping[str, Sequence[str]]:
        """The names of the aliases of each model that has any."""
        names = defaultdict(list)
        for change in self.list():
            names[change.model or ""].append(change.alias)
        return names

    def get(self, name: str) -> AliasChange:
        """The latest change of an alias that names a model.

        Raises:
            UnknownAlias: it names none.
        """
        with self._database.read() as session:
            latest = _latest(session, name)
        if latest.model is None:
            raise UnknownAlias(
                f"The alias {name} was removed and names no model. Let it name one (tenfold model promote MODEL "
                f"--alias {name}), or bring it back (tenfold alias rollback {name})."
            )
        return latest

    def changes(self, name: str, *, before: int | None = None, limit: int | None = None) -> Sequence[AliasChange]:
        """The changes of an alias, newest first, also of one that was removed.

        Args:
            before: only changes with lower numbers.

        Raises:
            UnknownAlias: there never was one of this name.
        """
        query = select(AliasChange).where(AliasChange.alias == name).order_by(AliasChange.number.desc()).limit(limit)
        if before is not None:
            query = query.where(AliasChange.number < before)
        with self._database.read() as session:
            _latest(session, name)
            return session.scalars(query).all()

    def promote(
        self, model_id: str, name: str = PRODUCTION, *, who: str | None, reason: str = "", expected: int | None = None
    ) -> AliasChange:
        """Let an alias name this model. Returns the latest change, which is an earlier one if it named it already.

        Args:
            who: the user who asked for it.
            expected: the number of the latest change that the caller has seen.

        Raises:
            InvalidSubmission: the name or the reason is invalid.
            UnknownModel: there is none with this id.
            AliasChanged: the latest change is not the expected one.
        """
        name, reason = _valid("alias", check_alias, name), _valid("reason", check_reason, reason)
        as_seen = [] if expected is None else [Alias.version == expected]
        try:
            with self._database.write() as session:
                if session.get(Model, model_id) is None:
                    raise UnknownModel(f"There is no model {model_id!r}; `tenfold model list` shows all models.")
                change = _change(session, name, model_id, *as_seen, who=who, at=self._clock(), reason=reason)
                latest = change or _latest(session, name)
        except IntegrityError as error:
            raise UnknownModel(f"The model {model_id!r} has been deleted.") from error
        if expected is not None and change is None and latest.number != expected:
            raise _changed(name)
        return latest

    def roll_back(self, name: str, *, who: str | None, reason: str = "", to: int | None = None) -> AliasChange:
        """Let an alias name the model again that it named before; this is a change like any other.

        Args:
            to: the number of an earlier change. By default the one before the latest; a second rollback goes one
                further back.

        Raises:
            UnknownAlias: there never was one of this name.
            InvalidSubmission: there is no such change, or it removed the alias.
            WrongState: the alias has named no other model, or the one that it named was deleted.
        """
        reason = _valid("reason", check_reason, reason)
        with self._database.write() as session:
            latest = _latest(session, name)
            target = _before(session, latest) if to is None else session.get(AliasChange, (name, to))
            if target is None and to is None:
                raise WrongState(f"There is nothing to roll back: the alias {name} has named no other model before.")
            if target is None or target.model is None:
                raise InvalidSubmission(
                    "to", f"No change {to} let the alias {name} name a model; `tenfold alias show {name}` lists all."
                )
            if session.get(Model, target.model) is None:
                raise WrongState(
                    f"Change {target.number} let the alias {name} name the model {target.model}, which has been "
                    f"deleted. Choose another change (`tenfold alias show {name}` lists all), or promote a model."
                )
            change = _change(
                session,
                name,
                target.model,
                Alias.version == latest.number,
                who=who,
                at=self._clock(),
                reason=reason,
                restores=target.restores or target.number,
            )
            if change is None and latest.model != target.model:
                raise _changed(name)
            return change or latest

    def delete(self, name: str, *, who: str | None, reason: str = "") -> None:
        """Let an alias name no model any more. Its history is kept.

        Raises:
            UnknownAlias: it names none.
        """
        self.get(name)
        reason = _valid("reason", check_reason, reason)
        with self._database.write() as session:
            _change(session, name, None, who=who, at=self._clock(), reason=reason)


def adopt_first_model(session: Session, model_id: str, *, who: str | None, at: float) -> str:
    """Let `production` name a newly trained model if it is the only one, not counting trials of sweeps.

    Returns:
        a sentence on what `production` names.
    """
    command = f"To promote this one: tenfold model promote {model_id}"
    others = select(Model.id).where(Model.id != model_id, Model.trial.is_(False)).limit(1)
    if session.scalar(others) is None:
        first = "The first model of the volume."
        if _change(session, PRODUCTION, model_id, Alias.model.is_(None), who=who, at=at, reason=first):
            return f"It is the first model, so the alias {PRODUCTION} names it."
    serving = session.scalar(select(Model).join(Alias, Alias.model == Model.id).where(Alias.name == PRODUCTION))
    if serving is None:
        return f"The alias {PRODUCTION} names no model. {command}"
    return f"The alias {PRODUCTION} still names {serving.id} ({serving.recipe} on {serving.dataset}). {command}"


def aliases_among(names: Sequence[str | None], model_ids: Sequence[str]) -> dict[str, str]:
    """The aliases among these names, with the ids of the models that they name.

    Args:
        names: how each of the models was named; None for the one of `production`.
    """
    return {name or PRODUCTION: model_id for name, model_id in zip(names, model_ids, strict=True) if name != model_id}


def _change(
    session: Session,
    name: str,
    model_id: str | None,
    *conditions: ColumnElement[bool],
    who: str | None,
    at: float,
    reason: str,
    restores: int | None = None,
) -> AliasChange | None:
    """Change what an alias names and record it; None if the conditions do not hold or it named this model already."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(Alias).values(name=name, version=0).on_conflict_do_nothing())
    number = session.scalar(
        update(Alias)
        .where(Alias.name == name, Alias.model.is_distinct_from(model_id), *conditions)
        .values(model=model_id, version=Alias.version + 1)
        .returning(Alias.version)
        .execution_options(synchronize_session=False)
    )
    if number is None:
        return None
    if name == PRODUCTION:
        named = Model.id == model_id
        session.execute(update(Model).where(Model.pinned != named).values(pinned=named))
    before = session.get(AliasChange, (name, number - 1))
    change = AliasChange(
        alias=name,
        number=number,
        changed_at=at,
        changed_by=who,
        previous=before.model if before else None,
        model=model_id,
        reason=reason,
        restores=restores,
    )
    session.add(change)
    session.flush()
    return change


def _latest(session: Session, name: str) -> AliasChange:
    latest = session.scalar(
        select(AliasChange).where(AliasChange.alias == name).order_by(AliasChange.number.desc()).limit(1)
    )
    if latest is None:
        raise UnknownAlias(f"There is no alias {name!r}; `tenfold alias list` shows all aliases.")
    return latest


def _before(session: Session, latest: AliasChange) -> AliasChange | None:
    """The newest change before the one in effect that let the alias name another model."""
    query = select(AliasChange).where(
        AliasChange.alias == latest.alias,
        AliasChange.number < (latest.restores or latest.number),
        AliasChange.model.is_not(None),
        AliasChange.model.is_distinct_from(latest.model),
    )
    return session.scalar(query.order_by(AliasChange.number.desc()).limit(1))


def _valid(field: str, check: Callable[[str], str], value: str) -> str:
    try:
        return check(value)
    except ValueError as error:
        raise InvalidSubmission(field, str(error)) from error


def _changed(name: str) -> AliasChanged:
    return AliasChanged(f"The alias {name} has been changed since you looked; `tenfold alias show {name}` shows how.")

"""Who may open what holds passwords and secrets: its owner alone."""

import subprocess
import sys
from pathlib import Path

from tenfold.worker.db.database import Database
from tenfold.worker.db.schema import migrate
from tenfold.worker.db.scopes import Scope
from tenfold.worker.people.users import UserStore
from tenfold.worker.services import Services
from tenfold.worker.upkeep.backup import back_up


def modes(directory: Path, pattern: str) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in directory.glob(pattern)}


def test_the_database_is_its_owners_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'tenfold.db'}")
    migrate(database)
    with database.read() as session:
        session.connection()
        found = modes(tmp_path, "tenfold.db*")
    database.close()

    assert found == dict.fromkeys(("tenfold.db", "tenfold.db-wal", "tenfold.db-shm"), 0o600)


def test_a_database_of_an_earlier_version_is_closed_to_others_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "tenfold.db"
    before = Database(f"sqlite:///{path}")
    migrate(before)
    for file in tmp_path.glob("tenfold.db*"):
        file.chmod(0o644)

    UserStore(Database(f"sqlite:///{path}")).add("anna", "correct horse battery", Scope.ADMIN)

    assert set(modes(tmp_path, "tenfold.db*").values()) == {0o600}
    before.close()


def test_to_make_it_private_lets_go_of_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "tenfold.db"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    other_process = (
        "import sys; from tenfold.worker.db.database import Database; from tenfold.worker.db.schema import migrate; "
    )
    other_process += "other = Database(sys.argv[1]); migrate(other); other.close()"

    with database.read() as session, database.read() as second:
        session.connection()
        second.connection()  # for which the file is looked at again
        subprocess.run([sys.executable, "-c", other_process, f"sqlite:///{path}"], check=True)

        assert (tmp_path / "tenfold.db-wal").exists(), "the other process took itself for the last one"
    database.close()


def test_a_backup_is_its_owners_alone(services: Services, tmp_path: Path) -> None:
    for name in ("all.tar", "all.tar.gz"):
        back_up(services.database, services.volume, tmp_path / name, now=1.0)

    assert modes(tmp_path, "all.tar*") == {"all.tar": 0o600, "all.tar.gz": 0o600}

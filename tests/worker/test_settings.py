"""What settings come to that depends on others."""

from pathlib import Path

import pytest

from tenfold.worker.db.database import Database
from tenfold.worker.db.schema import migrate
from tenfold.worker.settings import Settings


@pytest.mark.parametrize("name", ["100%", "a%2Fb", "scans?mode=ro", "scans #1"])
def test_the_database_lies_on_the_volume_whatever_its_path_is_called(tmp_path: Path, name: str) -> None:
    volume = tmp_path / name
    volume.mkdir()
    settings = Settings(data=volume)

    database = Database(settings.resolved_database_url)
    migrate(database)
    database.close()

    assert (volume / "tenfold.db").is_file()
    assert list(tmp_path.iterdir()) == [volume]

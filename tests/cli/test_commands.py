"""The command against the real application: what it prints, how it ends, and which server it asks."""

import contextlib
import fcntl
import io
import json
import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
import termios
import time
import zipfile
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from tenfold.cli import run
from tenfold.trainer.data.datasets import Dataset
from tenfold.web.local.supervisor import free_port
from tenfold.worker.db.records import Job, Model
from tenfold.worker.db.scopes import Scope
from tenfold.worker.db.states import JobState, StepKind
from tenfold.worker.observability.worker_registry import ProcessInfo, Task
from tenfold.worker.process.runner import Runner
from tenfold.worker.services import Services
from tests.conftest import write_dataset
from tests.foreign_models import linear_onnx
from tests.linear_models import linear_model
from tests.reviews import classified, digits, untrained_model, work_off
from tests.uploads import class_folders
from tests.web.conftest import zip_bytes
from tests.web.people import add_person
from tests.web.served import Gateway, served


@pytest.fixture(autouse=True)
def nothing_is_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person in an empty directory, who has set nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TENFOLD_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.delenv("TENFOLD_SERVER", raising=False)
    monkeypatch.delenv("TENFOLD_KEY", raising=False)


@pytest.fixture
def gateway(app: Flask) -> Gateway:
    return Gateway(app)


@pytest.fixture
def server(gateway: Gateway) -> Iterator[str]:
    with served(gateway) as url:
        yield url


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command line; returns what it prints, results before messages."""

    def say(line: str, *, status: int = 0) -> str:
        capfd.readouterr()
        try:
            ended = run(shlex.split(line))
        except SystemExit as end:
            ended = int(end.code or 0)
        printed = capfd.readouterr()
        assert ended == status, printed.err
        return printed.out + printed.err

    return say


@pytest.fixture
def tenfold(say: Callable[..., str], server: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The same, for somebody who has named the server."""
    monkeypatch.setenv("TENFOLD_SERVER", server)
    return say


def test_a_job_is_queued_looked_at_ended_queued_again_and_deleted(tenfold: Callable[..., str]) -> None:
    job = tenfold("train dropout-128 --epochs 7").splitlines()[0]

    assert f"training {job} queued: 0 of 7 epochs" in tenfold(f"job show {job}")
    assert tenfold("job cancel last") == f"{job} cancelled\n"
    assert json.loads(tenfold(f"job retry {job} -o json"))["state"] == "queued"
    tenfold("job cancel last")
    assert tenfold("job delete last --yes") == f"{job} deleted\n"
    assert "No jobs yet" in tenfold("job list")
    assert "no last one" in tenfold("job show last", status=4)


def test_what_an_import_took_skipped_and_warns_of_is_printed_last(
    tenfold: Callable[..., str], services: Services, mnist: Dataset
) -> None:
    names = {0: "letters/ring", 1: "letters/stroke"}
    Path("own.zip").write_bytes(
        class_folders(mnist, names, images=200, others={"letters/.git/x.png": b"x", "loose.png": b"x"})
    )
    job = tenfold("dataset import own own.zip").splitlines()[0]
    for step in services.jobs.queued_steps(job):
        Runner(services, shutting_down=lambda: False).run(step)

    _, headline, split, level, skipped, *warnings = tenfold("job show last").splitlines()

    assert headline.startswith("own: 2 classes")
    assert split.startswith("The file has no split: a random 17% of each class")
    assert "is the name of a folder: for 'letters/" in level
    assert skipped == "Skipped hidden and system files: 1 (letters/.git/x.png)."
    assert warnings[0] == "Warning: Skipped images in no class folder: 1 (loose.png)."


def test_waiting_gives_up_when_the_time_is_up(tenfold: Callable[..., str]) -> None:
    tenfold("train dropout-128")

    assert "still queued after 0.1 s. It continues on the server." in tenfold("job wait last --timeout 0.1", status=5)


def test_the_log_and_the_files_of_a_job(tenfold: Callable[..., str], services: Services) -> None:
    job = tenfold("train dropout-128").splitlines()[0]
    assert tenfold("job log last") == ""
    services.volume.log(job).write_text("epoch 1 of 10\n")
    tenfold("job cancel last")

    assert tenfold("job log last --follow") == "epoch 1 of 10\n"
    assert json.loads(tenfold("job log last -o json")) == {"log": "epoch 1 of 10\n"}
    assert tenfold("job files last").split() == ["BYTES", "NAME", "14", "log.txt"]
    assert tenfold("job fetch last log.txt --to here").splitlines()[0] == "here/log.txt"
    assert "there are: log.txt" in tenfold("job fetch last results.csv", status=1)


def test_a_model_is_shown_and_fetched(tenfold: Callable[..., str], model: str) -> None:
    assert "test_accuracy    0.98" in tenfold(f"model show {model}")
    assert tenfold(f"model files {model}").split() == ["BYTES", "NAME", "10", "model.keras"]
    tenfold("model fetch production")
    assert Path(model, "model.keras").read_bytes() == b"0123456789"


def test_a_model_is_promoted_and_the_alias_rolled_back(
    tenfold: Callable[..., str], model: str, services: Services
) -> None:
    with services.database.write() as session:
        session.add(Model(id="model-2", recipe="cnn", dataset="mnist", parameters={}, metrics={}, created_at=2.0))

    assert tenfold("model promote model-2 --alias candidate") == "candidate names model-2\n"
    assert json.loads(tenfold("model promote candidate --reason better -o json"))["reason"] == "better"
    assert [line.split()[:2] for line in tenfold("alias list").splitlines()[1:]] == [
        ["candidate", "model-2"],
        ["production", "model-2"],
    ]
    assert tenfold("alias rollback production --reason worse") == f"production names {model}, as after change 1\n"
    newest, *_ = json.loads(tenfold("alias show production -o json"))["items"]
    assert (newest["previous"], newest["model"], newest["reason"]) == ("model-2", model, "worse")
    assert "rolled back to 1: worse" in tenfold("alias show production")
    assert "no alias 'nosuch'" in tenfold("alias show nosuch", status=4)


def test_a_model_is_removed(tenfold: Callable[..., str], model: str) -> None:
    assert json.loads(tenfold("model show production -o json"))["id"] == model
    assert "Promote another one" in tenfold("model delete production --yes", status=4)
    tenfold("alias delete production --yes")
    assert tenfold(f"model delete {model} --yes") == f"{model} deleted\n"
    assert "no model" in tenfold(f"model delete {model} --yes", status=4)


def test_webhooks_are_added_listed_looked_at_and_removed(tenfold: Callable[..., str]) -> None:
    assert "No webhooks. Add one" in tenfold("webhook list")
    secret, said = tenfold("webhook add https://example.org/hook --kind training").splitlines()
    webhook = said.split()[3].rstrip(".")
    job = tenfold("train dropout-128").splitlines()[0]
    tenfold(f"job cancel {job}")

    assert secret.startswith("whsec_")
    assert tenfold("webhook list").split()[3:] == [webhook, "training", "https://example.org/hook"]
    assert tenfold(f"webhook deliveries {webhook}").split()[5:] == [job, "job.cancelled", "pending", "0"]
    assert tenfold(f"webhook delete {webhook} --yes") == f"{webhook} deleted\n"
    assert json.loads(tenfold("webhook list -o json")) == {"items": []}
    assert "TENFOLD_WEBHOOK_PRIVATE_ADDRESSES" in tenfold("webhook add http://localhost/hook", status=4)


def test_workers_are_listed(tenfold: Callable[..., str], services: Services) -> None:
    assert "No workers online" in tenfold("worker list")
    task = Task("some-job", StepKind.SHARD, 3, time.time() - 3 * 3600)
    services.registry.register(ProcessInfo("a", "worker", "here", 17, "0.1", 0.0, "GPU", 5 << 20, None, task))

    assert tenfold("worker list").splitlines()[1] == "worker  here:17  GPU     5 MB    shard 3 of some-job for 3 h"
    assert json.loads(tenfold("worker list -o json"))["items"][0]["pid"] == 17


def test_owners_are_shown_where_there_are_some(
    tenfold: Callable[..., str], services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENFOLD_KEY", add_person(services, "anna", Scope.ADMIN).key)
    job = tenfold("train dropout-128 --epochs 7").splitlines()[0]

    header, row = tenfold("job list").splitlines()
    assert header.split() == ["JOB", "OWNER", "KIND", "STATE", "SUBJECT", "AGE", "OUTCOME"]
    assert re.sub(r" \d+ s ", " 0 s ", " ".join(row.split())) == (
        f"{job} anna training queued dropout-128 on mnist 0 s 0 of 7 epochs"
    )
    assert tenfold("job show last") == f"training {job} of anna queued: 0 of 7 epochs\n"


def test_a_job_says_by_which_alias_its_model_was_named(tenfold: Callable[..., str], model: str) -> None:
    Path("one.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    tenfold("classify one.png --model production")

    assert f"model {model}, named by the alias production\n" in tenfold("job show last")


def test_a_job_in_the_list_says_which_file_it_is_about_and_how_old_it_is(
    tenfold: Callable[..., str], services: Services, model: str
) -> None:
    Path("scans of [May].zip").write_bytes(zip_bytes("7/1.png"))
    job = tenfold("classify 'scans of [May].zip'").splitlines()[0]
    with services.database.write() as session:
        session.execute(update(Job).where(Job.id == job).values(created_at=time.time() - 7_500))

    [_, row] = tenfold("job list").splitlines()
    assert row.split() == [
        job,
        "classification",
        "queued",
        "scans",
        "of",
        "[May].zip",
        "2",
        "h",
        "0",
        "of",
        "1",
        "images",
    ]
    [listed] = json.loads(tenfold("job list -o json"))["items"]
    assert listed["source"]["name"] == "scans of [May].zip"


def test_a_folder_is_sent_with_the_names_in_it(tenfold: Callable[..., str], services: Services, model: str) -> None:
    for name in ("7/1.png", "8/1.png", "notes.txt", "manifest.csv"):
        (Path("scans") / name).parent.mkdir(parents=True, exist_ok=True)
        (Path("scans") / name).write_bytes(b"content")

    document = json.loads(tenfold("classify scans -o json").splitlines()[0])["job"]

    with zipfile.ZipFile(services.volume.archive(document["id"])) as archive:
        assert archive.namelist() == ["7/1.png", "8/1.png", "manifest.csv", "notes.txt"]
    assert (document["source"]["name"], document["progress"]["total"]) == ("scans", 2)
    Path("empty").mkdir()
    assert "no file in empty" in tenfold("classify empty", status=2)


def test_the_last_job_is_the_last_of_whoever_asks(
    tenfold: Callable[..., str], services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, anna = add_person(services, "root", Scope.ADMIN).key, add_person(services, "anna", Scope.SUBMIT).key
    monkeypatch.setenv("TENFOLD_KEY", root)
    assert "no last one" in tenfold("job cancel last", status=4)
    mine = tenfold("train dropout-128").splitlines()[0]
    monkeypatch.setenv("TENFOLD_KEY", anna)
    theirs = tenfold("train dropout-128").splitlines()[0]

    monkeypatch.setenv("TENFOLD_KEY", root)
    assert tenfold("job cancel last") == f"{mine} cancelled\n"
    assert tenfold("job delete last --yes") == f"{mine} deleted\n"
    assert "no last one" in tenfold("job delete last --yes", status=4)
    assert "No such jobs" in tenfold("job list --mine")
    assert json.loads(tenfold(f"job show {theirs} -o json"))["state"] == "queued"


def test_without_a_terminal_nothing_is_deleted_unasked(tenfold: Callable[..., str]) -> None:
    tenfold("train dropout-128")
    job = tenfold("job cancel last").split()[0]

    assert "add --yes" in tenfold("job delete last", status=2)
    assert tenfold(f"job delete {job} --yes") == f"{job} deleted\n"


@pytest.mark.parametrize(("line", "state"), [("cancel", "queued"), ("delete", "cancelled")])
def test_in_a_terminal_it_is_asked_first(line: str, state: str, tenfold: Callable[..., str], server: str) -> None:
    job = tenfold("train dropout-128").splitlines()[0]
    if state == "cancelled":
        tenfold("job cancel last")

    asked = " ".join(in_terminal(f"job {line} last", 200, server, answer="n", status=1))
    assert f"the training {job} (dropout-128 on mnist, {state}" in asked
    assert json.loads(tenfold(f"job show {job} -o json"))["state"] == state
    assert in_terminal(f"job {line} last", 200, server, answer="y")[-1].startswith(job)
    assert in_terminal("train dropout-128", 200, server)
    assert "?" not in " ".join(in_terminal("job cancel last --yes", 200, server))


def test_an_error_of_the_server_is_told_with_its_request_id(
    tenfold: Callable[..., str], app: Flask, gateway: Gateway
) -> None:
    def fail() -> str:
        raise RuntimeError("boom")

    app.view_functions["api.jobs.list_jobs"] = fail

    said = tenfold("job list", status=4)

    assert re.search(r"^tenfold: Internal server error \(request ID [0-9a-f]{32}\)\.$", said, re.MULTILINE)
    gateway.refuse = [(HTTPStatus.INSUFFICIENT_STORAGE, [("X-Request-ID", "full-1")])]
    assert "(request ID full-1)" in tenfold("recipe list", status=4)


def test_the_time_left_is_told(tenfold: Callable[..., str], services: Services) -> None:
    job = tenfold("train dropout-128 --epochs 7").splitlines()[0]
    running = {"state": JobState.RUNNING, "done": 2, "detail": {"history": [{"seconds": 9}, {"seconds": 8}]}}
    with services.database.write() as session:
        session.execute(update(Job).where(Job.id == job).values(running))

    assert tenfold("job show last") == f"training {job} running: 2 of 7 epochs, about 40 s left\n"
    assert "2/7 epochs running, about 40 s left" in tenfold("job wait last --timeout 0.1", status=5)


def test_people_and_keys_are_told_of_as_json(
    say: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path / "volume"))
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\nanother long secret\n"))

    assert json.loads(say("user add anna --admin --password-stdin -o json"))["scope"] == "admin"
    assert json.loads(say("user password anna --password-stdin -o json"))["name"] == "anna"
    assert json.loads(say("user change anna --max-jobs 3 -o json"))["max_jobs"] == 3
    key = json.loads(say("key add anna -o json"))
    assert json.loads(say("key list -o json"))["items"][0]["id"] == key["id"]
    assert json.loads(say(f"key delete {key['id']} --yes -o json")) == {"deleted": key["id"]}
    assert json.loads(say("user delete anna --yes -o json")) == {"deleted": "anna"}


def test_recipes_data_sets_and_health_are_listed(tenfold: Callable[..., str], server: str) -> None:
    assert re.search(r"^dropout-128 +101,770 ", tenfold("recipe list"), re.MULTILINE)
    assert re.search(r"^learning_rate +0.001$", tenfold("recipe show dropout-128"), re.MULTILINE)
    assert "Unknown recipe 'nosuch'" in tenfold("recipe show nosuch", status=1)
    assert [line.split()[0] for line in tenfold("dataset list").splitlines()] == ["NAME", "mnist", "fashion-mnist"]
    assert tenfold("dataset show mnist").splitlines()[1].startswith("mnist ")
    assert json.loads(tenfold("dataset show mnist -o json"))["name"] == "mnist"
    assert tenfold("health").splitlines()[0].split() == [server, "ready"]


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("job list --limit 3", 0, "No jobs yet"),
        ("job wait nosuch", 4, "no job 'nosuch'"),
        ("train dropout-128 --epochs 0", 2, "epochs: "),
        ("train nosuch", 2, "nosuch"),
        ("nosuch", 2, "nosuch"),
        ("review last --answer seven", 2, "such as 17=7"),
        ("train dropout-128 --dataset nosuch", 4, "nosuch"),
    ],
)
def test_how_a_command_ends_and_what_it_says(line: str, status: int, said: str, tenfold: Callable[..., str]) -> None:
    assert said in tenfold(line, status=status)


def test_no_server_ends_with_a_code_of_its_own(say: Callable[..., str]) -> None:
    assert "tenfold up" in say(f"--server http://127.0.0.1:{free_port()} job list", status=3)


def test_what_lacks_a_key_is_told_where_one_is_named(tenfold: Callable[..., str], gateway: Gateway) -> None:
    gateway.refuse = [(HTTPStatus.UNAUTHORIZED, [])]

    assert "--key, TENFOLD_KEY" in tenfold("job list", status=4)


def in_terminal(line: str, columns: int, server: str, *, answer: str | None = None, status: int = 0) -> list[str]:
    """The lines that a terminal of so many columns gets; the answer is typed there once there is a question."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    code = "from tenfold.cli import main; main()"
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"TENFOLD_SERVER": server}
    command = [sys.executable, "-c", code, *shlex.split(line)]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        printed = b""
        with contextlib.suppress(OSError):  # how Linux says that the other side has closed it
            while piece := os.read(ours, 4096):
                printed += piece
                if answer and b"[y/N]" in printed:
                    os.write(ours, f"{answer}\n".encode())
                    answer = None
    os.close(ours)
    assert process.returncode == status, printed.decode()
    return re.sub(r"\x1b\[[0-9;]*m", "", printed.decode()).splitlines()


@pytest.mark.parametrize(("line", "last"), [("recipe list", "custom"), ("dataset list", "fashion-mnist")])
def test_cells_too_long_for_the_terminal_are_folded_and_piped_each_row_is_one_line(
    line: str, last: str, tenfold: Callable[..., str], server: str
) -> None:
    shown = in_terminal(line, 80, server)
    piped = tenfold(line).splitlines()

    assert max(map(len, shown)) <= 80
    assert sorted("".join("".join(shown).split())) == sorted("".join("".join(piped).split()))
    assert len(shown) > len(piped)
    assert piped[-1].startswith(last)


def settings_used(say: Callable[..., str], line: str = "config -o json") -> tuple[str, str, bool]:
    used: dict[str, Any] = json.loads(say(line))
    return used["server"], used["server_from"], used["key_set"]


def test_an_option_comes_before_the_environment_and_that_before_the_file(
    say: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings_used(say) == ("http://127.0.0.1:8000", "the default", False)
    Path(".tenfold").write_text("http://127.0.0.1:8123\n")
    assert settings_used(say)[0] == "http://127.0.0.1:8123"
    Path("config.toml").write_text('server = "http://in.file"\nkey = "secret"\n')
    assert settings_used(say) == ("http://in.file", str(Path("config.toml").resolve()), True)
    monkeypatch.setenv("TENFOLD_SERVER", "http://in.environment")
    assert settings_used(say)[:2] == ("http://in.environment", "TENFOLD_SERVER")
    assert settings_used(say, "--server http://named config -o json")[:2] == ("http://named", "--server")


def test_the_key_in_the_file_goes_to_the_files_server_only_and_is_never_shown(say: Callable[..., str]) -> None:
    Path("config.toml").write_text('server = "http://in.file"\nkey = "secret"\n')

    assert not settings_used(say, "--server http://elsewhere config -o json")[2]
    assert settings_used(say, "--server http://in.file config -o json")[2]
    assert "secret" not in say("config") + say("config -o json")


def test_the_file_sets_options_of_commands(tenfold: Callable[..., str]) -> None:
    Path("config.toml").write_text("[train]\nepochs = 3\nseed = 8\n")

    parameters = json.loads(tenfold("train dropout-128 --seed 9 -o json").splitlines()[0])["job"]["parameters"]

    assert (parameters["epochs"], parameters["seed"]) == (3, 9)


@pytest.mark.parametrize("text", ['sever = "http://x"', "server = 3", "[nosuch]\n", "server =", 'train = "x"'])
def test_a_file_that_makes_no_sense_is_told_with_its_name(text: str, say: Callable[..., str]) -> None:
    Path("config.toml").write_text(text)

    assert "config.toml" in say("config", status=1)


@pytest.fixture
def reviewed(services: Services, mnist: Dataset) -> str:
    """A classification of five digits, all to review."""
    untrained_model(services)
    return classified(services, digits(mnist, 5)).id


def test_corrections_are_said_and_taken_back(tenfold: Callable[..., str], reviewed: str) -> None:
    said = json.loads(tenfold(f"review {reviewed} --answer 1=7 --answer 2=none -o json"))["items"]
    assert {item["row"]: item["correction"]["label"] for item in said if item["correction"]} == {1: "7", 2: None}
    left = json.loads(tenfold("review last --undo 2 --open --pictures seen -o json"))["items"]
    assert 2 in {item["row"] for item in left}
    assert {path.name for path in Path("seen").iterdir()} >= {"2.png"}
    rows = json.loads(tenfold("job corrections last -o json"))["items"]
    assert [(row["row"], row["corrected"]) for row in rows] == [("1", "7")]


def test_the_better_of_two_models_is_said_and_the_images_on_which_they_differ_are_saved(
    tenfold: Callable[..., str], services: Services, mnist: Dataset
) -> None:
    write_dataset(mnist.head(1000, 300), services.volume.dataset("tiny"))
    weak, better = linear_model(services, "weak", mnist, 200), linear_model(services, "better", mnist, 2000)

    job = work_off(services, services.jobs.get(tenfold(f"model compare {weak} {better} --on tiny").split()[0]))

    assert job.summary is not None
    said = tenfold("job show last")
    assert job.summary["conclusion"] in said
    assert "A: weak (custom on tiny)" in said
    assert "2 models on tiny" in tenfold("job list")
    found = json.loads(tenfold("model differences last --right B --wrong A --pictures seen -o json"))["items"]
    assert len(found) == job.summary["pairs"][0]["only_second_right"]
    assert {path.name for path in Path("seen").iterdir()} == {f"{item['rank']}.png" for item in found}


def complete(words: str, *, shell: str = "bash", **environment: str) -> list[str]:
    """What a shell offers for the last of these words."""
    asked = {"_TENFOLD_COMPLETE": f"{shell}_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    code = "from tenfold.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | asked | environment, capture_output=True, text=True, check=True
    )
    return [line.partition(",")[2] for line in done.stdout.split()]


def test_commands_options_choices_ids_and_names_are_completed(tenfold: Callable[..., str], model: str) -> None:
    job = tenfold("train dropout-128").splitlines()[0]

    assert complete("tenfold c") == ["classify", "correct", "config", "completion"]
    assert complete("tenfold job ca") == ["cancel"]
    assert complete("tenfold train dropout-1") == ["dropout-128", "dropout-128-32"]
    assert complete("tenfold train dropout-128 --optimizer ada") == ["adam", "adamw"]
    assert complete("tenfold train dropout-128 --dataset f") == ["fashion-mnist"]
    assert complete("tenfold classify --model m") == [model]
    assert complete("tenfold job wait ") == ["last", job]


def test_completion_says_nothing_where_no_server_answers() -> None:
    assert complete("tenfold job wait ", TENFOLD_SERVER=f"http://127.0.0.1:{free_port()}") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_is_one_that_the_shell_reads(
    shell: str, say: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    path = Path(say(f"completion {shell} --install").splitlines()[0])

    assert path.is_relative_to(tmp_path)
    assert "_TENFOLD_COMPLETE" in path.read_text()
    if found := shutil.which(shell):
        subprocess.run([found, "-n", path], check=True)


def test_a_model_and_its_sample_are_sent_with_what_is_declared(
    tenfold: Callable[..., str], services: Services, mnist: Dataset
) -> None:
    Path("net.onnx").write_bytes(linear_onnx().SerializeToString())
    Path("sample.zip").write_bytes(class_folders(mnist, {0: "0", 1: "1"}, images=20))
    line = "model import net.onnx --input 28x28x1 --preprocessing digit --check"
    job = services.jobs.get(tenfold(f"{line} sample.zip --name mine").splitlines()[0])

    assert (job.parameters["name"], job.parameters["check"]) == ("mine", None)
    assert (job.source["name"], job.source["sample"]["name"]) == ("net.onnx", "sample.zip")
    assert services.volume.sample(job.id).read_bytes() == Path("sample.zip").read_bytes()
    assert list(services.volume.uploads.iterdir()) == []
    assert "mine as 28x28x1" in tenfold("job list")
    assert "There is no data set 'nowhere'" in tenfold(f"{line} nowhere", status=4)
    assert "input: " in tenfold("model import net.onnx --input 28 --preprocessing digit", status=2)


def test_a_model_takes_the_place_of_the_recipe(tenfold: Callable[..., str], services: Services, model: str) -> None:
    training = services.jobs.get(tenfold(f"train --from {model} --freeze all_but_head --epochs 2").splitlines()[0])
    sweep = services.jobs.get(tenfold(f"sweep --from {model} --over 'freeze=none|all_but_head'").splitlines()[0])

    assert (training.parameters["from_model"], training.parameters["freeze"]) == (model, "all_but_head")
    assert (training.parameters["recipe"], sweep.parameters["recipe"]) == ("dropout-128", "dropout-128")
    assert sweep.parameters["from_model"] == model
    assert "units cannot be changed" in tenfold(f"train --from {model} --units 64", status=4)
    for neither_or_both in ("train", f"train cnn --from {model}", "sweep --over seed=1..9"):
        assert "either RECIPE, or --from MODEL" in tenfold(neither_or_both, status=2)
    assert "freeze: only layers of a model" in tenfold("train cnn --freeze convolutions", status=2)


def test_a_data_set_is_relabeled_by_a_table_and_compared_with_what_it_was(
    tenfold: Callable[..., str], services: Services, mnist: Dataset, tmp_path: Path
) -> None:
    few = mnist.head(60, 30)
    write_dataset(few, services.volume.dataset("few"))
    right = str((int(few.train_labels[3]) + 1) % 10)
    table = tmp_path / "corrections.csv"
    table.write_text(f"part,index,label,corrected\ntrain,3,x,{right}\ntest,0,x,(none)\ntrain,5,x,\n")

    assert "1 label corrected, 1 image left out" in tenfold(f"dataset relabel few few-2 {table}")
    printed = tenfold("dataset diff few few-2 --pictures pictures")
    assert printed.startswith("few-2 against few: 1 image removed, 1 image with another label; 89 images in both.")
    assert f"{few.train_labels[3]} → {right}" in printed
    assert sorted(path.name for path in Path("pictures").iterdir()) == ["relabeled-train-3.png", "removed-test-0.png"]
    assert "Versions made from it: few-2" in tenfold("dataset show few")
    assert "queued" in tenfold(f"job show {tenfold('dataset check few').splitlines()[0]}")
    table.write_text("part,index\ntrain,3\n")
    assert "has no column corrected" in tenfold(f"dataset relabel few few-3 {table}", status=2)

"""One workflow at a time in a folder, and no lock that outlives its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import bcrabl
from bcrabl import folder_lock
from bcrabl.errors import ResultsError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no fcntl on Windows")

_HOLD = """
import signal, sys
from bcrabl import folder_lock
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin with it ignored
folder_lock.take(sys.argv[1])
print("held", flush=True)
input()
"""


@pytest.fixture
def holder(tmp_path):
    """Starts a process that takes the lock and keeps it; ended by the test, or here."""
    started = []

    def _holder(lock):
        environment = os.environ | {"PYTHONPATH": str(Path(bcrabl.__file__).parents[1])}
        process = subprocess.Popen(
            [sys.executable, "-c", _HOLD, str(lock)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield _holder
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(autouse=True)
def own_locks_released():
    yield
    while folder_lock._held:
        os.close(folder_lock._held.pop())


def test_a_second_workflow_is_refused_and_told_who_holds_the_folder(holder, tmp_path):
    lock = tmp_path / ".snakemake" / "bcrabl.lock"
    process = holder(lock)
    with pytest.raises(ResultsError, match=f"held by process {process.pid}; expected no other workflow.*Wait for it"):
        folder_lock.take(lock)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_folder_is_free_again_when_its_workflow_is_ended_in_any_way(how, holder, tmp_path):
    lock = tmp_path / "bcrabl.lock"
    process = holder(lock)
    process.send_signal(how)
    process.wait(timeout=20)
    folder_lock.take(lock)
    assert lock.read_text() == f"{os.getpid()}\n"


def test_two_folders_can_work_at_the_same_time(holder, tmp_path):
    holder(tmp_path / "a" / "lock")
    folder_lock.take(tmp_path / "b" / "lock")
    assert (tmp_path / "b" / "lock").is_file()


def test_a_refused_workflow_can_take_the_folder_later(holder, tmp_path):
    lock = tmp_path / "lock"
    process = holder(lock)
    with pytest.raises(ResultsError, match="held by process"):
        folder_lock.take(lock)
    process.communicate("\n", timeout=20)
    folder_lock.take(lock)
    assert lock.read_text() == f"{os.getpid()}\n"


def test_a_lock_file_left_behind_holds_nobody_up(tmp_path):
    lock = tmp_path / "lock"
    lock.write_text("4194304999\n")
    folder_lock.take(lock)
    assert lock.read_text() == f"{os.getpid()}\n"

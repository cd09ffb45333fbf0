"""The data folder: who holds it, what it tells others, which ports it takes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.embedded.instance import (
    Instance,
    announced,
    choose_ports,
    default_data_dir,
    free_port,
    hold,
    prepare,
    running_instance,
)
from schemas.errors import ConfigError

HOLDER = """
import sys, time
from pathlib import Path
from deploy.embedded.instance import Instance, announced, hold
folder = Path(sys.argv[1])
with hold(folder), announced(Instance(folder, 1, {"store": 1}, {"store": 2})):
    print("held", flush=True)
    time.sleep(60)
"""


def test_default_folder_is_where_the_system_keeps_user_data() -> None:
    assert default_data_dir({"XDG_DATA_HOME": "/d"}, "linux") == Path("/d/tieline")
    assert default_data_dir({}, "linux") == Path.home() / ".local/share/tieline"
    assert default_data_dir({}, "darwin") == Path.home() / "Library/Application Support/tieline"
    assert default_data_dir({"LOCALAPPDATA": "/l"}, "win32") == Path("/l/tieline")


def test_folder_is_closed_to_others(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "a" / "data")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "passwords.json").exists()


def test_folder_is_held_by_one_process_at_a_time(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "data")
    with hold(folder), pytest.raises(ConfigError, match=rf"already in use by pid {os.getpid()}"), hold(folder):
        pass
    with hold(folder):
        pass


def test_running_instance_is_seen_and_a_killed_one_is_not(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "data")
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    found = running_instance(folder)
    assert found == Instance(folder, 1, {"store": 1}, {"store": 2})
    assert found is not None
    assert set(found.passwords) == {"tieline", "reader", "auditor", "owner"}
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (folder / "instance.json").exists()
    assert running_instance(folder) is None
    with hold(folder):
        pass


def test_instance_file_tells_no_password_and_goes_at_the_end(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "data")
    instance = Instance(folder, os.getpid(), {"store": 1}, {})
    with hold(folder), announced(instance):
        text = (folder / "instance.json").read_text()
        assert (folder / "instance.json").stat().st_mode & 0o777 == 0o600
        assert not any(password in text for password in instance.passwords.values())
        assert json.loads(text)["passwords"] == "passwords.json"
    assert not (folder / "instance.json").exists()


def test_ports_stay_while_they_are_free(tmp_path: Path) -> None:
    folder = prepare(tmp_path / "data")
    first = choose_ports(folder, ["broker", "store"])
    assert len(set(first.values())) == 2
    with announced(Instance(folder, 1, first)):
        pass
    assert choose_ports(folder, ["broker", "store"]) == first
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first["store"]))
        taken.listen()
        second = choose_ports(folder, ["broker", "store"])
    assert second["broker"] == first["broker"]
    assert second["store"] != first["store"]


def test_damaged_port_memory_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text("{]")
    assert choose_ports(tmp_path, ["store"])["store"] > 1023
    (tmp_path / "ports.json").write_text('{"store": 99999999}')
    assert choose_ports(tmp_path, ["store"])["store"] < 65_536
    assert free_port() != 0

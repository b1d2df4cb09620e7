"""Services: command lines, probes, status, installation and progress."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from sandbox.cloud import machine, packages, services, status
from sandbox.cloud.service import Service, http_answers
from sandbox.errors import SandboxError
from sandbox.ports import Port
from sandbox.process import Process
from sandbox.progress import Phases
from sandbox.status import Row, State, as_json, table
from tests.unit.json_server import json_server


def test_names_and_ports_of_services_are_unique() -> None:
    every = services.every()
    assert len({service.name for service in every}) == len(every)
    ports = [service.port for service in every if service.port]
    assert len(set(ports)) == len(ports)
    assert set(Port) - set(ports) == {Port.VAULT, Port.VAULT_CLUSTER, Port.RABBITMQ_DISTRIBUTION}


def test_no_command_line_contains_a_password() -> None:
    """Passwords are 64 hexadecimal digits, in configuration files."""
    for service in services.every():
        assert not [word for word in service.process.argv if len(word) == 64], service.name


def test_every_service_restarts_when_its_configuration_changes() -> None:
    without_file = {"epmd", "memcached", "ovn-nb", "ovn-sb", "ovn-northd"}
    assert {service.name for service in services.every() if not service.process.config} == without_file


@pytest.mark.parametrize(("code", "answers"), [(200, True), (300, True), (401, True), (404, True), (503, False)])
def test_a_server_error_is_not_accepted(code: int, answers: bool) -> None:
    with json_server({"GET /": (code, {})}) as url:
        assert http_answers(url)() is answers


def test_a_refused_connection_is_not_accepted() -> None:
    assert not http_answers("http://127.0.0.1:9")()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    process = Process(name="glance-api", argv=("sleep", "600"), records=tmp_path, logs=tmp_path)
    yield Service(process=process, package="glance-api", port=Port.GLANCE)
    process.stop(grace=0)


def test_a_stopped_service_is_shown_as_stopped(service: Service) -> None:
    row = status.service_row(service, "2:25")
    assert row == Row(service="glance-api", state=State.STOPPED, port=9292, version="2:25", memory=0)


def test_a_running_service_is_shown_with_its_memory(service: Service) -> None:
    service.process.start()
    row = status.service_row(service, "2:25")
    assert row.state is State.RUNNING
    assert row.memory > 0


def test_a_service_that_does_not_answer_is_not_shown_as_running(service: Service) -> None:
    service.process.start()
    assert status.service_row(replace(service, answers=lambda: False), "").state is State.UNRESPONSIVE


def test_a_service_that_hangs_is_restarted(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.cloud.service._LOADING", 0)
    monkeypatch.setattr("sandbox.cloud.service._PROBE_TIMEOUT", 0)
    service.process.start()
    hung = service.process.alive()
    replace(service, answers=lambda: False).start()
    assert service.process.alive() not in {None, hung}


ROWS = [
    Row(service="keystone", state=State.RUNNING, port=5000, pid=42, version="22.0", memory=100 * 1024 * 1024),
    Row(service="nova-compute", state=State.STOPPED),
]


def test_json_has_all_fields() -> None:
    assert json.loads(as_json(ROWS)) == [
        {"service": "keystone", "state": "running", "port": 5000, "pid": 42, "version": "22.0", "memory": 104857600},
        {"service": "nova-compute", "state": "stopped", "port": None, "pid": None, "version": "", "memory": 0},
    ]


def test_the_table_has_a_row_per_service_and_the_total_memory() -> None:
    console = Console(file=io.StringIO(), width=100)
    console.print(table([*ROWS, replace(ROWS[0], service="neutron")]))
    lines = [line.split() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    assert ["keystone", "running", "5000", "22.0", "100", "MiB"] in lines
    assert ["nova-compute", "stopped"] in lines
    assert lines[-1] == ["200", "MiB"]


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        ("pmstatus:nova-api:57.1429:Installing nova-api (amd64)\n", "57%  Installing nova-api (amd64)"),
        ("dlstatus:1:12.5:Retrieving file 1 of 8 (3s remaining)\n", "12%  Retrieving file 1 of 8 (3s remaining)"),
        ("Setting up nova-api (2:26.2.2) ...\n", None),
        ("pmerror:/var/cache/x.deb:50:trying to overwrite\n", None),
    ],
)
def test_progress_of_apt_is_reported(line: str, detail: str | None) -> None:
    assert packages.status(line) == detail


def test_the_administrators_policy_survives_an_interrupted_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(packages, "_POLICY", policy)
    monkeypatch.setattr(packages, "_KEPT_POLICY", tmp_path / "kept")
    policy.write_text("#!/bin/sh\nexit 104\n")
    interrupted = packages._no_service_starts()  # noqa: SLF001 - as left by a killed run
    interrupted.__enter__()
    assert "exit 101" in policy.read_text()
    with packages._no_service_starts():  # noqa: SLF001 - the next run
        assert "exit 101" in policy.read_text()
    assert policy.read_text() == "#!/bin/sh\nexit 104\n"


def test_installed_services_are_not_enabled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wants = tmp_path / "multi-user.target.wants"
    wants.mkdir()
    (wants / "cron.service").touch()
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(packages, "_UNITS", tmp_path)
    monkeypatch.setattr(packages, "_run", lambda *argv: ran.append(argv))
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/systemctl")
    with packages._no_service_enabled():  # noqa: SLF001 - the unit under test
        (wants / "mariadb.service").touch()
        (wants / "memcached.service").touch()
    assert ran == [("systemctl", "disable", "mariadb.service", "memcached.service")]


@pytest.mark.parametrize(
    ("release", "user", "message"),
    [
        ({"ID": "ubuntu", "VERSION_ID": "24.04", "PRETTY_NAME": "Ubuntu 24.04"}, 0, "this is Ubuntu 24.04"),
        ({"ID": "debian", "VERSION_ID": "13", "PRETTY_NAME": "Debian 13"}, 0, "this is Debian 13"),
        ({"ID": "debian", "VERSION_ID": "12"}, 1000, "requires root"),
    ],
)
def test_other_machines_and_users_are_rejected_in_one_line(
    monkeypatch: pytest.MonkeyPatch, release: dict[str, str], user: int, message: str
) -> None:
    monkeypatch.setattr("platform.freedesktop_os_release", lambda: release)
    monkeypatch.setattr("os.geteuid", lambda: user)
    with pytest.raises(SandboxError, match=message) as error:
        machine.require_supported()
    assert "\n" not in str(error.value)


def test_phases_are_printed_as_lines_without_a_terminal() -> None:
    console = Console(file=io.StringIO(), width=20)

    def work(phases: Phases) -> None:
        with phases.phase("Outer phase [with brackets]"):
            with phases.phase("Inner"):
                pass
            raise SandboxError("no")

    with Phases(console) as phases, pytest.raises(SandboxError):
        work(phases)
    lines = [line.partition("] ")[2] for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    assert lines[0:2] == ["Outer phase [with brackets] ...", "Inner ..."]
    assert lines[2].startswith("Inner: done in 0.")
    assert lines[3] == "Outer phase [with brackets]: failed"
    assert list(phases.durations) == ["Inner"]

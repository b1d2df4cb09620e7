"""The services' configuration: addresses, ports, passwords and permissions."""

import configparser
import io
import json
from pathlib import Path

import pytest

from sandbox.cloud import configuration, passwords
from sandbox.cloud.clients import clouds
from sandbox.cloud.database import SCHEMAS, user_statements
from sandbox.errors import SandboxError
from sandbox.ports import Port

PASSWORDS = {name: f"password-of-{name}" for name in passwords.NAMES}
CONFIGURATION = configuration.render(PASSWORDS)
INI = sorted(name for name in CONFIGURATION if name.endswith((".conf", ".cnf")) and name != "rabbitmq.conf")


def parse(name: str) -> configparser.ConfigParser:
    """Parse a file as strictly as oslo.config and paste do: duplicate sections and options are errors."""
    parser = configparser.ConfigParser(interpolation=None, default_section="none")
    parser.read_file(io.StringIO(CONFIGURATION[name]))
    return parser


@pytest.mark.parametrize("name", INI)
def test_every_file_is_well_formed(name: str) -> None:
    assert parse(name).sections()


@pytest.mark.parametrize("name", sorted(CONFIGURATION))
def test_services_listen_on_loopback_only(name: str) -> None:
    for line in CONFIGURATION[name].splitlines():
        option, _, value = line.partition("=")
        if option.strip() in {"bind_host", "bind_ip", "bind_address", "host", "osapi_compute_listen", "my_ip"}:
            assert value.strip() in {"127.0.0.1", configuration.HOST}


@pytest.mark.parametrize(
    ("name", "section", "option", "port"),
    [
        ("glance-api.conf", "DEFAULT", "bind_port", Port.GLANCE),
        ("nova.conf", "DEFAULT", "osapi_compute_listen_port", Port.NOVA),
        ("neutron.conf", "DEFAULT", "bind_port", Port.NEUTRON),
        ("cinder.conf", "DEFAULT", "osapi_volume_listen_port", Port.CINDER),
        ("magnum.conf", "api", "port", Port.MAGNUM),
        ("swift/proxy-server.conf", "DEFAULT", "bind_port", Port.SWIFT),
        ("mariadb.cnf", "mariadbd", "port", Port.MARIADB),
    ],
)
def test_each_service_listens_on_its_port(name: str, section: str, option: str, port: Port) -> None:
    assert parse(name).getint(section, option) == port


@pytest.mark.parametrize("service", passwords.DATABASE_USERS)
def test_each_service_has_its_own_database_password(service: str) -> None:
    url = f"mysql+pymysql://{service}:password-of-database.{service}@127.0.0.1:3306/"
    files = [name for name, text in CONFIGURATION.items() if url in text]
    assert [name.split("/")[-1].split("-")[0].removesuffix(".conf") for name in files] == [service]


@pytest.mark.parametrize("service", passwords.SERVICE_USERS)
def test_each_service_uses_its_own_keystone_password(service: str) -> None:
    options = {"username": service, "password": f"password-of-{service}"}
    assert any(
        options.items() <= dict(parse(name)[section]).items() for name in INI for section in parse(name).sections()
    )


def test_no_file_contains_the_tenants_or_administrators_password() -> None:
    text = "".join(CONFIGURATION.values())
    assert PASSWORDS["rsp"] not in text
    assert PASSWORDS["admin"] not in text


def test_all_services_use_the_same_host_name() -> None:
    """OVN binds a port only on the host that Nova requests."""
    services = ("nova.conf", "neutron.conf", "cinder.conf")
    assert {parse(name).get("DEFAULT", "host") for name in services} == {configuration.HOST}


def test_the_tenant_logs_in_as_itself() -> None:
    entry = clouds(PASSWORDS)["clouds"]["rsp"]
    assert entry["auth"]["username"] == entry["auth"]["project_name"] == "rsp"
    assert entry["auth"]["password"] == PASSWORDS["rsp"]
    assert entry["auth"]["auth_url"] == "http://127.0.0.1:5000/v3"


def test_a_database_user_can_access_its_own_databases_only() -> None:
    grants = [line for line in user_statements(PASSWORDS) if line.startswith("GRANT")]
    assert len(grants) == sum(len(schemas) for schemas in SCHEMAS.values())
    assert "GRANT ALL ON nova_cell0.* TO 'nova'@'127.0.0.1';" in grants
    assert not [line for line in grants if "*.*" in line]


@pytest.fixture
def password_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "passwords.json"
    monkeypatch.setattr(passwords, "FILE", file)
    return file


def test_passwords_are_generated_once_and_readable_by_root_only(password_file: Path) -> None:
    first = passwords.load()
    assert passwords.load() == first
    assert password_file.stat().st_mode & 0o777 == 0o600
    assert len(set(first.values())) == len(passwords.NAMES)


def test_missing_passwords_are_generated(password_file: Path) -> None:
    password_file.write_text(json.dumps({"admin": "kept"}))
    assert passwords.load()["admin"] == "kept"
    assert set(passwords.load()) == set(passwords.NAMES)


def test_passwords_of_other_checkouts_are_kept(password_file: Path) -> None:
    password_file.write_text(json.dumps({"heat": "kept"}))
    passwords.load()
    assert json.loads(password_file.read_text())["heat"] == "kept"


def test_a_damaged_password_file_is_not_overwritten(password_file: Path) -> None:
    password_file.write_text('{"admin": ')
    with pytest.raises(SandboxError, match="restore it"):
        passwords.load()
    assert password_file.read_text() == '{"admin": '

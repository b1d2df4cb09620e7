"""MariaDB, with one user for each OpenStack service that has databases."""

import shutil
from collections.abc import Mapping
from typing import Final

from sandbox import paths
from sandbox.cloud import configuration, passwords
from sandbox.cloud.commands import run
from sandbox.cloud.service import Service, tcp_accepts
from sandbox.ports import LOOPBACK, Port
from sandbox.process import Process

DIRECTORY: Final = paths.DATA / "mariadb"
SOCKET: Final = DIRECTORY / "mariadb.sock"

SCHEMAS: Final[Mapping[str, tuple[str, ...]]] = {
    user: ("nova", "nova_api", "nova_cell0") if user == "nova" else (user,) for user in passwords.DATABASE_USERS
}
"""Databases of each user."""


def service() -> Service:
    """Return the database server, which runs as Debian's user `mysql`."""
    config = configuration.path("mariadb.cnf")
    return Service(
        process=Process(
            name="mariadb",
            argv=("/usr/sbin/mariadbd", f"--defaults-file={config}"),
            user="mysql",
            config=(config,),
        ),
        package="mariadb-server",
        port=Port.MARIADB,
        answers=tcp_accepts(Port.MARIADB),
    )


def prepare() -> None:
    """Create the data directory if it does not exist."""
    if (DIRECTORY / "mysql").exists():
        return
    # Created elsewhere and renamed, so that an incomplete directory is never used.
    unfinished = DIRECTORY.with_name("mariadb.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    unfinished.mkdir(parents=True, mode=0o700)
    shutil.chown(unfinished, "mysql", "mysql")
    run(
        *("mariadb-install-db", "--no-defaults", "--user=mysql", "--skip-test-db", f"--datadir={unfinished}"),
        *("--auth-root-authentication-method=socket", "--auth-root-socket-user=root"),
        log="mariadb-install-db",
    )
    unfinished.rename(DIRECTORY)


def create_users(password: Mapping[str, str]) -> None:
    """Create the databases, and users that can access their own databases only.

    Args:
        password: Passwords by the names in `passwords.NAMES`.
    """
    query("\n".join(user_statements(password)))


def user_statements(password: Mapping[str, str]) -> list[str]:
    """Return the SQL of `create_users`, which is idempotent and sets the passwords."""
    statements = []
    for user, schemas in SCHEMAS.items():
        account = f"'{user}'@'{LOOPBACK}'"
        statements += [
            f"CREATE USER IF NOT EXISTS {account};",
            f"ALTER USER {account} IDENTIFIED BY '{password[f'database.{user}']}';",
        ]
        for schema in schemas:
            statements += [
                _create(schema),
                f"GRANT ALL ON {schema}.* TO {account};",
            ]
    return statements


def empty(user: str) -> None:
    """Delete the content of a user's databases."""
    query("".join(f"DROP DATABASE IF EXISTS {name}; {_create(name)}\n" for name in SCHEMAS[user]))


def _create(schema: str) -> str:
    return f"CREATE DATABASE IF NOT EXISTS {schema} CHARACTER SET utf8mb3;"


def query(sql: str) -> str:
    """Run SQL as the database's root user; authentication is by the Unix user root."""
    return run("mariadb", "--no-defaults", f"--socket={SOCKET}", "--batch", "--skip-column-names", log="sql", stdin=sql)

"""Starts the cloud from any state: not installed, stopped, damaged or running."""

import fcntl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from sandbox import cluster, environment, git, paths, site_certificate, tools, vault
from sandbox.cloud import (
    agents,
    clients,
    configuration,
    database,
    identity,
    machine,
    messaging,
    octavia,
    openstack_services,
    ovn,
    packages,
    passwords,
    python_packages,
    schema,
    services,
    swift,
    tenant,
)
from sandbox.cloud.done import once
from sandbox.cloud.service import Service
from sandbox.errors import SandboxError
from sandbox.ports import Port, require_free
from sandbox.process import recorded_sessions
from sandbox.progress import Phase, Phases

_CONCURRENT_MIGRATIONS = 2
"""A migration keeps one processor busy with Python while the database does the rest."""

_STACK = "sandbox"
"""The stack of Pulumi.sandbox.yaml, created so that `pulumi up -s sandbox` works at once."""

_DIRECTORIES = {
    paths.HOME: 0o755,
    paths.LOG: 0o700,
    paths.RUN: 0o700,
    paths.DATA: 0o711,  # the database and the message queue run as other users
    paths.CLUSTERS: 0o700,
    paths.STACKS: 0o700,
}
"""Permissions of the directories."""


def up(phases: Phases) -> None:
    """Start the cloud; services that work are left alone.

    Raises:
        SandboxError: A step failed. Running the same command again continues from there.
    """
    machine.require_supported()
    with exclusive():
        for directory, mode in _DIRECTORIES.items():
            directory.mkdir(parents=True, exist_ok=True)
            directory.chmod(mode)
        require_free(Port, ours=recorded_sessions(paths.RUN))
        with ThreadPoolExecutor() as pool:
            # OpenStack does not need these, so they run concurrently.
            meanwhile = [pool.submit(action, phases) for action in (_provide_tools, _start_vault)]
            _start_openstack(phases)
            for each in meanwhile:
                each.result()
        with phases.phase("Git repository"):
            git.publish()
        with phases.phase("TLS certificate"):
            site_certificate.up()
        with phases.phase("Kubernetes clusters"):
            cluster.repair()
        with phases.phase("Pulumi stack"):
            once("pulumi-stack", _STACK, _create_stack)


def _create_stack() -> None:
    from sandbox import pulumi_cli

    with environment.exported():
        pulumi_cli.select(_STACK)


def _start_openstack(phases: Phases) -> None:
    with phases.phase("Debian packages") as phase:
        packages.install(phase.detail)
    with phases.phase("Configuration") as phase:
        _configure(phase)
    with phases.phase("Database, message queue and OVN") as phase:
        start(services.backends(), phase)
        password = passwords.load()
        once("database-users", password, lambda: database.create_users(password))
        once("ovn", ovn.remote("nb"), ovn.initialize)
    with phases.phase("Keystone and the services' databases") as phase:
        _identity_and_schemas(phase)
    with phases.phase("OpenStack services") as phase:
        group = services.openstack()
        octavia.fail_interrupted_changes(group)
        start(group, phase)
    with phases.phase("Hosts and agents") as phase:
        agents.wait(phase.detail)
    with phases.phase("Flavors, images, networks and quotas"):
        tenant.populate()


def _provide_tools(phases: Phases) -> None:
    with phases.phase("Kubernetes, Argo CD and other tools") as phase:
        tools.ensure(report=phase.step)


def _start_vault(phases: Phases) -> None:
    with phases.phase("OpenBao"):
        vault.up()


def _configure(phase: Phase) -> None:
    phase.detail("drivers for Debian's Python")
    python_packages.install()
    configuration.write()
    clients.write_clouds_yaml()
    phase.detail("data directories")
    for prepare in (database.prepare, messaging.prepare, ovn.prepare, openstack_services.prepare, swift.prepare):
        prepare()


def _identity_and_schemas(phase: Phase) -> None:
    def keystone() -> None:
        schema.migrate(schema.IDENTITY)
        identity.bootstrap()
        start([openstack_services.identity()], phase)
        identity.populate()

    def migrate(service: str) -> Callable[[], None]:
        def run() -> None:
            phase.detail(f"schema of {service}")
            schema.migrate(service)

        return run

    run_concurrently([keystone, *map(migrate, schema.OTHERS)], _CONCURRENT_MIGRATIONS)


def start(group: list[Service], phase: Phase) -> None:
    """Start what does not run, restart what hangs or has an old configuration, and wait until all services work."""
    run_concurrently([service.start for service in group])
    waiting = {service.name for service in group}

    def wait(service: Service) -> Callable[[], None]:
        def run() -> None:
            service.wait()
            waiting.discard(service.name)
            phase.detail(f"waiting for {', '.join(sorted(waiting))}" if waiting else "")

        return run

    run_concurrently([wait(service) for service in group])


def run_concurrently(actions: list[Callable[[], object]], workers: int | None = None) -> None:
    """Run actions in threads, at most `workers` at a time (all by default), and raise the first error."""
    with ThreadPoolExecutor(max_workers=workers or len(actions)) as pool:
        futures = [pool.submit(action) for action in actions]
        try:
            for future in futures:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def exclusive() -> Iterator[None]:
    """Prevent other commands from changing the cloud at the same time.

    Raises:
        SandboxError: Another command is running.
    """
    paths.HOME.mkdir(parents=True, exist_ok=True)
    with (paths.HOME / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SandboxError(
                "another `python -m sandbox cloud` command is running: wait for it, then run this one again"
            ) from error
        yield

"""Swift with one disk and one replica, and its S3 API."""

from pathlib import Path
from typing import Final

from sandbox import paths
from sandbox.cloud import configuration, python_packages
from sandbox.cloud.commands import run
from sandbox.cloud.service import Service, http_answers
from sandbox.ports import LOOPBACK, Port
from sandbox.process import Process

_STORAGE: Final = {
    "account": Port.SWIFT_ACCOUNT,
    "container": Port.SWIFT_CONTAINER,
    "object": Port.SWIFT_OBJECT,
}
_DEVICE: Final = "disk"
_PARTITION_POWER: Final = "4"  # 16 partitions are enough for one disk


def services() -> list[Service]:
    """Return the three storage servers and the proxy."""
    return [_server(kind, port) for kind, port in {**_STORAGE, "proxy": Port.SWIFT}.items()]


def _server(kind: str, port: Port) -> Service:
    config = configuration.path(f"swift/{kind}-server.conf")
    rings = tuple(_ring(each) for each in _STORAGE)
    return Service(
        process=Process(
            name=f"swift-{kind}",
            argv=(f"/usr/bin/swift-{kind}-server", str(config), "--verbose"),
            env=python_packages.ENVIRONMENT,
            config=(config, configuration.path("swift/swift.conf"), *rings),
        ),
        package=f"swift-{kind}",
        port=port,
        answers=http_answers(f"{port.url}/healthcheck"),
    )


def _ring(kind: str) -> Path:
    return configuration.path(f"swift/{kind}.ring.gz")


def prepare() -> None:
    """Create the rings, which map objects to disks, if they do not exist."""
    (paths.DATA / "swift" / _DEVICE).mkdir(parents=True, exist_ok=True, mode=0o700)
    for kind, port in _STORAGE.items():
        if _ring(kind).exists():
            continue
        builder = configuration.path(f"swift/{kind}.builder")
        builder.unlink(missing_ok=True)
        place = f"r1z1-{LOOPBACK}:{port.value}/{_DEVICE}"
        for arguments in (("create", _PARTITION_POWER, "1", "1"), ("add", place, "1"), ("rebalance",)):
            run("swift-ring-builder", str(builder), *arguments, log="swift-rings")

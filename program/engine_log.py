"""Log messages of hooks: `pulumi.log` needs a registered resource, but a hook knows only its URN."""

from pulumi.runtime.proto import engine_pb2
from pulumi.runtime.settings import get_engine


def info(urn: str, text: str) -> None:
    """Log a message for a resource."""
    _log(engine_pb2.LogRequest(severity=engine_pb2.INFO, message=text, urn=urn))


def error(urn: str, text: str) -> None:
    """Log an error for a resource."""
    _log(engine_pb2.LogRequest(severity=engine_pb2.ERROR, message=text, urn=urn))


def _log(request: engine_pb2.LogRequest) -> None:
    if engine := get_engine():
        engine.Log(request)

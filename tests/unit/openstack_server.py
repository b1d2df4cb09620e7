from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from openstack.connection import Connection

from tests.unit.json_server import json_server

MAGNUM = {"id": "v1", "max_version": "1.11"}


@contextmanager
def openstack_server(
    answers: dict[str, tuple[int, Any]], service: str = "container_infrastructure_management", **api: str
) -> Iterator[Connection]:
    """Serve responses of a service as `json_server` does, with a version of its API, and yield a client for it."""
    version = {"status": "CURRENT", "links": [{"rel": "self", "href": "{url}"}], **(api or MAGNUM)}
    answers["GET /"] = (200, {"versions": [version]})
    with json_server(answers) as url:
        settings: Any = {f"{service}_endpoint_override": url}
        yield Connection(auth_type="none", endpoint=url, **settings)

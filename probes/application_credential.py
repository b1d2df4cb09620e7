"""Whether Keystone restricts the credentials in a way that Magnum or S3 keys do not allow."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from probes.problem import Problem

if TYPE_CHECKING:
    from openstack.connection import Connection


def problems(connection: "Connection", *, preview: bool) -> Iterator[Problem]:
    """Yield the problem of an application credential; none of a user's password.

    Args:
        connection: Connection to the project.
        preview: Whether nothing will be changed, so that a restricted one causes only a warning.
    """
    auth: Any = connection.session.auth
    access = auth.get_access(connection.session)
    token = access._data["token"]  # noqa: SLF001  # keystoneauth has no accessor for this part of the token
    application = token.get("application_credential")
    if application is None:
        return
    where = f"application credential `{application.get('name', application['id'])}`"
    if application.get("restricted", True):
        yield Problem(
            where=where,
            what="is restricted: with it Keystone creates neither the trust that Magnum requires nor EC2 "
            "credentials; use a user's password in clouds.yaml, or create it again with --unrestricted",
            fatal=not preview,
        )
    else:
        yield Problem(
            where=where,
            what="may be refused: since OSSA-2026-015 Keystone creates neither the trust that Magnum requires nor "
            "EC2 credentials with application credentials; if so, use a user's password in clouds.yaml",
            fatal=False,
        )

"""Connections to OpenStack with the credentials of ``clouds.yaml``."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from config.cloud import Cloud
from config.names import PROJECT
from phalanx.errors import PhalanxError
from probes.problem import Problem
from probes.retries import retry_openstack

if TYPE_CHECKING:
    from openstack.connection import Connection

TIMEOUT = 10
"""Timeout of a request in seconds, while people wait for the answer."""

PATIENT_TIMEOUT = 30
"""The same for requests that must not fail because a service is slow: those of hooks, and of a recovery."""

PREFERRED_BY_PROVIDER: Final = (
    # Settings that it prefers to those of clouds.yaml (terraform-provider-openstack, openstack/provider.go).
    *("OS_REGION_NAME", "OS_ENDPOINT_TYPE", "OS_INSECURE", "OS_CACERT", "OS_CERT", "OS_KEY"),
    *("OS_SWAUTH", "OS_ALLOW_REAUTH"),
    # Credentials that it adds to those of clouds.yaml (gophercloud/utils, openstack/clientconfig/requests.go). An ID
    # counts more than a name, and a token more than a password.
    *("OS_AUTH_URL", "OS_TOKEN", "OS_AUTH_TOKEN", "OS_USERNAME", "OS_USER_ID", "OS_PASSWORD", "OS_SYSTEM_SCOPE"),
    *("OS_PROJECT_ID", "OS_PROJECT_NAME", "OS_TENANT_ID", "OS_TENANT_NAME"),
    *("OS_DOMAIN_ID", "OS_DOMAIN_NAME", "OS_DEFAULT_DOMAIN", "OS_PROJECT_DOMAIN_ID", "OS_PROJECT_DOMAIN_NAME"),
    *("OS_USER_DOMAIN_ID", "OS_USER_DOMAIN_NAME"),
    *("OS_APPLICATION_CREDENTIAL_ID", "OS_APPLICATION_CREDENTIAL_NAME", "OS_APPLICATION_CREDENTIAL_SECRET"),
)
"""Environment variables that Pulumi's provider reads beside clouds.yaml; openstacksdk does not."""

# It logs that Keystone is unreachable, which is reported below.
logging.getLogger("keystoneauth").addHandler(logging.NullHandler())


class LoginError(PhalanxError):
    """The login to OpenStack with an entry of clouds.yaml fails, or Pulumi's provider would log in to another project.

    Attributes:
        problem: The reason.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def connect(cloud: Cloud, project: str = PROJECT, *, timeout: float = TIMEOUT) -> "Connection":
    """Return an authenticated connection.

    Args:
        cloud: The entry of clouds.yaml.
        project: Name of the Pulumi project whose configuration a problem names.
        timeout: Timeout of each of its requests in seconds.

    Raises:
        LoginError: The login fails.
    """
    import openstack
    from openstack import exceptions

    try:
        connection = openstack.connect(
            cloud=cloud.name,
            region_name=cloud.region,
            api_timeout=timeout,
            app_name="rsp",
        )
    except exceptions.ConfigException as error:
        what = (
            f"{first_line(error)}: set it to an entry of clouds.yaml and one of its regions, or set "
            "OS_CLIENT_CONFIG_FILE to the path of the right clouds.yaml"
        )
        raise LoginError(Problem(where=f"{project}:cloud", what=what)) from error
    retry_openstack(connection)
    where = f"Keystone at {connection.config.get_auth_args().get('auth_url', 'an unknown address')}"
    ca_file = private_ca(connection)
    if ca_file and not Path(ca_file).exists():
        what = f"`cacert` of cloud `{cloud.name}` in clouds.yaml is {ca_file}, which does not exist"
        raise LoginError(Problem(where=where, what=what))
    try:
        connection.authorize()
    except openstack_errors() as error:
        raise LoginError(_refusal(where, cloud.name, ca_file, error)) from error
    return connection


def connect_as_provider(cloud: Cloud, project: str = PROJECT, *, timeout: float = TIMEOUT) -> "Connection":
    """Return an authenticated connection to the project and region of Pulumi's provider; arguments as for `connect`.

    Raises:
        LoginError: The login fails, or variables could lead the provider to another project, region or server.
    """
    if found := [name for name in PREFERRED_BY_PROVIDER if os.environ.get(name)]:
        what = (
            f"must not be set, as Pulumi's OpenStack provider prefers {'it' if len(found) == 1 else 'them'} to cloud "
            f"`{cloud.name}` in clouds.yaml, and could deploy to another project or region: run `unset "
            f"{' '.join(found)}`, and set what the cloud requires in clouds.yaml"
        )
        raise LoginError(Problem(where=f"environment variable{'s' * (len(found) > 1)} {', '.join(found)}", what=what))
    return connect(cloud, project, timeout=timeout)


def openstack_errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """Return the exceptions of a request to OpenStack: those of the SDK, and keystoneauth's, which the SDK passes on.

    Args:
        others: Exceptions to return with them.
    """
    from keystoneauth1.exceptions import ClientException
    from openstack.exceptions import SDKException

    return (SDKException, ClientException, *others)


def private_ca(connection: "Connection") -> str | None:
    """Return the file of the CA of the OpenStack API, None if that is a public one.

    Args:
        connection: A connection, whose ``cacert`` in clouds.yaml names the file.
    """
    verify, _ = connection.config.get_requests_verify_args()
    return verify if isinstance(verify, str) else None


class Location(NamedTuple):
    """The project and region that an entry of clouds.yaml refers to."""

    project_id: str
    """ID of the project in Keystone."""
    region: str
    """Region, which may be the default of clouds.yaml; empty if the cloud has none."""


def locate(cloud: Cloud, project: str = PROJECT) -> Location:
    """Return the project and region of Pulumi's provider; arguments and errors as for `connect_as_provider`."""
    return location(connect_as_provider(cloud, project))


def location(connection: "Connection") -> Location:
    """Return the project and region of a connection."""
    return Location(str(connection.current_project_id), connection.config.region_name or "")


def _refusal(where: str, cloud: str, ca_file: str | None, error: Exception) -> Problem:
    """Explain why Keystone refuses to issue a token."""
    from keystoneauth1 import exceptions as keystone

    causes = list(_causes(error))
    if any(isinstance(cause, keystone.Unauthorized) for cause in causes):
        return Problem(
            where=where,
            what=f"refuses the credentials of cloud `{cloud}`: check user, password and project in clouds.yaml",
        )
    if any(isinstance(cause, keystone.SSLError) for cause in causes):
        return Problem(
            where=where,
            what=f"has a certificate that no {f'CA in {ca_file}' if ca_file else 'public CA'} has signed "
            f"({first_line(causes[-1])}): set "
            f"`cacert` of cloud `{cloud}` in clouds.yaml to the file of its CA",
        )
    if any(isinstance(cause, keystone.ConnectFailure | keystone.DiscoveryFailure) for cause in causes):
        return Problem(where=where, what="does not answer: check auth_url in clouds.yaml and the network")
    return Problem(where=where, what=f"does not issue a token: {first_line(error)}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and the chain of its causes."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def first_line(error: Any) -> str:
    """Return the first line of an error's text without the final full stop."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")

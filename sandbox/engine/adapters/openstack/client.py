"""One authenticated connection to an OpenStack cloud, made from the settings of the openstack provider."""

import logging
import threading
from collections.abc import Mapping
from typing import Any, Final

import openstack
import openstack.exceptions
from keystoneauth1 import exceptions as keystone

from sandbox.engine.adapters.base import Property, flag, reason
from sandbox.engine.errors import EngineError, ResourceError
from sandbox.engine.values import Properties

SETTINGS: Final[Mapping[str, str]] = {
    "cloud": "cloud",
    "authUrl": "auth_url",
    "userName": "username",
    "userId": "user_id",
    "password": "password",
    "token": "token",
    "tenantName": "project_name",
    "tenantId": "project_id",
    "userDomainName": "user_domain_name",
    "userDomainId": "user_domain_id",
    "projectDomainName": "project_domain_name",
    "projectDomainId": "project_domain_id",
    "domainName": "domain_name",
    "domainId": "domain_id",
    "region": "region_name",
    "applicationCredentialId": "application_credential_id",
    "applicationCredentialName": "application_credential_name",
    "applicationCredentialSecret": "application_credential_secret",
    "endpointType": "interface",
    "cacertFile": "cacert",
}
"""The provider's settings, by openstacksdk's name of each."""

PROPERTIES: Final[Mapping[str, Property]] = {key: Property() for key in (*SETTINGS, "insecure")}

_SERVER_ERROR: Final = 500

# At DEBUG it writes whole bodies, with the secrets in them; its warnings come back as exceptions.
logging.getLogger("keystoneauth").setLevel(logging.ERROR)


class OpenStack:
    """The services of a cloud, spoken in their own JSON, as the Terraform provider does.

    Args:
        config: The provider's inputs; what they leave open comes from the OS_* variables and clouds.yaml.
    """

    def __init__(self, config: Properties) -> None:
        settings = {SETTINGS[key]: value for key, value in config.items() if key in SETTINGS}
        if "applicationCredentialSecret" in config:
            settings["auth_type"] = "v3applicationcredential"
        if flag(config.get("insecure", False)):
            settings["verify"] = False
        self.connection = openstack.connect(**settings)
        self._lock = threading.Lock()

    @property
    def region(self) -> str:
        """The region of all calls."""
        return str(self.connection.config.get_region_name() or "")

    @property
    def project_id(self) -> str:
        """The project of the login."""
        return str(self.connection.session.get_project_id())

    @property
    def user_id(self) -> str:
        """The user of the login."""
        return str(self.connection.session.get_user_id())

    def access(self) -> Any:
        """Who is logged in and where: keystoneauth's AccessInfo."""
        plugin: Any = self.connection.session.auth
        return plugin.get_access(self.connection.session)

    def verify(self) -> None:
        """Log in."""
        self.connection.session.get_token()

    def service(self, name: str) -> "Service":
        """A service, by openstacksdk's name for it: network, compute, block_storage and so on."""
        with self._lock:  # openstacksdk looks a service's endpoint up at the first use of its attribute
            return Service(getattr(self.connection, name))

    def close(self) -> None:
        """Close the connections."""
        self.connection.close()


class Service:
    """One service of the cloud."""

    def __init__(self, proxy: Any) -> None:
        self._proxy = proxy

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Any:
        """One request.

        Args:
            method: HTTP method.
            path: Below the service's endpoint.
            body: Sent as JSON.
            headers: Sent besides the usual ones.
            query: Query parameters; those that are None are left out.

        Returns:
            The JSON of the answer; None where it has none.

        Raises:
            openstack.exceptions.HttpException: The service refused.
        """
        parameters = {key: value for key, value in (query or {}).items() if value is not None}
        response = self._proxy.request(path, method, json=body, headers=dict(headers or {}), params=parameters)
        openstack.exceptions.raise_from_response(response)
        return response.json() if response.content and "json" in response.headers.get("Content-Type", "") else None

    def get(self, path: str, query: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None) -> Any:
        """The JSON at `path`; None if there is nothing."""
        try:
            return self.call("GET", path, headers=headers, query=query)
        except openstack.exceptions.NotFoundException:
            return None

    def head(self, path: str) -> Mapping[str, str] | None:
        """The headers of what is at `path`; None if there is nothing."""
        response = self._proxy.request(path, "HEAD")
        try:
            openstack.exceptions.raise_from_response(response)
        except openstack.exceptions.NotFoundException:
            return None
        return dict(response.headers)

    def delete(self, path: str) -> None:
        """Remove what is at `path`; no error if there is nothing."""
        try:
            self.call("DELETE", path)
        except openstack.exceptions.NotFoundException:
            return


def explain(error: Exception) -> EngineError | None:
    """What an exception of openstacksdk or keystoneauth means to the person who runs the command."""
    match error:
        case keystone.Unauthorized():
            return ResourceError(
                "Keystone refused the login: check user, password and project of the cloud that OS_CLOUD or the "
                f"provider names in clouds.yaml ({error.message})"
            )
        case keystone.ConnectFailure() | keystone.DiscoveryFailure() | keystone.EndpointNotFound():
            return EngineError(
                f"OpenStack cannot be reached ({reason(error)}): check the provider's auth_url or clouds.yaml, "
                "and that the cloud runs"
            )
        case openstack.exceptions.ConfigException():
            return ResourceError(f"clouds.yaml: {str(error).rstrip('.')}: check OS_CLOUD and the provider's `cloud`")
        case openstack.exceptions.HttpException() if (error.status_code or _SERVER_ERROR) < _SERVER_ERROR:
            return ResourceError(f"refused with status {error.status_code}: {_detail(error)}")
        case openstack.exceptions.SDKException() | keystone.ClientException():
            return EngineError(f"OpenStack failed: {error}")
        case _:
            return None


def _detail(error: openstack.exceptions.HttpException) -> str:
    """The service's own words; Magnum's way to give them is one that openstacksdk does not know."""
    try:
        faults = error.response.json()["errors"] if error.response is not None else []
    except (ValueError, KeyError, TypeError):
        faults = []
    return "; ".join(each["detail"] for each in faults) or str(error.details or error.message)

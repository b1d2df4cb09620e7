"""Content of Keystone: the administrator, the services with their users and endpoints, and the tenant."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sandbox.cloud import clients, configuration, passwords, python_packages
from sandbox.cloud.commands import run
from sandbox.cloud.done import once
from sandbox.cloud.passwords import READER, TENANT
from sandbox.ports import Port

if TYPE_CHECKING:
    from openstack.connection import Connection

TENANT_ROLES: Final = ("member", "load-balancer_member", "creator")
"""Roles of an ordinary project member: load-balancer_member is Octavia's, creator Barbican's."""

READER_ROLES: Final = ("reader", "load-balancer_observer")
"""Roles of the user for previews. Neutron and Magnum of Zed do not distinguish them from those of a member."""

_SERVICE_ROLES: Final = ("admin", "service")
_TRUSTEE_DOMAIN: Final = "magnum"
_TRUSTEE_ADMIN: Final = "magnum_domain_admin"
_INTERFACES: Final = ("public", "internal", "admin")


@dataclass(frozen=True)
class Endpoint:
    """An entry of the service catalog."""

    name: str
    type: str
    url: str


CATALOG: Final = (
    Endpoint("placement", "placement", Port.PLACEMENT.url),
    Endpoint("nova", "compute", f"{Port.NOVA.url}/v2.1"),
    Endpoint("neutron", "network", Port.NEUTRON.url),
    Endpoint("glance", "image", Port.GLANCE.url),
    # Clients look for either name.
    Endpoint("cinderv3", "volumev3", f"{Port.CINDER.url}/v3/$(project_id)s"),
    Endpoint("cinder", "block-storage", f"{Port.CINDER.url}/v3/$(project_id)s"),
    Endpoint("octavia", "load-balancer", Port.OCTAVIA.url),
    Endpoint("magnum", "container-infra", f"{Port.MAGNUM.url}/v1"),
    # Manila's older API, as clients may ask for it, needs the project in the path.
    Endpoint("manilav2", "sharev2", f"{Port.MANILA.url}/v2/$(project_id)s"),
    Endpoint("swift", "object-store", f"{Port.SWIFT.url}/v1/AUTH_$(project_id)s"),
)


def bootstrap() -> None:
    """Create Keystone's keys, the administrator and Keystone's catalog entry, before Keystone starts."""
    once("keystone-bootstrap", Port.KEYSTONE.url, _bootstrap)


def _bootstrap() -> None:
    url = f"{Port.KEYSTONE.url}/v3"
    manage = ("keystone-manage", "--config-file", str(configuration.path("keystone.conf")))
    owner = ("--keystone-user", "root", "--keystone-group", "root")
    for arguments in (
        ("fernet_setup", *owner),
        ("credential_setup", *owner),
        (
            *("bootstrap", "--bootstrap-region-id", configuration.REGION),
            *("--bootstrap-public-url", url, "--bootstrap-internal-url", url, "--bootstrap-admin-url", url),
        ),
    ):
        run(
            *manage,
            *arguments,
            log="keystone-bootstrap",
            env={**python_packages.ENVIRONMENT, "OS_BOOTSTRAP_PASSWORD": passwords.load()["admin"]},
        )


def populate() -> None:
    """Create the services, their users, the tenant and its roles as far as they do not exist."""
    once("identity", (CATALOG, TENANT_ROLES, READER, READER_ROLES, passwords.SERVICE_USERS), _populate)


def _populate() -> None:
    with clients.connect("admin") as connection:
        ensure = _Ensure(connection)
        for user in passwords.SERVICE_USERS:
            ensure.user(user, project="service", roles=_SERVICE_ROLES)
        ensure.user(TENANT, project=TENANT, roles=TENANT_ROLES)
        ensure.user(READER, project=TENANT, roles=READER_ROLES)
        ensure.trustee_domain()
        for endpoint in CATALOG:
            ensure.endpoint(endpoint)


class _Ensure:
    """Creates missing objects; all methods are idempotent."""

    def __init__(self, connection: "Connection") -> None:
        self._identity: Any = connection.identity
        self._password = passwords.load()

    def role(self, name: str) -> Any:
        return self._identity.find_role(name) or self._identity.create_role(name=name)

    def project(self, name: str) -> Any:
        return self._identity.find_project(name, domain_id="default") or self._identity.create_project(
            name=name, domain_id="default"
        )

    def user(self, name: str, *, project: str, roles: tuple[str, ...]) -> None:
        home = self.project(project)
        user = self._user(name, "default", default_project_id=home.id)
        for role in roles:
            self._identity.assign_project_role_to_user(home, user, self.role(role))

    def trustee_domain(self) -> None:
        """Create the domain in which Magnum creates a user for each cluster, and the administrator of that domain."""
        domain = self._identity.find_domain(_TRUSTEE_DOMAIN) or self._identity.create_domain(name=_TRUSTEE_DOMAIN)
        user = self._user(_TRUSTEE_ADMIN, domain.id)
        self._identity.assign_domain_role_to_user(domain, user, self.role("admin"))

    def endpoint(self, endpoint: Endpoint) -> None:
        service = self._identity.find_service(endpoint.name) or self._identity.create_service(
            name=endpoint.name, type=endpoint.type
        )
        existing = {each.interface for each in self._identity.endpoints(service_id=service.id)}
        for interface in _INTERFACES:
            if interface not in existing:
                self._identity.create_endpoint(
                    service_id=service.id,
                    interface=interface,
                    region_id=configuration.REGION,
                    url=endpoint.url,
                )

    def _user(self, name: str, domain: str, **attributes: str) -> Any:
        return self._identity.find_user(name, domain_id=domain) or self._identity.create_user(
            name=name, domain_id=domain, password=self._password[name], **attributes
        )

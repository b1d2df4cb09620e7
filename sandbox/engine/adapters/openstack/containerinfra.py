"""Magnum: what all of its objects have in common, and cluster templates.

By the rules of terraform-provider-openstack (`openstack/resource_openstack_containerinfra_clustertemplate_v1.go`).
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final

from sandbox.engine.adapters.base import Operation, Property, Update, known
from sandbox.engine.adapters.openstack.client import OpenStack
from sandbox.engine.adapters.openstack.resource import (
    COMPUTED,
    NAME,
    OPTIONAL,
    REGION,
    REQUIRED,
    OpenStackResource,
)
from sandbox.engine.errors import PartialFailureError
from sandbox.engine.values import Properties

FLAVOR_FIELDS: Final[Mapping[str, str]] = {"flavor": "flavor_id", "masterFlavor": "master_flavor_id"}
"""What Magnum calls the flavors."""
VERSION_HEADER: Final = "OpenStack-API-Version"
POLL: Final = 2.0  # seconds


class MagnumResource(OpenStackResource):
    """An object of Magnum, which wraps nothing and is changed by JSON Patch."""

    service = "container_infrastructure_management"
    envelope = ""
    create_timeout = 3600
    update_timeout = 1800
    delete_timeout = 1800

    def call(self, client: OpenStack, method: str, path: str, body: Any = None, version: str | None = None) -> Any:
        """A request of a microversion, which Magnum takes from a header of its own form."""
        headers = {VERSION_HEADER: version} if version else None
        return client.service(self.service).call(method, path, body, headers=headers)

    def faults(self, inputs: Properties) -> Iterable[str]:
        """Labels are texts."""
        if isinstance(labels := inputs.get("labels"), Mapping):
            wrong = [key for key, value in labels.items() if known(value) and not isinstance(value, str)]
            if wrong:
                yield f"`labels`: {', '.join(wrong)} must be a text"

    def candidates(self, client: OpenStack, inputs: Properties) -> Iterable[str]:
        """Objects of the same name, which Magnum cannot be asked for."""
        found = self.listed(self.call(client, "GET", self.path))
        return [self.identifier(each) for each in found if each["name"] == inputs["name"]]

    def settle(
        self,
        client: OpenStack,
        identifier: str,
        wanted: str,
        operation: Operation,
        also: Callable[[Mapping[str, Any]], bool] = lambda _found: True,
    ) -> None:
        """Wait until the status is `wanted`, and `also` true: an earlier update may have left the same status.

        Raises:
            PartialFailureError: It failed; the message has Magnum's reason.
        """

        def reached() -> bool:
            found = self.require(client, identifier)
            status = found["status"]
            if status.endswith("_FAILED"):
                reason = found.get("status_reason") or "Magnum does not say why"
                raise PartialFailureError(
                    f"Magnum says {status}: {reason}",
                    id=identifier,
                    outputs=self.outputs(client, found),
                    replace=status == "CREATE_FAILED",
                )
            return bool(status == wanted) and also(found)

        operation.wait(reached, f"waiting for {wanted}", poll=POLL)


class ClusterTemplate(MagnumResource):
    """What clusters are made from; Magnum refuses to change one that is in use."""

    kind = "openstack:containerinfra/clusterTemplate:ClusterTemplate"
    path = "/clustertemplates"
    fields: ClassVar[Mapping[str, str]] = {**FLAVOR_FIELDS, "image": "image_id"}
    properties: Mapping[str, Property] = {
        "region": REGION,
        "name": NAME,
        "coe": REQUIRED,
        "image": REQUIRED,
        "apiserverPort": OPTIONAL,
        "clusterDistro": COMPUTED,
        "dnsNameserver": OPTIONAL,
        "dockerStorageDriver": OPTIONAL,
        "dockerVolumeSize": OPTIONAL,
        "externalNetworkId": OPTIONAL,
        "fixedNetwork": OPTIONAL,
        "fixedSubnet": OPTIONAL,
        "flavor": OPTIONAL,
        "masterFlavor": OPTIONAL,
        "floatingIpEnabled": Property(default=False),
        "httpProxy": OPTIONAL,
        "httpsProxy": OPTIONAL,
        "insecureRegistry": OPTIONAL,
        "keypairId": OPTIONAL,
        "labels": OPTIONAL,
        "masterLbEnabled": Property(default=False),
        "networkDriver": COMPUTED,
        "noProxy": OPTIONAL,
        "public": Property(default=False),
        "registryEnabled": Property(default=False),
        "serverType": COMPUTED,
        "tlsDisabled": Property(default=False),
        "volumeDriver": OPTIONAL,
        "hidden": Property(default=False),
    }
    reported = (*(key for key in properties if key != "region"), "createdAt", "projectId", "updatedAt", "userId")

    def update(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> Properties:
        """Patch what differs."""
        patch = [
            {"op": "replace", "path": f"/{self.field(key)}", "value": self._patched(key, change.new[key])}
            if key in change.new
            else {"op": "remove", "path": f"/{self.field(key)}"}
            for key in sorted(change.changed)
        ]
        if patch:
            self.call(client, "PATCH", f"{self.path}/{identifier}", patch)
        return self.outputs(client, self.require(client, identifier))

    @staticmethod
    def _patched(key: str, value: Any) -> Any:
        """A patch takes the labels as a text, unlike a creation."""
        return json.dumps(value) if key == "labels" else value


RESOURCES = (ClusterTemplate(),)

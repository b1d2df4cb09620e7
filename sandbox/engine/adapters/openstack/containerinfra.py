"""Magnum cluster templates, clusters and node groups.

By the rules of terraform-provider-openstack (`openstack/resource_openstack_containerinfra_*.go`).
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final

from sandbox.engine.adapters.base import Made, Operation, Property, Update, known
from sandbox.engine.adapters.openstack import kubeconfig
from sandbox.engine.adapters.openstack.client import OpenStack
from sandbox.engine.adapters.openstack.resource import (
    COMPUTED,
    FIXED,
    FIXED_COMPUTED,
    NAME,
    OPTIONAL,
    REGION,
    REQUIRED,
    OpenStackResource,
)
from sandbox.engine.errors import PartialFailureError, ResourceError
from sandbox.engine.values import Properties

_FLAVOR_FIELDS: Final[Mapping[str, str]] = {"flavor": "flavor_id", "masterFlavor": "master_flavor_id"}
_VERSION_HEADER: Final = "OpenStack-API-Version"
_NODE_GROUPS_VERSION: Final = "container-infra 1.9"
_ZERO_NODES_VERSION: Final = "container-infra 1.10"
_UPGRADE_VERSION: Final = "container-infra 1.8"
_POLL: Final = 2.0  # seconds


class MagnumResource(OpenStackResource):
    """An object of Magnum, which wraps nothing and is changed by JSON Patch."""

    service = "container_infrastructure_management"
    envelope = ""
    create_timeout = 3600
    update_timeout = 1800
    delete_timeout = 1800

    def call(self, client: OpenStack, method: str, path: str, body: Any = None, version: str | None = None) -> Any:
        """A request of a microversion, which Magnum takes from a header of its own form."""
        headers = {_VERSION_HEADER: version} if version else None
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

        operation.wait(reached, f"waiting for {wanted}", poll=_POLL)


class ClusterTemplate(MagnumResource):
    """What clusters are made from; Magnum refuses to change one that is in use."""

    kind = "openstack:containerinfra/clusterTemplate:ClusterTemplate"
    path = "/clustertemplates"
    fields: ClassVar[Mapping[str, str]] = {**_FLAVOR_FIELDS, "image": "image_id"}
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


class Cluster(MagnumResource):
    """A Kubernetes cluster. All but the template and the number of workers is fixed."""

    kind = "openstack:containerinfra/cluster:Cluster"
    path = "/clusters"
    secret_outputs = frozenset({"kubeconfig"})
    fields: ClassVar[Mapping[str, str]] = _FLAVOR_FIELDS
    properties: Mapping[str, Property] = {
        "region": REGION,
        "name": Property(named=True, fixed=True),
        "clusterTemplateId": REQUIRED,
        "createTimeout": FIXED_COMPUTED,
        "discoveryUrl": FIXED_COMPUTED,
        "dockerVolumeSize": FIXED_COMPUTED,
        "flavor": FIXED_COMPUTED,
        "masterFlavor": FIXED_COMPUTED,
        "keypair": FIXED_COMPUTED,
        "labels": FIXED_COMPUTED,
        "mergeLabels": FIXED,
        "masterCount": FIXED_COMPUTED,
        "masterLbEnabled": FIXED_COMPUTED,
        "nodeCount": Property(default=1),
        "fixedNetwork": FIXED_COMPUTED,
        "fixedSubnet": FIXED_COMPUTED,
        "floatingIpEnabled": FIXED_COMPUTED,
    }
    reported = (
        *(key for key in properties if key not in {"region", "mergeLabels", "nodeCount"}),
        "apiAddress",
        "coeVersion",
        "containerVersion",
        "createdAt",
        "masterAddresses",
        "nodeAddresses",
        "projectId",
        "stackId",
        "updatedAt",
        "userId",
    )

    def create(self, client: OpenStack, inputs: Properties, operation: Operation) -> Made:
        """Make it, wait until it runs, and have its kubeconfig signed."""
        version = _ZERO_NODES_VERSION if inputs["nodeCount"] == 0 else None
        identifier = self.call(client, "POST", self.path, self.body(inputs), version)["uuid"]
        self.settle(client, identifier, "CREATE_COMPLETE", operation)
        return Made(id=identifier, outputs=self._with_kubeconfig(client, identifier, inputs, {}))

    def recover(self, client: OpenStack, identifier: str, inputs: Properties, operation: Operation) -> Made | None:
        """Wait for it, as its maker would have."""
        self.settle(client, identifier, "CREATE_COMPLETE", operation)
        return super().recover(client, identifier, inputs, operation)

    def read(self, client: OpenStack, identifier: str, inputs: Properties, outputs: Properties) -> Properties | None:
        """What Magnum shows, with the kubeconfig of the state: it is signed once."""
        return self._with_kubeconfig(client, identifier, inputs, outputs) if self.show(client, identifier) else None

    def update(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> Properties:
        """Upgrade to another template; resize the default workers."""
        found = self.require(client, identifier)
        template = change.new["clusterTemplateId"]
        if template != found["cluster_template_id"]:
            body = {"cluster_template": template}
            self.call(client, "POST", f"{self.path}/{identifier}/actions/upgrade", body, _UPGRADE_VERSION)
            self.settle(
                client,
                identifier,
                "UPDATE_COMPLETE",
                operation,
                lambda found: bool(found["cluster_template_id"] == template),
            )
        count = change.new["nodeCount"]
        if "nodeCount" in change.changed and count != self._workers(client, identifier, found):
            patch = [{"op": "replace", "path": "/node_count", "value": count}]
            version = _ZERO_NODES_VERSION if count == 0 else None
            self.call(client, "PATCH", f"{self.path}/{identifier}", patch, version)
            self.settle(
                client,
                identifier,
                "UPDATE_COMPLETE",
                operation,
                lambda found: self._workers(client, identifier, found) == count,
            )
        return self._with_kubeconfig(client, identifier, change.new, change.outputs)

    def delete(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> None:
        """Remove it; Magnum tells why if it cannot."""
        client.service(self.service).delete(f"{self.path}/{identifier}")
        _wait_until_gone(lambda: self.show(client, identifier), operation)

    def _with_kubeconfig(
        self,
        client: OpenStack,
        identifier: str,
        inputs: Properties,
        outputs: Properties,
    ) -> Properties:
        found = self.require(client, identifier)
        shown = self.outputs(client, found)
        if inputs.get("mergeLabels"):
            shown["labels"] = _merged_labels(found, inputs)
        config = outputs.get("kubeconfig") or {}
        if not config.get("client_certificate"):
            config = kubeconfig.sign(client, identifier, found["name"], found["api_address"])
        return {**shown, "nodeCount": self._workers(client, identifier, found), "kubeconfig": config}

    def _workers(self, client: OpenStack, identifier: str, found: Mapping[str, Any]) -> int:
        """How many nodes the default group of workers has; the cluster's own count adds up all groups."""
        groups = self.call(client, "GET", f"{self.path}/{identifier}/nodegroups", None, _NODE_GROUPS_VERSION)[
            "nodegroups"
        ]
        for group in groups:
            if group["is_default"] and group["role"] != "master":
                return int(group["node_count"])
        return int(found["node_count"])


class NodeGroup(MagnumResource):
    """A group of workers; its id is `<cluster>/<node group>`."""

    kind = "openstack:containerinfra/nodeGroup:NodeGroup"
    path = "/clusters"
    properties: Mapping[str, Property] = {
        "region": REGION,
        "clusterId": Property(fixed=True, required=True, local=True),
        "name": Property(named=True, fixed=True),
        "dockerVolumeSize": FIXED_COMPUTED,
        "labels": FIXED_COMPUTED,
        "mergeLabels": FIXED,
        "role": FIXED_COMPUTED,
        "nodeCount": Property(default=1),
        "minNodeCount": COMPUTED,
        "maxNodeCount": OPTIONAL,
        "imageId": FIXED_COMPUTED,
        "flavorId": FIXED_COMPUTED,
    }
    reported = (
        *(key for key in properties if key not in {"region", "mergeLabels", "clusterId"}),
        "createdAt",
        "projectId",
        "updatedAt",
    )

    def show(self, client: OpenStack, identifier: str) -> dict[str, Any] | None:
        """The group, from its cluster."""
        cluster, _, group = identifier.partition("/")
        headers = {_VERSION_HEADER: _NODE_GROUPS_VERSION}
        found = client.service(self.service).get(f"{self.path}/{cluster}/nodegroups/{group}", headers=headers)
        return dict(found) if found else None

    def create(self, client: OpenStack, inputs: Properties, operation: Operation) -> Made:
        """Add it to its cluster and wait until its nodes run."""
        cluster = inputs["clusterId"]
        version = _ZERO_NODES_VERSION if inputs["nodeCount"] == 0 else _NODE_GROUPS_VERSION
        made = self.call(client, "POST", f"{self.path}/{cluster}/nodegroups", self.body(inputs), version)
        identifier = f"{cluster}/{made['uuid']}"
        self.settle(client, identifier, "CREATE_COMPLETE", operation)
        return Made(id=identifier, outputs=self._complete(client, identifier, inputs))

    def recover(self, client: OpenStack, identifier: str, inputs: Properties, operation: Operation) -> Made | None:
        """Wait for it, as its maker would have."""
        self.settle(client, identifier, "CREATE_COMPLETE", operation)
        return super().recover(client, identifier, inputs, operation)

    def read(self, client: OpenStack, identifier: str, inputs: Properties, outputs: Properties) -> Properties | None:
        """What Magnum shows."""
        return self._complete(client, identifier, inputs) if self.show(client, identifier) else None

    def update(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> Properties:
        """Move the limits, then resize."""
        cluster, _, group = identifier.partition("/")
        found = self.require(client, identifier)
        patch = [
            {"op": "replace", "path": f"/{self.field(key)}", "value": change.new[key]}
            for key in ("minNodeCount", "maxNodeCount")
            if key in change.changed and key in change.new and change.new[key] != found[self.field(key)]
        ]
        if patch:
            self.call(client, "PATCH", f"{self.path}/{cluster}/nodegroups/{group}", patch, _NODE_GROUPS_VERSION)
        count = change.new["nodeCount"]
        if "nodeCount" in change.changed and count != found["node_count"]:
            body = {"node_count": count, "nodegroup": group}
            version = _ZERO_NODES_VERSION if count == 0 else _NODE_GROUPS_VERSION
            self.call(client, "POST", f"{self.path}/{cluster}/actions/resize", body, version)
            self.settle(
                client, identifier, "UPDATE_COMPLETE", operation, lambda found: bool(found["node_count"] == count)
            )
        return self._complete(client, identifier, change.new)

    def delete(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> None:
        """Remove it with its nodes."""
        cluster, _, group = identifier.partition("/")
        if self.show(client, identifier):
            self.call(client, "DELETE", f"{self.path}/{cluster}/nodegroups/{group}", None, _NODE_GROUPS_VERSION)
        _wait_until_gone(lambda: self.show(client, identifier), operation)

    def candidates(self, client: OpenStack, inputs: Properties) -> Iterable[str]:
        """The cluster's group of that name, of which there is at most one."""
        cluster = inputs["clusterId"]
        found = self.call(client, "GET", f"{self.path}/{cluster}/nodegroups", None, _NODE_GROUPS_VERSION)
        return [f"{cluster}/{each['uuid']}" for each in found["nodegroups"] if each["name"] == inputs["name"]]

    def _complete(self, client: OpenStack, identifier: str, inputs: Properties) -> Properties:
        found = self.require(client, identifier)
        shown = {**self.outputs(client, found), "clusterId": identifier.partition("/")[0]}
        if inputs.get("mergeLabels"):
            shown["labels"] = _merged_labels(found, inputs)
        return shown


def _merged_labels(found: Mapping[str, Any], inputs: Properties) -> dict[str, str]:
    """Of the labels of a merge, those that the program gave, as they are now."""
    return {key: found["labels"][key] for key in inputs.get("labels", {}) if key in found["labels"]}


def _wait_until_gone(show: Callable[[], Mapping[str, Any] | None], operation: Operation) -> None:
    def gone() -> bool:
        found = show()
        if found and found["status"] == "DELETE_FAILED":
            raise ResourceError(f"Magnum says DELETE_FAILED: {found.get('status_reason') or 'and not why'}")
        return found is None

    operation.wait(gone, "waiting until it is gone", poll=_POLL)


RESOURCES = (ClusterTemplate(), Cluster(), NodeGroup())

"""Magnum: clusters and their node groups.

By the rules of terraform-provider-openstack (`openstack/resource_openstack_containerinfra_{cluster,nodegroup}_v1.go`).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final

from sandbox.engine.adapters.base import Made, Operation, Property, Update
from sandbox.engine.adapters.openstack import kubeconfig
from sandbox.engine.adapters.openstack.client import OpenStack
from sandbox.engine.adapters.openstack.containerinfra import FLAVOR_FIELDS, POLL, VERSION_HEADER, MagnumResource
from sandbox.engine.adapters.openstack.resource import (
    COMPUTED,
    FIXED,
    FIXED_COMPUTED,
    OPTIONAL,
    REGION,
    REQUIRED,
)
from sandbox.engine.errors import ResourceError
from sandbox.engine.values import Properties

_NODE_GROUPS_VERSION: Final = "container-infra 1.9"
_ZERO_NODES_VERSION: Final = "container-infra 1.10"
_UPGRADE_VERSION: Final = "container-infra 1.8"


class Cluster(MagnumResource):
    """A Kubernetes cluster. All but the template and the number of workers is fixed."""

    kind = "openstack:containerinfra/cluster:Cluster"
    path = "/clusters"
    secret_outputs = frozenset({"kubeconfig"})
    fields: ClassVar[Mapping[str, str]] = FLAVOR_FIELDS
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
        headers = {VERSION_HEADER: _NODE_GROUPS_VERSION}
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

    operation.wait(gone, "waiting until it is gone", poll=POLL)


RESOURCES = (Cluster(), NodeGroup())

"""Keystone's EC2 credentials.

By the rules of terraform-provider-openstack (`openstack/resource_openstack_identity_ec2_credential_v3.go`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.engine.adapters.base import Adapter, Made, Operation, Property, Update
from sandbox.engine.adapters.openstack.client import OpenStack
from sandbox.engine.adapters.openstack.resource import FIXED_COMPUTED, REGION
from sandbox.engine.values import Properties


class Ec2Credential(Adapter[OpenStack]):
    """An access key and its secret, for S3; its id is the access key."""

    kind = "openstack:identity/ec2CredentialV3:Ec2CredentialV3"
    secret_outputs = frozenset({"secret"})
    properties: Mapping[str, Property] = {
        "region": REGION,
        "projectId": FIXED_COMPUTED,
        "userId": FIXED_COMPUTED,
    }

    def create(self, client: OpenStack, inputs: Properties, operation: Operation) -> Made:
        """Have Keystone make a pair."""
        body = {"tenant_id": inputs.get("projectId", client.project_id)}
        made = client.service("identity").call("POST", _path(client, inputs), body)["credential"]
        return Made(id=made["access"], outputs=_outputs(client, made))

    def read(self, client: OpenStack, identifier: str, inputs: Properties, outputs: Properties) -> Properties | None:
        """The pair; Keystone tells the secret again."""
        found = client.service("identity").get(f"{_path(client, inputs)}/{identifier}")
        return _outputs(client, found["credential"]) if found else None

    def update(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> Properties:
        """Nothing can be changed; what is there is as good."""
        return self.read(client, identifier, change.new, change.outputs) or change.outputs

    def delete(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> None:
        """Remove the pair."""
        client.service("identity").delete(f"{_path(client, change.old)}/{identifier}")

    def candidates(self, client: OpenStack, inputs: Properties) -> Iterable[str]:
        """All pairs of the user for the project: they have no other mark."""
        project = inputs.get("projectId", client.project_id)
        found = client.service("identity").get(_path(client, inputs))["credentials"]
        return [each["access"] for each in found if each["tenant_id"] == project]


def _path(client: OpenStack, inputs: Properties) -> str:
    return f"/users/{inputs.get('userId', client.user_id)}/credentials/OS-EC2"


def _outputs(client: OpenStack, found: Mapping[str, Any]) -> Properties:
    return {
        "access": found["access"],
        "secret": found["secret"],
        "userId": found["user_id"],
        "projectId": found["tenant_id"],
        "trustId": found.get("trust_id") or "",
        "region": client.region,
    }


RESOURCES = (Ec2Credential(),)

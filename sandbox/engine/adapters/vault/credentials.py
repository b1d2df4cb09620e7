"""AppRole roles, their secret ids, and tokens, by the rules of terraform-provider-vault."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import hvac.exceptions

from sandbox.engine.adapters.base import Adapter, Made, Operation, Property, Update
from sandbox.engine.adapters.spelling import snake
from sandbox.engine.adapters.vault.client import Vault
from sandbox.engine.errors import ResourceError
from sandbox.engine.values import Properties

_BACKEND: Final = Property(fixed=True, default="approle")


class AuthBackendRole(Adapter[Vault]):
    """A role of an AppRole auth method; its id is its path."""

    kind = "vault:appRole/authBackendRole:AuthBackendRole"
    properties: Mapping[str, Property] = {
        "roleName": Property(required=True, fixed=True),
        "backend": _BACKEND,
        "roleId": Property(computed=True, local=True),
        "bindSecretId": Property(default=True),
        "secretIdBoundCidrs": Property(unordered=True),
        "secretIdNumUses": Property(),
        "secretIdTtl": Property(),
        "localSecretIds": Property(default=False),
        "tokenBoundCidrs": Property(unordered=True),
        "tokenExplicitMaxTtl": Property(),
        "tokenMaxTtl": Property(),
        "tokenNoDefaultPolicy": Property(),
        "tokenNumUses": Property(),
        "tokenPeriod": Property(),
        "tokenPolicies": Property(unordered=True),
        "tokenTtl": Property(),
        "tokenType": Property(default="default"),
    }
    _IN_PATH: Final = ("roleName", "backend", "roleId")

    def create(self, client: Vault, inputs: Properties, operation: Operation) -> Made:
        """Write it."""
        path = _role_path(inputs)
        client.write(path, self._body(inputs))
        if "roleId" in inputs:
            client.write(f"{path}/role-id", {"role_id": inputs["roleId"]})
        return Made(id=path, outputs=self._outputs(client, path, inputs) or {})

    def read(self, client: Vault, identifier: str, inputs: Properties, outputs: Properties) -> Properties | None:
        """What Vault has of it."""
        return self._outputs(client, identifier, inputs)

    def update(self, client: Vault, identifier: str, change: Update, operation: Operation) -> Properties:
        """Write it anew; what the program no longer gives goes back to nothing."""
        emptied = {snake(key): _nothing(change.old[key]) for key in change.changed if key not in change.new}
        body = self._body(change.new)
        if change.old.get("localSecretIds") == change.new["localSecretIds"]:
            del body["local_secret_ids"]  # Vault takes it at the creation alone
        client.write(identifier, {**emptied, **body})
        if "roleId" in change.changed and "roleId" in change.new:
            client.write(f"{identifier}/role-id", {"role_id": change.new["roleId"]})
        return self._outputs(client, identifier, change.new) or {}

    def delete(self, client: Vault, identifier: str, change: Update, operation: Operation) -> None:
        """Remove it, with its secret ids."""
        client.delete(identifier)

    def candidates(self, client: Vault, inputs: Properties) -> Iterable[str]:
        """The role of that name."""
        path = _role_path(inputs)
        return [path] if client.read(path) else []

    def _body(self, inputs: Properties) -> dict[str, Any]:
        return {snake(key): value for key, value in inputs.items() if key not in self._IN_PATH}

    def _outputs(self, client: Vault, path: str, inputs: Properties) -> Properties | None:
        found = client.read(path)
        if found is None:
            return None
        shown = {key: found.get(snake(key)) for key in inputs if key not in self._IN_PATH}
        role_id = (client.read(f"{path}/role-id") or {})["role_id"]
        return {**shown, "roleId": role_id, "roleName": inputs["roleName"], "backend": inputs["backend"]}


class AuthBackendRoleSecretId(Adapter[Vault]):
    """A secret id of a role; its id is `backend=B::role=R::accessor=A`. Vault tells the secret once."""

    kind = "vault:appRole/authBackendRoleSecretId:AuthBackendRoleSecretId"
    secret_outputs = frozenset({"secretId", "wrappingToken"})
    properties: Mapping[str, Property] = {
        "roleName": Property(required=True, fixed=True),
        "backend": _BACKEND,
        "cidrLists": Property(fixed=True, unordered=True),
        "metadata": Property(fixed=True),
        "numUses": Property(fixed=True),
        "secretId": Property(fixed=True, computed=True),
        "tokenBoundCidrs": Property(fixed=True, unordered=True),
        "ttl": Property(fixed=True),
    }

    def create(self, client: Vault, inputs: Properties, operation: Operation) -> Made:
        """Have Vault make it."""
        body: dict[str, Any] = {"metadata": inputs.get("metadata", "")}
        for key, field in (("cidrLists", "cidr_list"), ("tokenBoundCidrs", "token_bound_cidrs")):
            if key in inputs:
                body[field] = ",".join(inputs[key])
        body |= {field: inputs[key] for key, field in (("numUses", "num_uses"), ("ttl", "ttl")) if key in inputs}
        path = f"{_role_path(inputs)}/secret-id"
        if "secretId" in inputs:
            path = f"{_role_path(inputs)}/custom-secret-id"
            body["secret_id"] = inputs["secretId"]
        made = client.write(path, body)["data"]
        accessor = made["secret_id_accessor"]
        return Made(
            id=self._identifier(inputs, accessor),
            outputs={
                "accessor": accessor,
                "secretId": made["secret_id"],
                "metadata": inputs.get("metadata", "{}"),
            },
        )

    def read(self, client: Vault, identifier: str, inputs: Properties, outputs: Properties) -> Properties | None:
        """Whether it is still valid; the secret itself is only in the state."""
        accessor = identifier.rpartition("::accessor=")[2]
        try:
            answer = client.write(f"{_role_path(inputs)}/secret-id-accessor/lookup", {"secret_id_accessor": accessor})
        except hvac.exceptions.VaultError as error:
            if _unknown_accessor(error):
                return None
            raise
        if not answer:
            return None
        return {
            "accessor": accessor,
            "secretId": outputs.get("secretId"),
            "metadata": json.dumps(answer["data"]["metadata"]),
        }

    def update(self, client: Vault, identifier: str, change: Update, operation: Operation) -> Properties:
        """Nothing can be changed; what is there is as good."""
        return change.outputs

    def delete(self, client: Vault, identifier: str, change: Update, operation: Operation) -> None:
        """Destroy it."""
        accessor = identifier.rpartition("::accessor=")[2]
        try:
            client.write(f"{_role_path(change.old)}/secret-id-accessor/destroy", {"secret_id_accessor": accessor})
        except hvac.exceptions.VaultError as error:
            if not _unknown_accessor(error):
                raise

    def candidates(self, client: Vault, inputs: Properties) -> Iterable[str]:
        """All secret ids of the role: they have no other mark."""
        return [self._identifier(inputs, each) for each in client.list(f"{_role_path(inputs)}/secret-id")]

    def recover(self, client: Vault, identifier: str, inputs: Properties, operation: Operation) -> Made | None:
        """One of which nobody has the secret is worth nothing: destroy it."""
        self.delete(client, identifier, Update(old=inputs, new=inputs, outputs={}), operation)
        return None

    @staticmethod
    def _identifier(inputs: Properties, accessor: str) -> str:
        return f"backend={inputs['backend']}::role={inputs['roleName']}::accessor={accessor}"


class Token(Adapter[Vault]):
    """A token; its id is its accessor. It dies with the provider's own unless `noParent` is set."""

    kind = "vault:index/token:Token"
    secret_outputs = frozenset({"clientToken", "wrappedToken", "wrappingAccessor"})
    properties: Mapping[str, Property] = {
        "roleName": Property(fixed=True),
        "policies": Property(fixed=True, unordered=True),
        "noParent": Property(fixed=True, computed=True),
        "noDefaultPolicy": Property(fixed=True),
        "renewable": Property(fixed=True, computed=True),
        "ttl": Property(fixed=True),
        "explicitMaxTtl": Property(fixed=True),
        "displayName": Property(fixed=True, default="token"),
        "numUses": Property(fixed=True, computed=True),
        "period": Property(fixed=True),
        "renewMinLease": Property(local=True),
        "renewIncrement": Property(local=True),
        "metadata": Property(fixed=True),
    }
    _FIELDS: Final[Mapping[str, str]] = {"metadata": "meta"}

    def create(self, client: Vault, inputs: Properties, operation: Operation) -> Made:
        """Have Vault make it."""
        body = {
            self._FIELDS.get(key, snake(key)): value
            for key, value in inputs.items()
            if key != "roleName" and not self.properties[key].local
        }
        role = f"/{inputs['roleName']}" if "roleName" in inputs else ""
        made = client.write(f"auth/token/create{role}", body)["auth"]
        outputs = self._outputs(client, made["accessor"])
        return Made(id=made["accessor"], outputs={**(outputs or {}), "clientToken": made["client_token"]})

    def read(self, client: Vault, identifier: str, inputs: Properties, outputs: Properties) -> Properties | None:
        """What Vault has of it; renewed if its lease is shorter than `renewMinLease`."""
        found = self._outputs(client, identifier)
        if found is None:
            return None
        token = outputs.get("clientToken")
        if found["renewable"] and token and self._ends_soon(found, inputs):
            increment = inputs.get("renewIncrement", found["leaseDuration"])
            client.write("auth/token/renew", {"token": token, "increment": f"{increment}s"})
            found = self._outputs(client, identifier) or found
        return {**found, "clientToken": token}

    def update(self, client: Vault, identifier: str, change: Update, operation: Operation) -> Properties:
        """Only how it is renewed can change, which Vault need not know."""
        return change.outputs

    def delete(self, client: Vault, identifier: str, change: Update, operation: Operation) -> None:
        """Revoke it."""
        try:
            client.write("auth/token/revoke-accessor", {"accessor": identifier})
        except hvac.exceptions.VaultError as error:
            if not _unknown_accessor(error):
                raise

    def candidates(self, client: Vault, inputs: Properties) -> Iterable[str]:
        """All tokens, where the policies let us see them; else a lost one lives until its TTL is over."""
        try:
            return client.list("auth/token/accessors")
        except hvac.exceptions.Forbidden:
            return []

    def recover(self, client: Vault, identifier: str, inputs: Properties, operation: Operation) -> Made | None:
        """A token that nobody has is worth nothing: revoke it, if it is the one."""
        found = self._outputs(client, identifier)
        if found and found["displayName"] == inputs["displayName"] and found["policies"] == inputs.get("policies", []):
            client.write("auth/token/revoke-accessor", {"accessor": identifier})
        return None

    @staticmethod
    def _outputs(client: Vault, accessor: str) -> Properties | None:
        try:
            found = client.write("auth/token/lookup-accessor", {"accessor": accessor})["data"]
        except hvac.exceptions.VaultError as error:
            if _unknown_accessor(error):
                return None
            raise
        issued = datetime.fromisoformat(found["issue_time"])
        if found["expire_time"] is None:
            raise ResourceError("the token never expires: give it a ttl or a period")
        expires = datetime.fromisoformat(found["expire_time"])
        return {
            "policies": [each for each in found["policies"] if each != "default"],
            "noParent": found["orphan"],
            "renewable": found["renewable"],
            "displayName": found["display_name"].removeprefix("token-"),
            "numUses": found["num_uses"],
            "metadata": found["meta"] or {},
            "leaseStarted": issued.isoformat(timespec="seconds"),
            "leaseDuration": int((expires - issued).total_seconds()),
        }

    @staticmethod
    def _ends_soon(found: Properties, inputs: Properties) -> bool:
        elapsed = (datetime.now(UTC) - datetime.fromisoformat(found["leaseStarted"])).total_seconds()
        return bool(found["leaseDuration"] - elapsed <= inputs.get("renewMinLease", 0))


def _role_path(inputs: Properties) -> str:
    return f"auth/{inputs['backend']}/role/{inputs['roleName']}"


def _unknown_accessor(error: hvac.exceptions.VaultError) -> bool:
    """Whether what the accessor stood for has ended; Vault has a different answer for each kind."""
    return isinstance(error, hvac.exceptions.InvalidPath) or any(
        text in str(error) for text in ("invalid accessor", "failed to find accessor", "does not exist")
    )


def _nothing(value: Any) -> Any:
    return type(value)()


RESOURCES: Final = (AuthBackendRole(), AuthBackendRoleSecretId(), Token())

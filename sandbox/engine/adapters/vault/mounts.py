"""Secret engines, auth methods and policies, by the rules of terraform-provider-vault."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import hvac.exceptions

from sandbox.engine.adapters.base import Adapter, Made, Operation, Property, Update
from sandbox.engine.adapters.vault.client import Vault
from sandbox.engine.errors import ResourceError
from sandbox.engine.values import Properties

_LEASES: Final[Mapping[str, str]] = {
    "defaultLeaseTtlSeconds": "default_lease_ttl",
    "maxLeaseTtlSeconds": "max_lease_ttl",
}


class Mount(Adapter[Vault]):
    """A secrets engine; its id is its path."""

    kind = "vault:index/mount:Mount"
    properties: Mapping[str, Property] = {
        "path": Property(required=True),
        "type": Property(required=True, fixed=True),
        "description": Property(),
        "options": Property(),
        "defaultLeaseTtlSeconds": Property(computed=True),
        "maxLeaseTtlSeconds": Property(computed=True),
        "local": Property(fixed=True, default=False),
        "sealWrap": Property(fixed=True, computed=True),
    }

    def create(self, client: Vault, inputs: Properties, operation: Operation) -> Made:
        """Mount it."""
        body = {
            "type": inputs["type"],
            "description": inputs.get("description", ""),
            "options": inputs.get("options", {}),
            "local": inputs["local"],
            "config": self._config(inputs),
        }
        client.write(f"sys/mounts/{inputs['path']}", body)
        if inputs.get("options", {}).get("version") == "2":
            operation.wait(lambda: self._upgraded(client, inputs["path"]), "waiting for the KV engine", poll=0.2)
        return Made(id=inputs["path"], outputs=self._outputs(client, inputs["path"]) or {})

    def read(self, client: Vault, identifier: str, inputs: Properties, outputs: Properties) -> Properties | None:
        """The mount at that path."""
        return self._outputs(client, identifier)

    def update(self, client: Vault, identifier: str, change: Update, operation: Operation) -> Properties:
        """Tune it."""
        if change.new["path"] != identifier:
            raise ResourceError("the sandbox's engine does not move mounts: unmount it, or keep its path")
        body = {
            **self._config(change.new),
            "description": change.new.get("description", ""),
            "options": change.new.get("options", {}),
        }
        client.write(f"sys/mounts/{identifier}/tune", body)
        return self._outputs(client, identifier) or {}

    def delete(self, client: Vault, identifier: str, change: Update, operation: Operation) -> None:
        """Unmount it, with all that is in it."""
        client.delete(f"sys/mounts/{identifier}")

    def candidates(self, client: Vault, inputs: Properties) -> Iterable[str]:
        """The mount at that path."""
        return [inputs["path"]] if self._outputs(client, inputs["path"]) else []

    @staticmethod
    def _upgraded(client: Vault, path: str) -> bool:
        """A new KV engine of version 2 refuses everything for a moment."""
        try:
            return client.read(f"{path}/config") is not None
        except hvac.exceptions.InvalidRequest:
            return False

    @staticmethod
    def _config(inputs: Properties) -> dict[str, str]:
        return {field: f"{inputs[key]}s" for key, field in _LEASES.items() if key in inputs}

    @staticmethod
    def _outputs(client: Vault, path: str) -> Properties | None:
        found = _mount(client, f"sys/mounts/{path}")
        if found is None:
            return None
        return {
            "path": path,
            "type": found["type"],
            "description": found["description"],
            "options": found["options"] or {},
            "accessor": found["accessor"],
            "local": found["local"],
            "sealWrap": found["seal_wrap"],
            "defaultLeaseTtlSeconds": found["config"]["default_lease_ttl"],
            "maxLeaseTtlSeconds": found["config"]["max_lease_ttl"],
        }


class AuthBackend(Adapter[Vault]):
    """An auth method; its id is its path."""

    kind = "vault:index/authBackend:AuthBackend"
    properties: Mapping[str, Property] = {
        "type": Property(required=True, fixed=True),
        "path": Property(computed=True),
        "description": Property(),
        "local": Property(fixed=True, default=False),
        "disableRemount": Property(default=False, local=True),
    }

    def create(self, client: Vault, inputs: Properties, operation: Operation) -> Made:
        """Enable it."""
        path = self._path(inputs)
        body = {"type": inputs["type"], "description": inputs.get("description", ""), "local": inputs["local"]}
        client.write(f"sys/auth/{path}", body)
        return Made(id=path, outputs=self._outputs(client, path) or {})

    def read(self, client: Vault, identifier: str, inputs: Properties, outputs: Properties) -> Properties | None:
        """The method at that path."""
        return self._outputs(client, identifier)

    def update(self, client: Vault, identifier: str, change: Update, operation: Operation) -> Properties:
        """Change its description."""
        if self._path(change.new) != identifier:
            raise ResourceError("the sandbox's engine does not move auth methods: disable it, or keep its path")
        client.write(f"sys/mounts/auth/{identifier}/tune", {"description": change.new.get("description", "")})
        return self._outputs(client, identifier) or {}

    def delete(self, client: Vault, identifier: str, change: Update, operation: Operation) -> None:
        """Disable it, with all that is in it."""
        client.delete(f"sys/auth/{identifier}")

    def candidates(self, client: Vault, inputs: Properties) -> Iterable[str]:
        """The method at that path."""
        path = self._path(inputs)
        return [path] if self._outputs(client, path) else []

    @staticmethod
    def _path(inputs: Properties) -> str:
        return str(inputs.get("path") or inputs["type"]).strip("/")

    @staticmethod
    def _outputs(client: Vault, path: str) -> Properties | None:
        found = _mount(client, f"sys/mounts/auth/{path}")
        if found is None:
            return None
        return {
            "type": found["type"],
            "path": path,
            "description": found["description"],
            "accessor": found["accessor"],
            "local": found["local"],
        }


class Policy(Adapter[Vault]):
    """An ACL policy; its id is its name."""

    kind = "vault:index/policy:Policy"
    properties: Mapping[str, Property] = {
        "name": Property(named=True, fixed=True),
        "policy": Property(required=True),
    }

    def create(self, client: Vault, inputs: Properties, operation: Operation) -> Made:
        """Write it."""
        client.write(f"sys/policies/acl/{inputs['name']}", {"policy": inputs["policy"]})
        return Made(id=inputs["name"], outputs=self._outputs(client, inputs["name"]) or {})

    def read(self, client: Vault, identifier: str, inputs: Properties, outputs: Properties) -> Properties | None:
        """Its text."""
        return self._outputs(client, identifier)

    def update(self, client: Vault, identifier: str, change: Update, operation: Operation) -> Properties:
        """Write it anew."""
        client.write(f"sys/policies/acl/{identifier}", {"policy": change.new["policy"]})
        return self._outputs(client, identifier) or {}

    def delete(self, client: Vault, identifier: str, change: Update, operation: Operation) -> None:
        """Remove it."""
        client.delete(f"sys/policies/acl/{identifier}")

    def candidates(self, client: Vault, inputs: Properties) -> Iterable[str]:
        """The policy of that name."""
        return [inputs["name"]] if self._outputs(client, inputs["name"]) else []

    @staticmethod
    def _outputs(client: Vault, name: str) -> Properties | None:
        found: dict[str, Any] | None = client.read(f"sys/policies/acl/{name}")
        return {"name": name, "policy": found["policy"]} if found else None


def _mount(client: Vault, path: str) -> dict[str, Any] | None:
    """What is mounted at a path; Vault calls a free one a bad request."""
    try:
        return client.read(path)
    except hvac.exceptions.InvalidRequest as error:
        if "No secret engine mount at" in str(error):
            return None
        raise


RESOURCES: Final = (Mount(), AuthBackend(), Policy())

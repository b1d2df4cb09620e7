"""Secrets of KV version 2, by the rules of terraform-provider-vault (`vault/resource_kv_secret_v2.go`)."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sandbox.engine.adapters.base import Adapter, Made, Operation, Property, Update, known
from sandbox.engine.adapters.vault.client import Vault
from sandbox.engine.values import Properties


class SecretV2(Adapter[Vault]):
    """A secret with its versions; its id is `<mount>/data/<name>`.

    As in the provider, a reading does not bring the data back: what others write is not drift.
    """

    kind = "vault:kv/secretV2:SecretV2"
    secret_outputs = frozenset({"data", "dataJson"})
    properties: Mapping[str, Property] = {
        "mount": Property(required=True, fixed=True),
        "name": Property(named=True, fixed=True),
        "dataJson": Property(required=True),
        "cas": Property(local=True),
        "options": Property(local=True),
        "deleteAllVersions": Property(default=False, local=True),
        "disableRead": Property(default=False, local=True),
        "customMetadata": Property(computed=True),
    }

    def faults(self, inputs: Properties) -> Iterable[str]:
        """Data that is not a JSON object."""
        if known(data := inputs.get("dataJson")):
            try:
                parsed = json.loads(str(data))
            except ValueError:
                parsed = None
            if not isinstance(parsed, dict):
                yield "`dataJson` must be a JSON object"

    def create(self, client: Vault, inputs: Properties, operation: Operation) -> Made:
        """Write the first version, or a further one of what is there."""
        path = _path(inputs, "data")
        self._write(client, inputs)
        return Made(id=path, outputs=self._outputs(client, path, inputs) or {})

    def read(self, client: Vault, identifier: str, inputs: Properties, outputs: Properties) -> Properties | None:
        """Its metadata."""
        return self._outputs(client, identifier, inputs)

    def update(self, client: Vault, identifier: str, change: Update, operation: Operation) -> Properties:
        """Write a new version."""
        if change.changed & {"dataJson", "customMetadata", "cas", "options"}:
            self._write(client, change.new)
        return self._outputs(client, identifier, change.new) or {}

    def delete(self, client: Vault, identifier: str, change: Update, operation: Operation) -> None:
        """Delete the last version, or all of them for good where `deleteAllVersions` says so."""
        client.delete(_path(change.old, "metadata" if change.old.get("deleteAllVersions") else "data"))

    def delete_before_replace(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Old and new are at the same path only if nothing fixed has changed."""
        return False

    @staticmethod
    def _write(client: Vault, inputs: Properties) -> None:
        body: dict[str, Any] = {"data": json.loads(inputs["dataJson"]), "options": dict(inputs.get("options", {}))}
        if "cas" in inputs:
            body["options"]["cas"] = inputs["cas"]
        client.write(_path(inputs, "data"), body)
        if custom := inputs.get("customMetadata"):
            names = {
                "maxVersions": "max_versions",
                "casRequired": "cas_required",
                "deleteVersionAfter": "delete_version_after",
            }
            metadata = {field: custom[key] for key, field in names.items() if key in custom}
            client.write(_path(inputs, "metadata"), {**metadata, "custom_metadata": custom.get("data", {})})

    @staticmethod
    def _outputs(client: Vault, path: str, inputs: Properties) -> Properties | None:
        shown = {"mount": inputs["mount"], "name": inputs["name"], "path": path, "data": {}}
        if inputs.get("disableRead"):
            return shown
        found = client.read(path)
        if found is None or found.get("data") is None:
            return None
        return {**shown, "metadata": {key: _text(value) for key, value in found["metadata"].items()}}


def _path(inputs: Properties, part: str) -> str:
    return f"{inputs['mount'].strip('/')}/{part}/{inputs['name'].strip('/')}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


RESOURCES: Final = (SecretV2(),)

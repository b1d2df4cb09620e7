"""Find this program's resources in Vault by the rules of Terraform's provider."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from probes import existing_vault, vault_client
from recovery.document import Inputs
from recovery.finder import AmbiguousError, Finder, Found

if TYPE_CHECKING:
    import hvac


def connect(settings: Inputs) -> "hvac.Client":
    """Return a client with the settings of Pulumi's provider; raises as `vault_client.connect`."""
    ca_file = settings.get("caCertFile")
    return vault_client.connect(str(settings["address"]), Path(str(ca_file)) if ca_file else None)


def _mounts(client: "hvac.Client", inputs: Inputs) -> Iterable[Found]:
    return _mounted(client, "secret", str(inputs["path"]), inputs)


def _auth_methods(client: "hvac.Client", inputs: Inputs) -> Iterable[Found]:
    return _mounted(client, "auth", str(inputs.get("path") or inputs["type"]), inputs)


def _mounted(client: "hvac.Client", section: str, path: str, inputs: Inputs) -> Iterable[Found]:
    """Yield the mount at the path.

    Raises:
        AmbiguousError: The mount is not this stack's.
    """
    found = existing_vault.visible(client)[section].get(f"{path.strip('/')}/")
    if found is None:
        return
    if (found["type"], found["description"]) != (inputs["type"], inputs.get("description", "")):
        raise AmbiguousError(
            f"{path} is a mount of type {found['type']} with the description {found['description']!r}, not this "
            "stack's: configure another path, or remove that mount",
        )
    yield Found(path.strip("/"))


def _roles(client: "hvac.Client", inputs: Inputs) -> Iterable[Found]:
    path = f"auth/{inputs['backend']}/role/{inputs['roleName']}"
    if client.read(path) is not None:
        yield Found(path)


FINDERS: Mapping[str, Finder["hvac.Client"]] = {
    "vault:index/mount:Mount": Finder(find=_mounts),
    "vault:index/authBackend:AuthBackend": Finder(find=_auth_methods),
    "vault:appRole/authBackendRole:AuthBackendRole": Finder(find=_roles),
}

"""Keys that applications read and that no secrets.yaml declares.

An application reads Vault through VaultSecrets (https://github.com/ricoberger/vault-secrets-operator), each of which
makes a Kubernetes Secret of one secret in Vault; its pods then read keys of that Secret. Phalanx does not check that
these keys are declared, and some are not, such as the S3 keys of tap: a pod that reads one does not start.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from phalanx.charts import Manifest, RenderedApplication
from phalanx.secrets import SecretKey

PULL_SECRET = SecretKey("pull-secret", ".dockerconfigjson")
"""Credentials for container registries, which belong to the environment and so to no secrets.yaml."""

_TYPED_KEYS = {
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
"""Keys that Kubernetes requires in a Secret of a type."""

_TEMPLATE_KEY = re.compile(r"""index \.Secrets "([^"]+)"|\.Secrets\.([A-Za-z_]\w*)""")
"""Keys that a template of a VaultSecret names, in either of the two ways of Go templates."""


def find(
    applications: Iterable[RenderedApplication], vault_path_prefix: str, declared: Collection[SecretKey]
) -> dict[SecretKey, tuple[str, ...]]:
    """Find the undeclared keys, and what reads each.

    Keys that may be missing (``optional: true``) are left out, as is the pull secret.

    Args:
        applications: The rendered applications of an environment, all of them: Secrets are shared in a namespace.
        vault_path_prefix: Mount and path under which the environment's secrets are.
        declared: Keys that are planned, for example a `phalanx.secrets.Plan`.

    Returns:
        By key, in alphabetical order: its readers, as ``<application>: <kind>/<name>``.
    """
    found = reads(applications, vault_path_prefix)
    return {at: readers for at, readers in sorted(found.items()) if at not in declared and at != PULL_SECRET}


def reads(applications: Iterable[RenderedApplication], vault_path_prefix: str) -> dict[SecretKey, tuple[str, ...]]:
    """Find every key that applications read from Vault, and what reads it; arguments and result as for `find`."""
    applications = list(applications)
    readers: defaultdict[SecretKey, set[str]] = defaultdict(set)
    secrets: dict[tuple[str, str], str] = {}
    """Vault's application of each Secret, by its namespace and name, whose keys are those in Vault."""
    for application in applications:
        for manifest in application.manifests:
            spec = manifest.get("spec") or {}
            prefix, _, owner = str(spec.get("path")).rpartition("/")
            if manifest["kind"] != "VaultSecret" or prefix != vault_path_prefix:
                continue
            if not spec.get("templates"):
                secrets[_namespace(application, manifest), manifest["metadata"]["name"]] = owner
            for key in _needed_by_vault_secret(spec):
                readers[SecretKey(owner, key)].add(_reader(application, manifest))
    for application in applications:
        foreign = {"kind": "values", "metadata": {"name": application.name}, "values": application.foreign_values}
        for manifest in (*application.manifests, foreign):
            namespace = _namespace(application, manifest)
            for name, key in _references(manifest):
                if (namespace, name) in secrets:
                    readers[SecretKey(secrets[namespace, name], key)].add(_reader(application, manifest))
    return {at: tuple(sorted(names)) for at, names in sorted(readers.items())}


def _namespace(application: RenderedApplication, manifest: Manifest) -> str:
    return str(manifest["metadata"].get("namespace") or application.namespace)


def _reader(application: RenderedApplication, manifest: Manifest) -> str:
    return f"{application.name}: {manifest['kind']}/{manifest['metadata']['name']}"


def _needed_by_vault_secret(spec: Manifest) -> Iterator[str]:
    """Give the keys without which a VaultSecret cannot make its Secret."""
    templates = spec.get("templates") or {}
    for template in templates.values():
        for quoted, plain in _TEMPLATE_KEY.findall(template):
            yield quoted or plain
    if not templates:
        yield from spec.get("keys") or ()
        yield from _TYPED_KEYS.get(spec.get("type", ""), ())


def _references(node: Any, parent: str = "") -> Iterator[tuple[str, str]]:
    """Give each reference to a key of a Secret in a manifest: the Secret's name and the key.

    Besides ``secretKeyRef`` and volumes these are the references of custom resources, such as cert-manager's
    ``secretAccessKeySecretRef``: whatever has a name and a key and is not about a ConfigMap.
    """
    if isinstance(node, list):
        for item in node:
            yield from _references(item, parent)
    if not isinstance(node, Mapping) or node.get("optional") is True or parent.lower().startswith("configmap"):
        return
    name, key = node.get("name") or node.get("secretName"), node.get("key")
    if isinstance(name, str) and isinstance(key, str):
        yield name, key
    if isinstance(name, str) and isinstance(node.get("items"), list):
        yield from ((name, item["key"]) for item in node["items"] if isinstance(item, Mapping) and "key" in item)
    yield from _mounted_keys(node)
    for child, value in node.items():
        yield from _references(value, str(child))


def _mounted_keys(pod: Manifest) -> Iterator[tuple[str, str]]:
    """Give the keys that containers mount one by one, with ``subPath``, from a volume that has all keys of a Secret."""
    secrets = {
        volume.get("name"): secret["secretName"]
        for volume in _mappings(pod.get("volumes"))
        for secret in _mappings([volume.get("secret")])
        if secret.get("secretName") and not secret.get("items") and not secret.get("optional")
    }
    if secrets:
        for container in (*_mappings(pod.get("initContainers")), *_mappings(pod.get("containers"))):
            for mount in _mappings(container.get("volumeMounts")):
                if mount.get("subPath") and mount.get("name") in secrets:
                    yield secrets[mount["name"]], mount["subPath"]


def _mappings(value: Any) -> list[Manifest]:
    """Give the mappings in a list; anything else, as custom resources may have under the same names, is none."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []

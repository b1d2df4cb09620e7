"""Keys of secrets that applications read, but that no secrets.yaml declares.

An application reads Vault through VaultSecret resources (https://github.com/ricoberger/vault-secrets-operator). Each of
them creates a Kubernetes Secret from one secret in Vault, of which pods read keys. Phalanx does not check that these
keys are declared, and some are not, such as the S3 keys of tap. A pod does not start while a key is missing.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from phalanx import cache, charts
from phalanx.charts import Manifest, RenderedApplication
from phalanx.secrets import SecretKey

PULL_SECRET = SecretKey("pull-secret", ".dockerconfigjson")
"""Credentials for container registries, which belong to the environment instead of an application."""

_TYPED_KEYS = {
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
"""Keys that Kubernetes requires in a Secret, by its type."""

_TEMPLATE_KEY = re.compile(r"""index \.Secrets "([^"]+)"|\.Secrets\.([A-Za-z_]\w*)""")
"""References to keys in a template of a VaultSecret, in both notations of Go templates."""


@dataclass(frozen=True, kw_only=True)
class VaultSecret:
    """A resource that creates a Secret from a secret in Vault."""

    path: str
    """Path of the secret in Vault, which ends with the name of its application."""
    namespace: str
    name: str
    """Name of the Secret."""
    keys: tuple[str, ...]
    """Keys in Vault that are required to create the Secret."""
    renamed: bool
    """True if the keys of the Secret differ from those in Vault."""
    reader: str
    """``<application>: VaultSecret/<name>``."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A reference to a key of a Secret."""

    namespace: str
    secret: str
    key: str
    reader: str
    """``<application>: <kind>/<name>``."""


@dataclass(frozen=True, kw_only=True)
class Uses:
    """Uses of Secrets in the manifests of an application."""

    vault_secrets: tuple[VaultSecret, ...]
    references: tuple[Reference, ...]


_USES: Final = TypeAdapter(Uses)


def uses_of_all(
    root: Path, manifests: Iterable[Manifest], overrides: Mapping[str, Mapping[str, Any]] | None = None
) -> list[Uses]:
    """Find the uses of Secrets by all Applications among some manifests.

    An Application is rendered only if its chart, its values or Helm have changed since an earlier run, as rendering all
    applications of a large environment takes several seconds.

    Args:
        root: Directory of the checkout.
        manifests: Manifests from `phalanx.render.applications`.
        overrides: Helm values that override those of the checkout, by application.

    Raises:
        RenderError: Helm is missing or rejects a chart.
    """

    def uses_of(manifest: Manifest) -> Uses:
        arguments = (root, manifest, (overrides or {}).get(manifest["metadata"]["name"]))
        return cache.cached(_USES, charts.cache_key(*arguments), lambda: uses(charts.render(*arguments)))

    with ThreadPoolExecutor() as pool:
        return list(pool.map(uses_of, [manifest for manifest in manifests if manifest.get("kind") == "Application"]))


def uses(application: RenderedApplication) -> Uses:
    """Find all uses of Secrets in the manifests of an application."""
    external = {"kind": "values", "metadata": {"name": application.name}, "values": application.external_values}
    return Uses(
        vault_secrets=tuple(
            _vault_secret(application, manifest)
            for manifest in application.manifests
            if manifest["kind"] == "VaultSecret"
        ),
        references=tuple(
            Reference(
                namespace=_namespace(application, manifest), secret=name, key=key, reader=_reader(application, manifest)
            )
            for manifest in (*application.manifests, external)
            for name, key in _references(manifest)
        ),
    )


def find(
    applications: Iterable[Uses], vault_path_prefix: str, declared: Collection[SecretKey]
) -> dict[SecretKey, tuple[str, ...]]:
    """Find the undeclared keys and their readers.

    Optional keys (``optional: true``) and the pull secret are left out.

    Args:
        applications: Uses by all applications of an environment, as applications of a namespace share its Secrets.
        vault_path_prefix: Mount and path of the environment's secrets.
        declared: Planned keys, for example a `phalanx.secrets.Plan`.

    Returns:
        Readers (``<application>: <kind>/<name>``) by key, in alphabetical order.
    """
    found = reads(applications, vault_path_prefix)
    return {at: readers for at, readers in sorted(found.items()) if at not in declared and at != PULL_SECRET}


def reads(applications: Iterable[Uses], vault_path_prefix: str) -> dict[SecretKey, tuple[str, ...]]:
    """Find all keys that applications read from Vault, and their readers; arguments and result as for `find`."""
    applications = list(applications)
    readers: defaultdict[SecretKey, set[str]] = defaultdict(set)
    secrets: dict[tuple[str, str], str] = {}
    """Application whose secret in Vault has the same keys as a Secret, by the Secret's namespace and name."""
    for each in (each for application in applications for each in application.vault_secrets):
        prefix, _, owner = each.path.rpartition("/")
        if prefix == vault_path_prefix:
            if not each.renamed:
                secrets[each.namespace, each.name] = owner
            for key in each.keys:
                readers[SecretKey(owner, key)].add(each.reader)
    for reference in (reference for application in applications for reference in application.references):
        at = (reference.namespace, reference.secret)
        if at in secrets:
            readers[SecretKey(secrets[at], reference.key)].add(reference.reader)
    return {key: tuple(sorted(names)) for key, names in sorted(readers.items())}


def _vault_secret(application: RenderedApplication, manifest: Manifest) -> VaultSecret:
    spec = manifest.get("spec") or {}
    return VaultSecret(
        path=str(spec.get("path")),
        namespace=_namespace(application, manifest),
        name=manifest["metadata"]["name"],
        keys=tuple(_required_keys(spec)),
        renamed=bool(spec.get("templates")),
        reader=_reader(application, manifest),
    )


def _namespace(application: RenderedApplication, manifest: Manifest) -> str:
    return str(manifest["metadata"].get("namespace") or application.namespace)


def _reader(application: RenderedApplication, manifest: Manifest) -> str:
    return f"{application.name}: {manifest['kind']}/{manifest['metadata']['name']}"


def _required_keys(spec: Manifest) -> Iterator[str]:
    """Yield the keys in Vault that a VaultSecret requires to create its Secret."""
    templates = spec.get("templates") or {}
    for template in templates.values():
        for quoted, plain in _TEMPLATE_KEY.findall(template):
            yield quoted or plain
    if not templates:
        yield from spec.get("keys") or ()
        yield from _TYPED_KEYS.get(spec.get("type", ""), ())


def _references(node: Any, parent: str = "") -> Iterator[tuple[str, str]]:
    """Yield the references to keys of Secrets in a manifest, as pairs of the Secret's name and the key.

    To include custom resources, such as cert-manager's ``secretAccessKeySecretRef``, any mapping with a name and a key
    counts as a reference, unless it refers to a ConfigMap.
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
    """Yield the keys that containers mount with ``subPath`` from a volume with all keys of a Secret."""
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
    """Return the mappings in a list; empty for other types, which custom resources may have under the same name."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []

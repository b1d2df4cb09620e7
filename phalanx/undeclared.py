"""Keys that applications read and that no secrets.yaml declares.

An application reads Vault through VaultSecrets (https://github.com/ricoberger/vault-secrets-operator), each of which
makes a Kubernetes Secret of one secret in Vault; its pods then read keys of that Secret. Phalanx does not check that
these keys are declared, and some are not, such as the S3 keys of tap: a pod that reads one does not start.
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
"""Credentials for container registries, which belong to the environment and so to no secrets.yaml."""

_TYPED_KEYS = {
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
"""Keys that Kubernetes requires in a Secret of a type."""

_TEMPLATE_KEY = re.compile(r"""index \.Secrets "([^"]+)"|\.Secrets\.([A-Za-z_]\w*)""")
"""Keys that a template of a VaultSecret names, in either of the two ways of Go templates."""


@dataclass(frozen=True, kw_only=True)
class VaultSecret:
    """What makes a Secret of a secret in Vault."""

    path: str
    """Path of the secret in Vault, which ends with the name of the application that it belongs to."""
    namespace: str
    name: str
    """Name of the Secret."""
    keys: tuple[str, ...]
    """Keys in Vault without which it cannot make the Secret."""
    renamed: bool
    """Whether the keys of the Secret are others than in Vault."""
    reader: str


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What reads a key of a Secret."""

    namespace: str
    secret: str
    key: str
    reader: str
    """``<application>: <kind>/<name>``."""


@dataclass(frozen=True, kw_only=True)
class Uses:
    """How an application uses Secrets, as its manifests say."""

    vault_secrets: tuple[VaultSecret, ...]
    references: tuple[Reference, ...]


_USES: Final = TypeAdapter(Uses)


def uses_of_all(
    root: Path, manifests: Iterable[Manifest], overrides: Mapping[str, Mapping[str, Any]] | None = None
) -> list[Uses]:
    """Find the uses of Secrets by every Application among some manifests.

    Each is rendered only if its chart, its values or Helm are others than in an earlier run: of a large environment
    that takes seconds of every processor.

    Args:
        root: Directory of the checkout.
        manifests: What `phalanx.render.applications` gives.
        overrides: Helm values by application, over those of the checkout.

    Raises:
        RenderError: Helm is missing or refuses a chart.
    """

    def of_one(manifest: Manifest) -> Uses:
        given = (root, manifest, (overrides or {}).get(manifest["metadata"]["name"]))
        return cache.remembered(_USES, charts.made_from(*given), lambda: uses(charts.render(*given)))

    with ThreadPoolExecutor() as pool:
        return list(pool.map(of_one, [manifest for manifest in manifests if manifest.get("kind") == "Application"]))


def uses(application: RenderedApplication) -> Uses:
    """Find all uses of Secrets in the manifests of an application."""
    foreign = {"kind": "values", "metadata": {"name": application.name}, "values": application.foreign_values}
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
            for manifest in (*application.manifests, foreign)
            for name, key in _references(manifest)
        ),
    )


def find(
    applications: Iterable[Uses], vault_path_prefix: str, declared: Collection[SecretKey]
) -> dict[SecretKey, tuple[str, ...]]:
    """Find the undeclared keys, and what reads each.

    Keys that may be missing (``optional: true``) are left out, as is the pull secret.

    Args:
        applications: Uses by the applications of an environment, all of them: Secrets are shared in a namespace.
        vault_path_prefix: Mount and path under which the environment's secrets are.
        declared: Keys that are planned, for example a `phalanx.secrets.Plan`.

    Returns:
        By key, in alphabetical order: its readers, as ``<application>: <kind>/<name>``.
    """
    found = reads(applications, vault_path_prefix)
    return {at: readers for at, readers in sorted(found.items()) if at not in declared and at != PULL_SECRET}


def reads(applications: Iterable[Uses], vault_path_prefix: str) -> dict[SecretKey, tuple[str, ...]]:
    """Find every key that applications read from Vault, and what reads it; arguments and result as for `find`."""
    applications = list(applications)
    readers: defaultdict[SecretKey, set[str]] = defaultdict(set)
    secrets: dict[tuple[str, str], str] = {}
    """Vault's application of each Secret, by its namespace and name, whose keys are those in Vault."""
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
        keys=tuple(_needed_by_vault_secret(spec)),
        renamed=bool(spec.get("templates")),
        reader=_reader(application, manifest),
    )


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

"""Uses of Secrets, volumes and custom resources in the rendered manifests of applications.

An application reads Vault through VaultSecret resources (https://github.com/ricoberger/vault-secrets-operator). Each of
them creates a Kubernetes Secret from one secret in Vault, of which pods read keys.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from phalanx import cache, charts, claims, custom_resources, documents
from phalanx.charts import Manifest, RenderedApplication
from phalanx.claims import Claim
from phalanx.custom_resources import CustomResource
from phalanx.errors import PhalanxError, Problems, RenderError

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
class SecretMount:
    """A pod's use of all keys of a Secret, without which it does not start."""

    namespace: str
    secret: str
    reader: str
    """``<application>: <kind>/<name>``."""


@dataclass(frozen=True, kw_only=True)
class Uses:
    """Uses of Secrets, of volumes, and of other applications' kinds, in the manifests of an application."""

    vault_secrets: tuple[VaultSecret, ...]
    references: tuple[Reference, ...]
    mounts: tuple[SecretMount, ...] = ()
    custom_resources: tuple[CustomResource, ...] = ()
    """Resources whose kinds another application defines."""
    claims: tuple[Claim, ...] = ()


_MAX_PROCESSES = 4
"""Maximum number of Helm processes at a time; one takes up to 80 MB."""

_USES: Final = TypeAdapter(Uses)


def find_all(
    root: Path,
    manifests: Iterable[Manifest],
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    roots: Mapping[str, Path] | None = None,
) -> list[Uses]:
    """Find the uses by all Applications among some manifests.

    An Application is rendered only if its chart, its values or Helm have changed since an earlier run, as rendering all
    applications of a large environment takes several seconds.

    Args:
        root: Directory of the checkout.
        manifests: Manifests from `phalanx.render.applications`.
        overrides: Helm values that override those of the checkout, by application.
        roots: Directories of the checkouts of applications that are deployed from another revision, by application.

    Raises:
        PhalanxError: Helm is missing, or a chart is rejected; the problems of all charts are reported together.
    """
    problems = Problems()

    def uses_of(manifest: Manifest) -> Uses | None:
        name = manifest["metadata"]["name"]
        arguments = ((roots or {}).get(name, root), manifest, (overrides or {}).get(name))
        with problems.collected():
            return cache.cached(_USES, charts.cache_key(*arguments), lambda: find(charts.render(*arguments)))
        return None

    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_PROCESSES)) as pool:
        found = pool.map(uses_of, [manifest for manifest in manifests if manifest.get("kind") == "Application"])
        result = [each for each in found if each]
    problems.report(RenderError)
    return result


def find(application: RenderedApplication) -> Uses:
    """Find all uses in the manifests of an application.

    Raises:
        RenderError: A manifest is nested too deep.
    """
    external = {"kind": "values", "metadata": {"name": application.name}, "values": application.external_values}
    try:
        return Uses(
            vault_secrets=tuple(
                _vault_secret(application, manifest)
                for manifest in application.manifests
                if manifest["kind"] == "VaultSecret"
            ),
            references=tuple(
                Reference(
                    namespace=_namespace(application, manifest),
                    secret=name,
                    key=key,
                    reader=_reader(application, manifest),
                )
                for manifest in (*application.manifests, external)
                for name, key in (*_references(manifest), *_configured_references(manifest))
            ),
            mounts=tuple(
                SecretMount(
                    namespace=_namespace(application, manifest), secret=name, reader=_reader(application, manifest)
                )
                for manifest in application.manifests
                for name in _mounts(manifest)
            ),
            custom_resources=tuple(custom_resources.find(application.name, application.manifests)),
            claims=tuple(claims.find(application)),
        )
    except RecursionError:
        raise RenderError(f"{application.name}: the chart renders to a manifest that is nested too deep") from None


def _vault_secret(application: RenderedApplication, manifest: Manifest) -> VaultSecret:
    spec = _mapping(manifest.get("spec"))
    return VaultSecret(
        path=str(spec.get("path")),
        namespace=_namespace(application, manifest),
        name=_name(manifest),
        keys=tuple(_required_keys(spec)),
        renamed=bool(spec.get("templates")),
        reader=_reader(application, manifest),
    )


def _namespace(application: RenderedApplication, manifest: Manifest) -> str:
    return str(manifest["metadata"].get("namespace") or application.namespace)


def _reader(application: RenderedApplication, manifest: Manifest) -> str:
    return f"{application.name}: {manifest['kind']}/{_name(manifest)}"


def _name(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    return str(metadata.get("name") or metadata.get("generateName"))


def _required_keys(spec: Manifest) -> Iterator[str]:
    """Yield the keys in Vault that a VaultSecret requires to create its Secret."""
    templates = _mapping(spec.get("templates"))
    for template in templates.values():
        for quoted, plain in _TEMPLATE_KEY.findall(str(template)):
            yield quoted or plain
    if not templates:
        keys = spec.get("keys")
        yield from (key for key in (keys if isinstance(keys, list) else ()) if isinstance(key, str))
        yield from _TYPED_KEYS.get(str(spec.get("type")), ())


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
        yield from ((name, item["key"]) for item in _mappings(node["items"]) if isinstance(item.get("key"), str))
    yield from _mounted_keys(node)
    for child, value in node.items():
        yield from _references(value, str(child))


def _configured_references(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield the references to keys of Secrets in the text of a ConfigMap.

    Nublado's controller finds there which keys the labs get (``lab.secrets``), as ``secretName`` and ``secretKey``.
    """
    if manifest["kind"] != "ConfigMap":
        return
    for text in _mapping(manifest.get("data")).values():
        if isinstance(text, str) and "secretKey" in text:
            # It need not be YAML.
            with suppress(PhalanxError):
                yield from _named_keys(documents.parse(text, ""))


def _named_keys(node: Any) -> Iterator[tuple[str, str]]:
    match node:
        case {"secretName": str(name), "secretKey": str(key)}:
            yield name, key
        case Mapping():
            for value in node.values():
                yield from _named_keys(value)
        case list():
            for value in node:
                yield from _named_keys(value)


def _mounts(node: Any) -> Iterator[str]:
    """Yield the names of the Secrets of which pods need all keys, as a volume or as environment variables."""
    if isinstance(node, list):
        for item in node:
            yield from _mounts(item)
    if isinstance(node, Mapping):
        for volume in _mappings(node.get("volumes")):
            yield from _needed(volume.get("secret"), "secretName")
            for source in _mappings(_mapping(volume.get("projected")).get("sources")):
                yield from _needed(source.get("secret"), "name")
        for source in _mappings(node.get("envFrom")):
            yield from _needed(source.get("secretRef"), "name")
        for value in node.values():
            yield from _mounts(value)


def _needed(reference: Any, key: str) -> Iterator[str]:
    if isinstance(reference, Mapping) and isinstance(reference.get(key), str) and reference.get("optional") is not True:
        yield reference[key]


def _mounted_keys(pod: Manifest) -> Iterator[tuple[str, str]]:
    """Yield the keys that containers mount with ``subPath`` from a volume with all keys of a Secret."""
    secrets = {
        str(volume.get("name")): secret["secretName"]
        for volume in _mappings(pod.get("volumes"))
        for secret in _mappings([volume.get("secret")])
        if isinstance(secret.get("secretName"), str) and not secret.get("items") and not secret.get("optional")
    }
    if secrets:
        for container in (*_mappings(pod.get("initContainers")), *_mappings(pod.get("containers"))):
            for mount in _mappings(container.get("volumeMounts")):
                if isinstance(mount.get("subPath"), str) and mount.get("name") in secrets:
                    yield secrets[str(mount["name"])], mount["subPath"]


def _mappings(value: Any) -> list[Manifest]:
    """Return the mappings in a list; empty for other types, which custom resources may have under the same name."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _mapping(value: Any) -> Manifest:
    """Return a mapping; an empty one for other types."""
    return value if isinstance(value, Mapping) else {}

"""Simulates vault-secrets-operator (ricoberger, v1.28): creates a Secret for each VaultSecret by the operator's rules.

It uses nothing but the environment and the service account of the operator's Pod. The operator watches VaultSecrets,
which the simulation polls; both read Vault again after VAULT_RECONCILIATION_TIME. The `pki` engine, Vault's Kubernetes
auth method and Vault Enterprise's namespaces are not supported.
"""

import base64
import logging
import math
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sandbox.cluster.directory import ClusterDirectory
from sandbox.cluster.kube import Kube, KubeError, Object
from sandbox.cluster.vault_reader import ReadError, VaultReader
from sandbox.cluster.vault_templates import TemplateError, render

INTERVAL_SECONDS: Final = 3
RESTART_SECONDS: Final = 10
"""Time until a kubelet starts a container again that has ended."""
GROUP: Final = "ricoberger.de"
CONDITION: Final = "SecretCreated"
FINALIZER: Final = "vaultsecrets.ricoberger.de/finalizer"
"""Prevents the deletion of a VaultSecret until the operator removes the finalizer."""

_log = logging.getLogger(__name__)


def run(directory: ClusterDirectory) -> None:  # noqa: ARG001 -- signature of all commands; the Pod has no such files
    """Reconcile in a loop with the credentials in the environment."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    operator = Operator(logged_in(os.environ), float(os.environ.get("VAULT_RECONCILIATION_TIME") or 0))
    while True:
        try:
            # Created again as its token is replaced before it expires.
            operator.run_once(Kube(Path(os.environ["KUBECONFIG"])))
        except KubeError as error:
            _log.warning("%s", error)
        time.sleep(INTERVAL_SECONDS)


def logged_in(environment: Mapping[str, str]) -> VaultReader:
    """Return a reader with a token; the operator's process ends without one, and its kubelet starts it again."""
    vault = VaultReader(environment)
    while True:
        try:
            vault.authenticate()
        except ReadError as error:
            _log.warning("cannot log in to Vault: %s", error)
            time.sleep(RESTART_SECONDS)
        else:
            return vault


class Operator:
    """Reconciles a VaultSecret when its generation has changed or its Secret is missing, and again after a time.

    Args:
        vault: Client for Vault.
        again_after: Seconds after which a VaultSecret is reconciled again; 0 for never.
    """

    def __init__(self, vault: VaultReader, again_after: float) -> None:
        self._vault = vault
        self._again_after = again_after or math.inf
        self._done: dict[tuple[str, int], float] = {}
        """Time of success by UID and generation."""

    def run_once(self, kube: Kube) -> None:
        """Reconcile the VaultSecrets that are due, among them all that have failed."""
        for each in kube.list(f"/apis/{GROUP}/v1alpha1/vaultsecrets"):
            metadata = each["metadata"]
            key = metadata["uid"], metadata["generation"]
            recent = key in self._done and time.monotonic() < self._done[key] + self._again_after
            if recent and kube.get(f"{_secrets(metadata['namespace'])}/{metadata['name']}"):
                continue
            if reconcile(kube, self._vault, each):
                self._done[key] = time.monotonic()


def reconcile(kube: Kube, vault: VaultReader, vault_secret: Object) -> bool:
    """Create or update the Secret of one VaultSecret, write the result to its status, and return whether it exists."""
    finalizers = vault_secret["metadata"].get("finalizers", [])
    if "deletionTimestamp" in vault_secret["metadata"]:
        if FINALIZER in finalizers:
            _set_finalizers(kube, vault_secret, [each for each in finalizers if each != FINALIZER])
        return False
    if FINALIZER not in finalizers:
        _set_finalizers(kube, vault_secret, [*finalizers, FINALIZER])
    try:
        data = _read(vault, vault_secret["spec"])
    except ReadError as error:
        _set_condition(kube, vault_secret, "FetchFailed", str(error), ok=False)
        return False
    try:
        wanted = secret_of(vault_secret, data)
    except TemplateError as error:
        _set_condition(kube, vault_secret, "CreateFailed", f"Template ERROR: {error}", ok=False)
        return False
    return _write(kube, vault_secret, wanted)


def _read(vault: VaultReader, spec: Object) -> dict[str, bytes]:
    """Return the content of the VaultSecret's paths; for duplicate keys, the first path wins."""
    data: dict[str, bytes] = {}
    for path in [*filter(None, [spec.get("path")]), *spec.get("paths", [])]:
        found = vault.read(
            path, keys=spec.get("keys", ()), version=spec.get("version", 0), is_binary=spec.get("isBinary", False)
        )
        data = {**found, **data}
    return data


def secret_of(vault_secret: Object, data: dict[str, bytes]) -> Object:
    """Return the Secret of a VaultSecret, with its name, labels and annotations, and owned by it.

    Args:
        vault_secret: VaultSecret.
        data: Content from Vault, which is the input of the VaultSecret's templates if it has any.

    Raises:
        TemplateError: A template cannot be rendered.
    """
    metadata, spec = vault_secret["metadata"], vault_secret["spec"]
    if templates := spec.get("templates"):
        texts = {key: value.decode(errors="surrogateescape") for key, value in data.items()}
        data = {key: render(each, texts).encode(errors="surrogateescape") for key, each in templates.items()}
    owner = {
        "apiVersion": vault_secret.get("apiVersion", f"{GROUP}/v1alpha1"),
        "kind": "VaultSecret",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "labels": dict(metadata.get("labels", {})),
            "annotations": dict(metadata.get("annotations", {})),
            "ownerReferences": [owner],
        },
        "type": spec.get("type", "Opaque"),
        "data": {key: base64.b64encode(value).decode() for key, value in sorted(data.items())},
    }


def _write(kube: Kube, vault_secret: Object, wanted: Object) -> bool:
    collection = _secrets(wanted["metadata"]["namespace"])
    path = f"{collection}/{wanted['metadata']['name']}"
    found = kube.get(path)
    if found is None:
        outcome, failure = "Created", "CreateFailed"
    else:
        outcome, failure = "Updated", "UpdateFailed"
        if vault_secret["spec"].get("reconcileStrategy") == "Merge":
            failure = "MergeFailed"
            wanted["data"] = {**found.get("data", {}), **wanted["data"]}
        if same(found, wanted) and _condition(vault_secret).get("status") == "True":
            return True
    try:
        if found is None:
            kube.create(collection, wanted)
        elif not same(found, wanted):
            kube.replace(path, wanted)
    except KubeError as error:
        _set_condition(kube, vault_secret, failure, str(error), ok=False)
        return False
    _set_condition(kube, vault_secret, outcome, f"Secret was {outcome.lower()}", ok=True)
    return True


def same(found: Object, wanted: Object) -> bool:
    """Return whether a Secret is as wanted."""
    return all(
        found["metadata"].get(field, {}) == wanted["metadata"][field]
        for field in ("labels", "annotations", "ownerReferences")
    ) and (found.get("type"), found.get("data", {})) == (wanted["type"], wanted["data"])


def _condition(vault_secret: Object) -> Object:
    conditions = vault_secret.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == CONDITION), {})


def _set_condition(kube: Kube, vault_secret: Object, reason: str, message: str, *, ok: bool) -> None:
    metadata, status = vault_secret["metadata"], "True" if ok else "False"
    old = _condition(vault_secret)
    if (old.get("status"), old.get("reason"), old.get("message")) == (status, reason, message):
        return
    changed = old.get("status") != status
    condition = {
        "type": CONDITION,
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": metadata.get("generation", 0),
        "lastTransitionTime": _now() if changed else old["lastTransitionTime"],
    }
    _log.info("%s/%s: %s: %s", metadata["namespace"], metadata["name"], reason, message)
    kube.merge(f"{_path(vault_secret)}/status", {"status": {"conditions": [condition]}})


def _set_finalizers(kube: Kube, vault_secret: Object, finalizers: list[str]) -> None:
    kube.merge(_path(vault_secret), {"metadata": {"finalizers": finalizers}})


def _secrets(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/secrets"


def _path(vault_secret: Object) -> str:
    metadata = vault_secret["metadata"]
    return f"/apis/{GROUP}/v1alpha1/namespaces/{metadata['namespace']}/vaultsecrets/{metadata['name']}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

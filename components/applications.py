import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.core.v1 import Namespace
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.argocd import ARGOCD
from components.argoproj import Application, ApplicationPatch
from components.cluster_services import OPERATOR
from components.waiting import wait
from config.applications import SyncMode
from phalanx.charts import Manifest
from phalanx.manifests import Manifests
from phalanx.source import BOOTSTRAPPED
from phalanx.values import merge
from wiring.facts import Facts, helm_values

ORDER: Sequence[frozenset[str]] = (
    frozenset({ARGOCD}),
    frozenset({OPERATOR, "ingress-nginx", "cert-manager", "postgres"}),
    frozenset({"gafaelfawr"}),
)
"""The applications that others need, in the order of Phalanx's installer (src/phalanx/services/environment.py). Each
stage waits for the one before it; all other applications are deployed side by side after the last."""

_COMMIT = re.compile(r"[0-9a-f]{40}")
_RETRY = {"limit": 5, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "3m"}}
"""A first sync fails while a kind is missing that another application brings: the next attempt finds it."""

_INITIATOR = "pulumi"
"""Who Argo CD says asked for a first sync. An automated sync that went well before is none."""

_TAKE_OVER = {"pulumi.com/patchForce": "true"}
"""After ``manual`` the conditions to wait for belong to the patch of the first sync, which is deleted last."""


@dataclass(frozen=True, kw_only=True)
class ApplicationsArgs:
    """What ``Applications`` is made from."""

    manifests: Manifests
    """The namespaces and Applications as Phalanx renders them."""
    values: Mapping[str, Mapping[str, Any]]
    """By application, its merged Helm values."""
    configured: Mapping[str, Mapping[str, Any]]
    """By application, those of them that the configuration gives."""
    facts: Facts[pulumi.Input[str]]
    """What the infrastructure tells the applications."""
    sync: SyncMode
    """When Argo CD applies a change."""
    timeout: int
    """Seconds to wait until an application is synced and healthy."""


class Applications(pulumi.ComponentResource):
    """One Argo CD Application for each application of the environment, told the facts and deployed in order."""

    revisions: pulumi.Output[Mapping[str, str]]
    """By application, the revision of the Phalanx repository that it is deployed from."""
    deployed: Mapping[str, pulumi.Resource]
    """By application, what those that need it wait for."""

    def __init__(self, name: str, args: ApplicationsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:Applications", name, {}, opts)
        self._name = name
        self._args = args
        self._child = ResourceOptions(parent=self)
        self._awaited = ResourceOptions.merge(self._child, wait(args.timeout))
        self._namespaces = {
            namespace: Namespace(
                f"{name}-{namespace}-namespace",
                metadata=ObjectMetaArgs(**args.manifests.namespace_metadata(namespace)),
                opts=self._child,
            )
            for namespace in args.manifests.namespaces
            if namespace not in BOOTSTRAPPED
        }

        applications = args.manifests.applications
        before: list[pulumi.Resource] = []
        deployed: dict[str, pulumi.Resource] = {}
        for stage in _stages(applications):
            made = {each: self._deploy(each, applications[each], before) for each in stage}
            before = list(made.values())
            deployed.update(made)
        self.deployed = deployed
        self.revisions = pulumi.Output.from_input(
            {each: manifest["spec"]["source"]["targetRevision"] for each, manifest in sorted(applications.items())},
        )
        self.register_outputs({"revisions": self.revisions})

    def _deploy(self, application: str, manifest: Manifest, before: Sequence[pulumi.Resource]) -> pulumi.Resource:
        """Make the Application, and return what those that need it have to wait for."""
        source = manifest["spec"]["source"]
        conditions = _conditions(application, source["targetRevision"])
        facts = helm_values(application, self._args.facts, self._args.values.get(application, {}))
        told = merge(self._args.configured.get(application, {}), facts)
        if told:
            values, facts_hash = _values_with_facts(source, told)
            source = merge(source, {"helm": {"valuesObject": values}})
            path = "{.status.sync.comparedTo.source.helm.valuesObject.global.factsHash}"
            conditions.append(pulumi.Output.concat("jsonpath=", path, "=", facts_hash))
        namespace = self._namespaces.get(manifest["spec"]["destination"]["namespace"])
        manual = self._args.sync is SyncMode.MANUAL
        awaited = {"pulumi.com/skipAwait": "true"} if manual else {**_awaiting(conditions), **_TAKE_OVER}
        made = Application(
            f"{self._name}-{application}",
            metadata=_metadata(application, manifest["metadata"], awaited),
            spec=self._spec(manifest, source),
            opts=ResourceOptions.merge(
                self._awaited,
                ResourceOptions(depends_on=[*before, *([namespace] if namespace else [])]),
            ),
        )
        return self._first_sync(manifest, made) if manual else made

    def _first_sync(self, manifest: Manifest, made: Application) -> ApplicationPatch:
        """Sync an Application once, at its creation."""
        application = manifest["metadata"]["name"]
        metadata = {"name": application, "namespace": ARGOCD}
        # Argo CD itself takes the options of the policy for automated syncs only.
        options = manifest["spec"].get("syncPolicy", {}).get("syncOptions")
        ours = "jsonpath={.status.operationState.operation.initiatedBy.username}"
        succeeded = [
            f"{ours}={_INITIATOR}",
            "jsonpath={.status.operationState.phase}=Succeeded",
            *_healthy(application),
        ]
        return ApplicationPatch(
            f"{self._name}-{application}-first-sync",
            metadata={**metadata, "annotations": _awaiting(succeeded)},
            operation={
                "initiatedBy": {"username": _INITIATOR},
                "sync": {"syncOptions": options} if options else {},
                "retry": _RETRY,
            },
            opts=ResourceOptions.merge(
                self._awaited,
                ResourceOptions(
                    depends_on=[made],
                    deleted_with=made,
                    # Argo CD takes it out of the object when it is done: that is no drift.
                    ignore_changes=["operation"],
                ),
            ),
        )

    def _spec(self, manifest: Manifest, source: Mapping[str, Any]) -> dict[str, Any]:
        spec = {**manifest["spec"], "source": source}
        policy = spec.pop("syncPolicy", {})
        if self._args.sync is not SyncMode.MANUAL:
            # Without pruning an application from which upstream removes anything stays out of sync for ever.
            policy = merge(policy, {"automated": {"prune": True}, "retry": _RETRY})
        # The API server refuses a mapping that an update empties: it takes what is left for null.
        return {**spec, "syncPolicy": policy} if policy else spec


def _stages(applications: Iterable[str]) -> list[list[str]]:
    """Sort applications into the stages of ``ORDER``, the rest last; a stage without any is left out."""
    names = frozenset(applications)
    stages = [names & stage for stage in ORDER] + [names.difference(*ORDER)]
    return [sorted(stage) for stage in stages if stage]


def _awaiting(conditions: Sequence[pulumi.Input[str]]) -> dict[str, pulumi.Input[str]]:
    return {"pulumi.com/waitFor": pulumi.Output.json_dumps(conditions)}


def _metadata(
    application: str,
    metadata: Mapping[str, Any],
    annotations: Mapping[str, pulumi.Input[str]],
) -> dict[str, Any]:
    kept = dict(metadata)
    if application in BOOTSTRAPPED:
        # Its finalizer would have Argo CD delete what the release made, Argo CD itself included: the end of the release
        # is the end of these.
        kept.pop("finalizers", None)
    return {**kept, "annotations": {**metadata.get("annotations", {}), **annotations}}


def _conditions(application: str, revision: str) -> list[pulumi.Input[str]]:
    """What must hold before the applications that need this one are deployed (``pulumi.com/waitFor``).

    Revision and facts are among them, as an old Synced and Healthy stands for a moment after a change.
    """
    pinned = [f"jsonpath={{.status.sync.revision}}={revision}"] if _COMMIT.fullmatch(revision) else []
    return [*pinned, "jsonpath={.status.sync.status}=Synced", *_healthy(application)]


def _healthy(application: str) -> list[str]:
    # Argo CD's own Ingress gets its address from ingress-nginx, which is deployed after it.
    return [] if application == ARGOCD else ["jsonpath={.status.health.status}=Healthy"]


def _values_with_facts(
    source: Mapping[str, Any], facts: Mapping[str, Any]
) -> tuple[dict[str, Any], pulumi.Output[str]]:
    """The Application's own values with the facts over them, and a hash by which Argo CD's answer is recognised."""
    facts_hash = pulumi.Output.json_dumps(facts, sort_keys=True).apply(
        lambda text: hashlib.sha256(text.encode()).hexdigest()[:16],
    )
    own = source.get("helm", {}).get("valuesObject", {})
    return merge(merge(own, facts), {"global": {"factsHash": facts_hash}}), facts_hash

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import Namespace
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.argocd import ARGOCD
from components.argoproj import API_VERSION, ApplicationPatch
from components.timeouts import timeouts
from components.vault_secrets_operator import OPERATOR
from config.applications import SyncMode
from phalanx.charts import Manifest
from phalanx.git_addresses import is_commit
from phalanx.manifests import Manifests
from phalanx.source import BOOTSTRAPPED
from phalanx.values import merge
from wiring import schema_update
from wiring.facts import Facts, helm_values

ORDER: Sequence[frozenset[str]] = (
    frozenset({ARGOCD}),
    frozenset({OPERATOR, "ingress-nginx", "cert-manager", "postgres"}),
    frozenset({"gafaelfawr"}),
)
"""Stages of the applications that others depend on, in the order of Phalanx's installer
(src/phalanx/services/environment.py). Each stage waits for the previous one; all other applications are deployed in
parallel after the last stage. An application delays the next stage, unless it is not awaited, until it is synced and
healthy (Argo CD: synced)."""

_RETRY = {"limit": 5, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "3m"}}
"""Retries of a sync. The first attempt may fail because another application has not created a CustomResourceDefinition
yet."""

_INITIATOR = "pulumi"
"""User name of the initiator of a first sync, which distinguishes it from an automated sync."""

_TAKE_OVER = {"pulumi.com/patchForce": "true"}
"""After ``manual``, the patch of the first sync owns the annotation ``waitFor`` until the patch is deleted at the
end."""

_RETAINED = {**_TAKE_OVER, "pulumi.com/patchFieldManager": "pulumi-kubernetes-retained"}
"""Annotations of objects that may exist although they are not in the state. By default, the field manager of a resource
has a random name, and fields that a former manager has set would remain forever, even if the program no longer contains
them."""

_NOTHING = ("jsonpath={.metadata.uid}",)
"""Condition that every object meets, so that the annotation ``waitFor`` is set and owned as for all other objects."""


@dataclass(frozen=True, kw_only=True)
class ApplicationsArgs:
    """Arguments of `Applications`."""

    manifests: Manifests
    """Namespaces and Applications as rendered by Phalanx."""
    values: Mapping[str, Mapping[str, Any]]
    """Merged Helm values by application."""
    configured: Mapping[str, Mapping[str, Any]]
    """Helm values from the stack configuration, by application."""
    facts: Facts[pulumi.Input[str]] | None
    """Infrastructure facts for the applications; None if the repository has them."""
    first_installations: Mapping[str, pulumi.Input[bool]]
    """Whether an application is installed for the first time, by application; only of applications whose values depend
    on it and do not come from the repository alone."""
    checks: Mapping[str, pulumi.Output[Any]]
    """Outputs that fail if an application must not be deployed, by application."""
    sync: Mapping[str, SyncMode]
    """Sync mode by application."""
    not_awaited: Collection[str]
    """Applications that may remain unsynced or unhealthy."""
    timeout: int
    """Seconds to wait until an application is synced and healthy."""


class Applications(pulumi.ComponentResource):
    """One Argo CD Application per application of the environment, with the facts in its values, deployed in stages."""

    revisions: pulumi.Output[Mapping[str, str]]
    """Revision of the Phalanx repository, by application; resolves when all applications are deployed."""
    deployed: Mapping[str, pulumi.Resource]
    """Resource that dependent resources wait for, by application."""

    def __init__(self, name: str, args: ApplicationsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:Applications", name, None, opts)
        self._name = name
        self._args = args
        self._child = ResourceOptions(parent=self)
        self._awaited = ResourceOptions.merge(self._child, timeouts(args.timeout))
        self._namespaces = {
            namespace: Namespace(
                f"{name}-{namespace}-namespace",
                metadata=_namespace_metadata(args.manifests, namespace),
                # A deleted namespace takes the claims of its StatefulSets along, which Argo CD leaves alone.
                opts=ResourceOptions.merge(self._child, ResourceOptions(retain_on_delete=True)),
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
        revisions = {each: made["spec"]["source"]["targetRevision"] for each, made in sorted(applications.items())}
        # Without one of the resources, there is no such output: the engine keeps those of the last complete run.
        self.revisions = pulumi.Output.all(*(each.urn for each in deployed.values())).apply(lambda _: revisions)
        self.register_outputs({"revisions": self.revisions})

    def _deploy(self, application: str, manifest: Manifest, before: Sequence[pulumi.Resource]) -> pulumi.Resource:
        """Create the Application, and return the resource that dependent resources wait for."""
        source = manifest["spec"]["source"]
        conditions = _conditions(application, source)
        overrides = self._overrides(application)
        if overrides:
            values, facts_hash = _values_with_facts(source, overrides)
            source = merge(source, {"helm": {"valuesObject": values}})
            path = "{.status.sync.comparedTo.source.helm.valuesObject.global.factsHash}"
            conditions.append(pulumi.Output.concat("jsonpath=", path, "=", facts_hash))
        namespace = self._namespaces.get(manifest["spec"]["destination"]["namespace"])
        manual = self._args.sync[application] is SyncMode.MANUAL
        if application in self._args.not_awaited:
            conditions = [*_NOTHING]
        awaited: Mapping[str, pulumi.Input[str]]
        awaited = {"pulumi.com/skipAwait": "true"} if manual else {**_awaiting(conditions), **_TAKE_OVER}
        if application in self._args.checks:
            awaited = {key: _once(self._args.checks[application], value) for key, value in awaited.items()}
        made = CustomResource(
            f"{self._name}-{application}",
            api_version=API_VERSION,
            kind="Application",
            metadata=_metadata(application, manifest["metadata"], awaited),
            spec=self._spec(manifest, source),
            opts=ResourceOptions.merge(
                self._awaited,
                ResourceOptions(depends_on=[*before, *([namespace] if namespace else [])]),
            ),
        )
        return self._first_sync(manifest, made) if manual else made

    def _overrides(self, application: str) -> dict[str, Any]:
        """Return the Helm values that override those of the repository."""
        configured = self._args.configured.get(application, {})
        if not self._args.facts:
            return dict(configured)
        wired = helm_values(application, self._args.facts, self._args.values.get(application, {}))
        if application in self._args.first_installations:
            wired = merge(wired, schema_update.helm_values(self._args.first_installations[application]))
        return merge(configured, wired)

    def _first_sync(self, manifest: Manifest, made: CustomResource) -> ApplicationPatch:
        """Sync an Application once, when it is created."""
        application = manifest["metadata"]["name"]
        metadata = {"name": application, "namespace": ARGOCD}
        # Argo CD applies the sync options of the policy to automated syncs only.
        options = manifest["spec"].get("syncPolicy", {}).get("syncOptions")
        ours = "jsonpath={.status.operationState.operation.initiatedBy.username}"
        succeeded: Sequence[str] = [
            f"{ours}={_INITIATOR}",
            "jsonpath={.status.operationState.phase}=Succeeded",
            *_healthy(application),
        ]
        if application in self._args.not_awaited:
            succeeded = _NOTHING
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
                    # Argo CD removes the operation when it has completed: that is no drift.
                    ignore_changes=["operation"],
                ),
            ),
        )

    def _spec(self, manifest: Manifest, source: Mapping[str, Any]) -> dict[str, Any]:
        spec = {**manifest["spec"], "source": source}
        policy = spec.pop("syncPolicy", {})
        if self._args.sync[manifest["metadata"]["name"]] is not SyncMode.MANUAL:
            # Without pruning, an application stays out of sync once an object is removed upstream.
            policy = merge(policy, {"automated": {"prune": True}, "retry": _RETRY})
        # The API server refuses an update that empties a mapping: the remaining value is null.
        return {**spec, "syncPolicy": policy} if policy else spec


def _namespace_metadata(manifests: Manifests, namespace: str) -> ObjectMetaArgs:
    metadata = manifests.namespace_metadata(namespace)
    return ObjectMetaArgs(**{**metadata, "annotations": {**metadata.get("annotations", {}), **_RETAINED}})


def _stages(applications: Iterable[str]) -> list[list[str]]:
    """Sort applications into the stages of ``ORDER`` and a last stage; leave out empty stages."""
    names = frozenset(applications)
    stages = [names & stage for stage in ORDER] + [names.difference(*ORDER)]
    return [sorted(stage) for stage in stages if stage]


def _awaiting(conditions: Sequence[pulumi.Input[str]]) -> dict[str, pulumi.Input[str]]:
    return {"pulumi.com/waitFor": pulumi.Output.json_dumps(conditions)}


def _once(checked: pulumi.Output[Any], value: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return a value that fails if another one does, and with it the resource whose input it is."""
    return pulumi.Output.all(checked, value).apply(lambda both: str(both[1]))


def _metadata(
    application: str,
    metadata: Mapping[str, Any],
    annotations: Mapping[str, pulumi.Input[str]],
) -> dict[str, Any]:
    kept = dict(metadata)
    if application in BOOTSTRAPPED:
        # With a finalizer, Argo CD would delete the objects of the Helm release, Argo CD itself among them.
        kept.pop("finalizers", None)
    return {**kept, "annotations": {**metadata.get("annotations", {}), **annotations}}


def _conditions(application: str, source: Mapping[str, Any]) -> list[pulumi.Input[str]]:
    """Return the conditions for the deployment of dependent applications (``pulumi.com/waitFor``).

    They include repository, revision and facts, because the statuses Synced and Healthy from before a change remain for
    a moment.
    """
    repository, revision = source["repoURL"], source["targetRevision"]
    compared = [f"jsonpath={{.status.sync.comparedTo.source.repoURL}}={repository}"]
    pinned = [f"jsonpath={{.status.sync.revision}}={revision}"] if is_commit(revision) else []
    return [*compared, *pinned, "jsonpath={.status.sync.status}=Synced", *_healthy(application)]


def _healthy(application: str) -> list[str]:
    # Argo CD's Ingress gets its address from ingress-nginx, which is deployed later.
    return [] if application == ARGOCD else ["jsonpath={.status.health.status}=Healthy"]


def _values_with_facts(
    source: Mapping[str, Any], facts: Mapping[str, Any]
) -> tuple[dict[str, Any], pulumi.Output[str]]:
    """Return the Application's values merged with the facts, and a hash of the facts for the wait condition."""
    facts_hash = pulumi.Output.json_dumps(facts, sort_keys=True).apply(
        lambda text: hashlib.sha256(text.encode()).hexdigest()[:16],
    )
    own = source.get("helm", {}).get("valuesObject", {})
    return merge(merge(own, facts), {"global": {"factsHash": facts_hash}}), facts_hash

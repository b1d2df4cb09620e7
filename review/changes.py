"""What a run changes, in the terms of the platform: applications, secrets, facts, outputs, and all other resources."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from review.run import Diagnostic, Run, Step
from review.values import Difference, at, differences

APPLICATION: Final = "kubernetes:argoproj.io/v1alpha1:Application"
VAULT_SECRET: Final = "vault:kv/secretV2:SecretV2"  # noqa: S105 - a type
GENERATED_SECRET: Final = "rsp:index:SecretStore$pulumi:index:Stash"  # noqa: S105 - a type with its parent's
ROTATIONS: Final = "secrets-rotation"
"""Name of the resource of that type with the requested rotations (components/generated_secrets.py)."""

LOST: Final = ("delete", "replace")
"""Operations that remove something from the cloud, unless it is retained."""

SECRETS_MESSAGE: Final = "Secrets in Vault under "
"""Beginning of the program's message with the names of changed secrets (program/secret_change_log.py)."""

_VALUES: Final = ("spec", "source", "helm", "valuesObject")
_FACTS_HASH: Final = "global.factsHash"
"""A value that follows from the others: components/applications.py."""
_COMMIT_OUTPUT: Final = "checkoutCommit"
_APPLICATIONS_OUTPUT: Final = "applications"
"""Output with the revisions of all applications, of which each change is listed anyway."""


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A resource that is deleted or replaced."""

    name: str
    type: str
    operation: str
    """``delete`` or ``replace``."""
    reasons: Sequence[str]
    """Paths of the properties that require the replacement; empty if the provider does not tell."""
    protected: bool
    """Whether Pulumi refuses the operation."""
    retained: bool
    """Whether the resource stays in the cloud."""


@dataclass(frozen=True, kw_only=True)
class Application:
    """A changed Argo CD Application."""

    name: str
    operation: str
    repository: str
    old: str
    """Current revision; empty for a new application."""
    new: str
    """New revision; empty for a deleted application."""
    values: Sequence[Difference]
    """Changed Helm values that are facts of the infrastructure, or are configured in the stack."""
    others: Sequence[str]
    """Other changed properties."""


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A secret that is written to Vault, or a value that is generated for one."""

    name: str
    generated: bool
    """Whether it is a generated value in the stack's state, instead of all keys of an application in Vault."""
    operation: str


@dataclass(frozen=True, kw_only=True)
class Resource:
    """Any other changed resource."""

    name: str
    type: str
    operation: str
    properties: Sequence[str]
    """Paths of changed properties; empty for a new resource, or if the provider does not tell."""
    failed: bool


@dataclass(frozen=True, kw_only=True)
class Changes:
    """All that a run changes. Values that are secret are replaced by `review.values.SECRET`."""

    stack: str
    preview: bool
    succeeded: bool
    counts: Mapping[str, int]
    """Number of changed resources by operation."""
    unchanged: int
    """Number of unchanged resources."""
    lost: Sequence[Loss]
    applications: Sequence[Application]
    secrets: Sequence[Secret]
    outputs: Sequence[Difference]
    others: Sequence[Resource]
    """Created, updated and imported resources that are neither an application nor a secret."""
    diagnostics: Sequence[Diagnostic]
    commit: str
    """Commit of the Phalanx repository from which this run was made; empty if it is not known."""

    def as_json(self) -> dict[str, Any]:
        """Return the changes as JSON values."""
        document = asdict(self)
        document["outputs"] = [each._asdict() for each in self.outputs]
        for application, each in zip(document["applications"], self.applications, strict=True):
            application["values"] = [value._asdict() for value in each.values]
        return document


def of_run(run: Run) -> Changes:
    """Sort the operations of a run by what they change."""
    applications = [each for each in run.steps if each.type == APPLICATION]
    secrets = [each for each in run.steps if each.type == VAULT_SECRET or _is_generated(each)]
    lost = [each for each in run.steps if each.operation in LOST]
    return Changes(
        stack=run.stack,
        preview=run.preview,
        succeeded=run.succeeded,
        counts={operation: count for operation, count in run.counts.items() if operation != "same" and count},
        unchanged=run.counts.get("same", 0),
        lost=[_loss(each) for each in lost],
        applications=sorted(map(_application, applications), key=lambda each: each.name),
        secrets=sorted(map(_secret, secrets), key=lambda each: (each.generated, each.name)),
        outputs=list(_outputs(run)),
        others=[_resource(each) for each in run.steps if each not in (*applications, *secrets, *lost)],
        diagnostics=run.diagnostics,
        commit=str(run.outputs.get(_COMMIT_OUTPUT) or "") if run.succeeded else "",
    )


def _loss(step: Step) -> Loss:
    return Loss(
        name=step.name,
        type=step.type,
        operation=step.operation,
        reasons=[change.path for change in step.changes if change.replaces],
        protected=step.protected,
        retained=step.retained,
    )


def _application(step: Step) -> Application:
    old, new = step.old, step.new
    present = new or old
    updated = bool(old and new)
    values = differences(at(old, *_VALUES) or {}, at(new, *_VALUES) or {}) if updated else ()
    return Application(
        name=str(at(present, "metadata", "name") or step.name),
        operation=step.operation,
        repository=str(at(present, "spec", "source", "repoURL") or ""),
        old=str(at(old, "spec", "source", "targetRevision") or ""),
        new=str(at(new, "spec", "source", "targetRevision") or ""),
        values=[each for each in values if each.path != _FACTS_HASH],
        others=list(_other_properties(old, new)) if updated else [],
    )


def _other_properties(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Yield the changed properties of an Application apart from its revision and values."""
    for each in differences(at(old, "spec") or {}, at(new, "spec") or {}, "spec"):
        if each.path != "spec.source.targetRevision" and not each.path.startswith(".".join(_VALUES)):
            yield each.path


def _is_generated(step: Step) -> bool:
    """Return whether a resource is a generated secret, as what is no secret is kept in the same type, too."""
    return f"::{GENERATED_SECRET}::" in step.urn and step.name != ROTATIONS


def _secret(step: Step) -> Secret:
    path = str(at(step.new or step.old, "name") or "")
    generated = _is_generated(step)
    return Secret(name=step.name if generated or not path else path, generated=generated, operation=step.operation)


def _outputs(run: Run) -> Iterator[Difference]:
    if run.succeeded:
        yield from differences(_without_applications(run.outputs_before), _without_applications(run.outputs))


def _without_applications(outputs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in outputs.items() if name != _APPLICATIONS_OUTPUT}


def _resource(step: Step) -> Resource:
    return Resource(
        name=step.name,
        type=step.type,
        operation=step.operation,
        properties=[change.path for change in step.changes],
        failed=step.failed,
    )

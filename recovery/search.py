"""Query the services for the results of a state's pending operations."""

import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from config.names import VAULT_PROJECT
from phalanx.errors import PhalanxError
from recovery import kubernetes
from recovery.document import UNREAD, Creation, Inputs, KnownInputs, State, UnknownInputError, provider_of
from recovery.finder import POLL, AmbiguousError, Finder, Found
from recovery.report import Item, Outcome
from recovery.services import SERVICES, repeatable, reported, service_of

ATTEMPTS = 4
"""Number of queries for a resource: a service may still be processing the request of the killed run."""

_ONLY_RECORD = "only Helm's record of the interrupted operation; the next run adopts its objects"

Progress = Callable[[str], None]


@dataclass
class Search:
    """A search for the results of the pending operations of one state."""

    state: State
    dry_run: bool
    progress: Progress
    attempts: int = ATTEMPTS
    recorded: list[dict[str, Any]] = field(default_factory=list)
    """Resources to add to the state."""
    changed: list[str] = field(default_factory=list)
    """URNs of resources that were being changed or deleted."""
    _clients: dict[str, Any] = field(default_factory=dict)

    def resolve_creation(self, creation: Creation) -> Item:
        """Resolve a pending creation: record its resource if it exists."""
        if (why := repeatable(creation.type)) is not None:
            return Item(creation.urn, Outcome.REPEATED, why)
        service = service_of(creation.type)
        finder = service.finder(creation.type) if service else None
        if service is None or finder is None:
            message = "check whether it exists; if so, remove it or bring it into the stack with `pulumi import`"
            return Item(creation.urn, Outcome.UNSUPPORTED, message)
        connect = service.connect
        return self._decide(
            creation.urn, lambda: self._resolve(creation, finder, self._client(creation.provider, connect))
        )

    def answers(self, provider: str) -> bool:
        """Return whether the API of a cluster answers, by the URN of its provider."""
        try:
            self._client(provider, SERVICES["kubernetes"].connect).get("/version")
        except PhalanxError:
            return False
        return True

    def resolve_unfinished(self, created: Creation, finder: Finder[Any], connect: Callable[[Inputs], Any]) -> Item:
        """Wait for a resource that a failed run did not see completed, and mark it for a refresh."""
        found = Found(str(created.resource["id"]))

        def resolve() -> Item:
            client = self._client(created.provider, connect)
            message = "" if self.dry_run else self._finish(created, found, finder, client)
            if message:
                return Item(created.urn, Outcome.FAILED, message, found.id)
            self.changed.append(created.urn)
            return Item(created.urn, Outcome.REFRESHED, "the run failed before its creation was completed", found.id)

        return self._decide(created.urn, resolve)

    def remove_helm_record(self, release: Creation, *, planned: bool = False) -> Item | None:
        """Remove Helm's record of a failed operation because of which it refuses the next one.

        Args:
            release: The release.
            planned: Whether it is not in the state: Helm then refuses to install it over a failed installation, too.

        Returns:
            The result, or None if there is no such record.
        """

        def resolve() -> Item:
            cluster = self._client(release.provider, kubernetes.connect)
            if not self._delete_helm_record(cluster, release.inputs, failed=planned):
                return Item(release.urn, Outcome.ABSENT)
            if not kubernetes.exists(cluster, release.inputs):
                self.changed.append(release.urn)  # the refresh removes it from the state
            return Item(release.urn, Outcome.REMOVED, _ONLY_RECORD)

        item = self._decide(release.urn, resolve)
        return None if item.outcome is Outcome.ABSENT else item

    def inspect_masked(self, planned: Creation, finder: Finder[Any], connect: Callable[[Inputs], Any]) -> Item:
        """Report a planned resource that exists but cannot be recorded, as some of its inputs are masked."""
        absent = Item(planned.urn, Outcome.ABSENT)

        def resolve() -> Item:
            readable = Creation(planned.resource, KnownInputs(planned.inputs))
            try:
                candidates = self._find(readable, finder, self._client(planned.provider, connect))
            except UnknownInputError:
                return absent
            if not candidates:
                return absent
            name, found = planned.urn.rpartition("::")[2], ", ".join(each.id for each in candidates)
            message = (
                f"it exists ({found}), but the preview masks some of its inputs: remove it, or bring it into the stack "
                f"with `pulumi import {planned.type} {name} {candidates[0].id}`"
            )
            return Item(planned.urn, Outcome.UNDECIDED, message)

        return self._decide(planned.urn, resolve)

    def resolve_change(self, operation: Mapping[str, Any]) -> Item:
        """Mark a resource that was being changed or deleted for a refresh.

        If it is a Helm release, also remove the record because of which Helm refuses further operations.
        """
        resource = operation["resource"]
        urn, message = str(resource["urn"]), f"interrupted while {operation['type']}"
        self.changed.append(urn)
        inputs = self.state.inputs(urn)
        if resource["type"] != kubernetes.RELEASE or inputs is None:
            return Item(urn, Outcome.REFRESHED, message)

        def release() -> Item:
            cluster = self._client(provider_of(resource), kubernetes.connect)
            removed = self._delete_helm_record(cluster, inputs)
            suffix = "; Helm's record of the interrupted operation is removed" if removed else ""
            return Item(urn, Outcome.REFRESHED, message + suffix)

        return self._decide(urn, release)

    def _decide(self, urn: str, resolve: Callable[[], Item]) -> Item:
        """Return the resolution of an operation; it is undecided if a service fails or a match is ambiguous."""
        try:
            with reported():
                return resolve()
        except (AmbiguousError, PhalanxError) as error:
            return Item(urn, Outcome.UNDECIDED, str(error))

    def _resolve(self, creation: Creation, finder: Finder[Any], client: Any) -> Item:
        candidates = self._find(creation, finder, client)
        if len(candidates) > 1:
            ids = ", ".join(each.id for each in candidates)
            return Item(
                creation.urn,
                Outcome.UNDECIDED,
                f"{len(candidates)} resources match and none is in the state: {ids}; remove the unwanted ones",
            )
        if not candidates:
            if creation.type == kubernetes.RELEASE and self._delete_helm_record(client, creation.inputs):
                return Item(creation.urn, Outcome.REMOVED, _ONLY_RECORD)
            return Item(creation.urn, Outcome.ABSENT, "the next run creates it")
        (found,) = candidates
        if found.difference:
            name = creation.urn.rpartition("::")[2]
            message = (
                f"it exists, but {found.difference}: remove it, or bring it into the stack with "
                f"`pulumi import {creation.type} {name} {found.id}`"
            )
            return Item(creation.urn, Outcome.UNDECIDED, message, found.id)
        if finder.discard is not None:
            if not self.dry_run:
                finder.discard(client, found, creation.inputs)
            return Item(creation.urn, Outcome.REMOVED, "its secret is lost; the next run creates another one", found.id)
        message = ""
        if not self.dry_run:
            message = self._finish(creation, found, finder, client)
            self.recorded.append(_resource(creation, found, message))
        return Item(creation.urn, Outcome.FAILED if message else Outcome.RECORDED, message, found.id)

    def _finish(self, creation: Creation, found: Found, finder: Finder[Any], client: Any) -> str:
        """Complete a creation; return a message for the user if its service has failed to."""
        self.progress(f"waiting for {creation.type.rpartition(':')[2]} {found.id}")
        status = finder.finish(client, found, creation.inputs)
        return f"{status}; {_replacement(creation.urn)}" if status else ""

    def _find(self, creation: Creation, finder: Finder[Any], client: Any) -> list[Found]:
        known = self.state.ids(creation.type, creation.provider)
        for attempt in range(1 if self.dry_run else self.attempts):
            if attempt:
                time.sleep(POLL)
            found = [each for each in finder.find(client, creation.inputs) if each.id not in known]
            if found:
                return found
        return []

    def _client(self, provider: str, connect: Callable[[Inputs], Any]) -> Any:
        if provider not in self._clients:
            settings = self.state.inputs(provider)
            if settings is None:
                raise PhalanxError(f"its provider {provider} is not in the state: run `pulumi up` to register it again")
            self._clients[provider] = connect(settings)
        return self._clients[provider]

    def _delete_helm_record(self, cluster: Any, inputs: Inputs, *, failed: bool = False) -> bool:
        """Remove Helm's record of an interrupted operation, or also of a failed one; return whether it exists."""
        record = kubernetes.interrupted_record(cluster, inputs, failed=failed)
        if record is not None and not self.dry_run:
            cluster.delete(record)
        return record is not None


def _replacement(urn: str) -> str:
    """Return how to replace a resource although it may be protected."""
    beginning, project, *_ = urn.split("::")
    stack, resource = beginning.rpartition(":")[2], shlex.quote(urn)
    if project == VAULT_PROJECT:
        stack += " -C vault"
    commands = f"pulumi state unprotect -s {stack} {resource} && pulumi up -s {stack} --replace {resource}"
    return f"once the cause is removed, `{commands}` creates another one, and deletes this one unless it is for data"


def _resource(creation: Creation, found: Found, error: str) -> dict[str, Any]:
    """Return the resource to record in the state until it is refreshed, or replaced because of an error."""
    outputs = {**creation.resource.get("inputs", {}), **found.outputs}
    return {**creation.resource, "id": found.id, "outputs": outputs, "initErrors": [error or UNREAD]}

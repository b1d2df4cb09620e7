"""Find out in the services how the operations ended that one state calls pending."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from operations.recovery import kubernetes
from operations.recovery.document import Creation, Inputs, State
from operations.recovery.finder import POLL, AmbiguousError, Finder, Found
from operations.recovery.report import Item, Outcome
from operations.recovery.services import explain, repeatable, service_of
from phalanx.errors import PhalanxError

LOOKS = 4
"""How often something is looked for: a service may still be at work on a request of a client that is gone."""

Progress = Callable[[str], None]


@dataclass
class Search:
    """Looks for what was being made in one state."""

    state: State
    dry_run: bool
    progress: Progress
    looks: int = LOOKS
    recorded: list[dict[str, Any]] = field(default_factory=list)
    """Resources to add to the state."""
    changed: list[str] = field(default_factory=list)
    """URNs of what was being changed or removed."""
    _clients: dict[str, Any] = field(default_factory=dict)

    def settle(self, creation: Creation) -> Item:
        """Find out how a creation ended."""
        if (why := repeatable(creation.type)) is not None:
            return Item(creation.urn, Outcome.AGAIN, why)
        service = service_of(creation.type)
        finder = service.finder(creation.type) if service else None
        if service is None or finder is None:
            way_out = "look whether it was made; if so, remove it or let Pulumi have it by `pulumi import`"
            return Item(creation.urn, Outcome.UNCOVERED, way_out)
        connect = service.connect
        return self._ask(creation.urn, lambda: self._settle(creation, finder, self._client(creation.provider, connect)))

    def read_again(self, operation: Mapping[str, Any]) -> Item:
        """Note what was being changed or removed; a Helm release is made such that it can be changed again."""
        resource = operation["resource"]
        urn, says = str(resource["urn"]), f"it was {operation['type']}"
        self.changed.append(urn)
        inputs = self.state.inputs(urn)
        if resource["type"] != kubernetes.RELEASE or inputs is None:
            return Item(urn, Outcome.READ, says)

        def release() -> Item:
            cluster = self._client(str(resource["provider"]).rpartition("::")[0], kubernetes.connect)
            freed = self._free(cluster, inputs)
            return Item(urn, Outcome.READ, says + (", and Helm's record of that was removed" if freed else ""))

        return self._ask(urn, release)

    def _ask(self, urn: str, question: Callable[[], Item]) -> Item:
        """What a service says; what it cannot answer a person has to decide."""
        try:
            return question()
        except (AmbiguousError, PhalanxError) as error:
            return Item(urn, Outcome.UNDECIDED, str(error))
        except Exception as error:  # noqa: BLE001  # whatever is not an answer of a service goes on
            return Item(urn, Outcome.UNDECIDED, explain(error))

    def _settle(self, creation: Creation, finder: Finder[Any], client: Any) -> Item:
        candidates = self._look(creation, finder, client)
        if len(candidates) > 1:
            ids = ", ".join(each.id for each in candidates)
            return Item(
                creation.urn,
                Outcome.UNDECIDED,
                f"{len(candidates)} look alike and the state knows none of them: {ids}; remove those that are not "
                "wanted",
            )
        if not candidates:
            if creation.type == kubernetes.RELEASE and self._free(client, creation.inputs):
                says = (
                    "Helm's record of an installation that was cut off was removed; the next run takes over its parts"
                )
                return Item(creation.urn, Outcome.REMOVED, says)
            return Item(creation.urn, Outcome.ABSENT, "the next run makes it")
        (found,) = candidates
        if finder.discard is not None:
            if not self.dry_run:
                finder.discard(client, found, creation.inputs)
            return Item(creation.urn, Outcome.REMOVED, "nobody has its secret; the next run makes another", found.id)
        says = ""
        if not self.dry_run:
            self.progress(f"waiting for {creation.type.rpartition(':')[2]} {found.id}")
            says = finder.finish(client, found, creation.inputs).replace("URN", creation.urn)
            self.recorded.append(_resource(creation, found))
        return Item(creation.urn, Outcome.RECORDED, says, found.id)

    def _look(self, creation: Creation, finder: Finder[Any], client: Any) -> list[Found]:
        known = self.state.ids(creation.type)
        for look in range(1 if self.dry_run else self.looks):
            if look:
                time.sleep(POLL)
            found = [each for each in finder.find(client, creation.inputs) if each.id not in known]
            if found:
                return found
        return []

    def _client(self, provider: str, connect: Callable[[Inputs], Any]) -> Any:
        if provider not in self._clients:
            settings = self.state.inputs(provider)
            if settings is None:
                raise PhalanxError(f"the state does not have its provider {provider}: `pulumi up` registers it again")
            self._clients[provider] = connect(settings)
        return self._clients[provider]

    def _free(self, cluster: Any, inputs: Inputs) -> bool:
        record = kubernetes.cut_off(cluster, inputs)
        if record is not None and not self.dry_run:
            cluster.delete(record)
        return record is not None


def _resource(creation: Creation, found: Found) -> dict[str, Any]:
    """The resource as the state is to have it until it is read again."""
    outputs = {**creation.resource.get("inputs", {}), **found.outputs}
    resource = {key: value for key, value in creation.resource.items() if key != "initErrors"}
    return {**resource, "id": found.id, "outputs": outputs}

"""Does single operations on real resources and records each in the state: make, change, replace, remove, take over."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sandbox.engine import urns
from sandbox.engine.adapters import PROVIDER_PREFIX, Registry
from sandbox.engine.adapters.base import Adapter, Clients, Operation, Update
from sandbox.engine.config import StackConfig
from sandbox.engine.errors import EngineError, PartialFailureError, ResourceError
from sandbox.engine.resources import Pending, Resource
from sandbox.engine.state import State
from sandbox.engine.values import Properties, Secret, has_secret, has_unknown, reveal

Progress = Callable[[str], None]


class Provisioner:
    """The engine's hands.

    Args:
        state: Where every step is recorded.
        registry: The known types.
        config: The stack's configuration, for default providers.
        clients: Clients made so far; shared between the passes of a command.
    """

    def __init__(self, state: State, registry: Registry, config: StackConfig, clients: Clients) -> None:
        self.state = state
        self.registry = registry
        self._config = config
        self._clients = clients

    def client(self, type_token: str, provider: str) -> Any:
        """The client that serves a type.

        Args:
            type_token: The resource's or function's type token.
            provider: `urn::id` of its provider, or empty for the package's default provider.

        Returns:
            The client; None where the provider's configuration is not known yet, as in a first preview.

        Raises:
            ResourceError: There is no such provider, or it cannot be used.
        """
        if provider:
            return self.provider_client(self._provider(*urns.split_reference(provider)))
        package = type_token.partition(":")[0]
        if type_token.startswith(PROVIDER_PREFIX):
            return None
        return self._connect(package, dict(self._config.of_package(package)))

    def provider_client(self, provider: Resource) -> Any:
        """The client that a provider resource describes; None where its inputs are not all known yet."""
        return None if has_unknown(provider.inputs) else self._connect(_package(provider), reveal(provider.inputs))

    def _connect(self, package: str, config: Properties) -> Any:
        with self.explained(package):
            return self._clients.get(package, config, self.registry.package(package).connect)

    def _provider(self, urn: str, identifier: str) -> Resource:
        live = self.state.get(urn)
        for each in [live, *self.state.doomed()]:
            if each and each.urn == urn and each.id == identifier:
                return each
        if live is None:
            raise ResourceError(f"its provider {urns.name_of(urn)} is not in the stack's state")
        return live

    @contextmanager
    def explained(self, package: str) -> Iterator[None]:
        """Turn what the package's SDK raises into a message for a person."""
        try:
            yield
        except EngineError:
            raise
        except Exception as error:
            explained = self.registry.package(package).explain(error)
            if explained is None:
                raise
            raise explained from error

    def operation(self, seconds: float, progress: Progress) -> Operation:
        """The circumstances of an operation that may last `seconds`."""
        return Operation(deadline=time.monotonic() + seconds, progress=progress)

    def create(self, wanted: Resource, progress: Progress, replaced: Resource | None = None) -> Resource:
        """Make what `wanted` describes and record it.

        Args:
            wanted: The resource without an id; its inputs are all known.
            progress: Told what is being waited for.
            replaced: The resource whose place it takes, and which is removed later.

        Raises:
            EngineError: It was not made, or it is not as it should be; the state tells which.
        """
        adapter = self.registry.adapter(wanted.type)
        client = self.client(wanted.type, wanted.provider)
        inputs = reveal(wanted.inputs)
        operation = self.operation(wanted.timeouts.get("create", adapter.create_timeout), progress)
        with self.explained(wanted.type.partition(":")[0]):
            pending = Pending(resource=wanted, existing=tuple(adapter.candidates(client, inputs)))
            self.state.begin(pending)
        try:
            with self.explained(_package(wanted)):
                made = adapter.create(client, inputs, operation)
        except PartialFailureError as error:
            self._record(_failed(wanted, error, adapter), replaced)
            raise
        except ResourceError:
            self.state.abandon(pending)
            raise
        return self._record(replace(wanted, id=made.id, outputs=sealed(adapter, wanted, made.outputs)), replaced)

    def adopt(self, wanted: Resource, identifier: str) -> Resource:
        """Record an existing thing as the resource, as the option `import` asks.

        Raises:
            ResourceError: It is not there, or not as the program describes it.
        """
        adapter = self.registry.adapter(wanted.type)
        outputs = self.read(wanted, identifier)
        if outputs is None:
            raise ResourceError(f"import: there is no {wanted.type} {identifier!r}")
        differing = sorted(
            key
            for key, value in wanted.inputs.items()
            if key in outputs and not adapter.properties[key].local and reveal(value) != outputs[key]
        )
        if differing:
            raise ResourceError(
                f"import: the existing {identifier!r} differs in {', '.join(differing)}; "
                "describe it as it is, change it after the import"
            )
        return self.state.put(replace(wanted, id=identifier, outputs=sealed(adapter, wanted, outputs)))

    def read(self, resource: Resource, identifier: str = "") -> Properties | None:
        """The real resource's outputs in clear; None if it is gone."""
        adapter = self.registry.adapter(resource.type)
        client = self.client(resource.type, resource.provider)
        with self.explained(_package(resource)):
            return adapter.read(client, identifier or resource.id, reveal(resource.inputs), reveal(resource.outputs))

    def update(self, old: Resource, wanted: Resource, changed: frozenset[str], progress: Progress) -> Resource:
        """Change the real resource in place and record it.

        Args:
            old: As it is recorded.
            wanted: As it shall be; with the id of `old`.
            changed: The names of the inputs that differ; all that can be changed where a fault has to be mended.
            progress: Told what is being waited for.
        """
        adapter = self.registry.adapter(wanted.type)
        client = self.client(wanted.type, wanted.provider)
        change = Update(old=reveal(old.inputs), new=reveal(wanted.inputs), outputs=reveal(old.outputs), changed=changed)
        operation = self.operation(wanted.timeouts.get("update", adapter.update_timeout), progress)
        try:
            with self.explained(_package(wanted)):
                outputs = adapter.update(client, old.id, change, operation)
        except PartialFailureError as error:
            self.state.put(_failed(wanted, error, adapter))
            raise
        return self.state.put(replace(wanted, outputs=sealed(adapter, wanted, outputs, old.outputs)))

    def delete(self, resource: Resource, progress: Progress) -> None:
        """Remove the real resource, unless it was only read or shall be retained, and forget it."""
        if resource.custom and not resource.external and not resource.retain_on_delete:
            adapter = self.registry.adapter(resource.type)
            client = self.client(resource.type, resource.provider)
            operation = self.operation(resource.timeouts.get("delete", adapter.delete_timeout), progress)
            inputs = reveal(resource.inputs)
            with self.explained(_package(resource)):
                adapter.delete(
                    client, resource.id, Update(old=inputs, new=inputs, outputs=reveal(resource.outputs)), operation
                )
        self.state.forget(resource)

    def recover(self, pending: Pending, progress: Progress) -> Resource | None:
        """Find what an interrupted run has made, and record it.

        Returns:
            The resource, marked to be brought in order by the next update; None if nothing was made.
        """
        wanted = pending.resource
        adapter = self.registry.adapter(wanted.type)
        client = self.client(wanted.type, wanted.provider)
        inputs = reveal(wanted.inputs)
        operation = self.operation(wanted.timeouts.get("create", adapter.create_timeout), progress)
        recorded = {each.id for each in [*self.state.live(), *self.state.doomed()] if each.type == wanted.type}
        with self.explained(_package(wanted)):
            for identifier in adapter.candidates(client, inputs):
                if identifier in recorded or identifier in pending.existing:
                    continue
                try:
                    made = adapter.recover(client, identifier, inputs, operation)
                except PartialFailureError as error:
                    return self._record(_failed(wanted, error, adapter), self.state.get(wanted.urn))
                if made:
                    found = replace(
                        wanted,
                        id=made.id,
                        outputs=sealed(adapter, wanted, made.outputs),
                        faults=("the run that made it was interrupted",),
                    )
                    return self._record(found, self.state.get(wanted.urn))
        self.state.abandon(pending)
        return None

    def _record(self, resource: Resource, replaced: Resource | None) -> Resource:
        if replaced is None:
            return self.state.put(resource)
        return self.state.replace(replaced, resource)


def sealed(
    adapter: Adapter[Any], resource: Resource, outputs: Properties, before: Mapping[str, Any] | None = None
) -> Properties:
    """The outputs as recorded: with the inputs that the service does not report, and with secrets sealed.

    Args:
        adapter: The resource's type.
        resource: The resource, with its inputs and what it declares secret.
        outputs: What the adapter reports, in clear.
        before: The outputs recorded before: what was secret stays secret.
    """
    secret = adapter.secret_keys(resource.inputs).union(resource.secret_outputs)
    secret |= {key for key, value in (before or {}).items() if has_secret(value)}
    complete = {**reveal(resource.inputs), **outputs}
    return {key: Secret(value) if key in secret and value is not None else value for key, value in complete.items()}


def _failed(wanted: Resource, error: PartialFailureError, adapter: Adapter[Any]) -> Resource:
    return replace(
        wanted,
        id=error.id,
        outputs=sealed(adapter, wanted, error.outputs),
        faults=(str(error),),
        tainted=error.replace,
    )


def _package(resource: Resource) -> str:
    return resource.type.removeprefix(PROVIDER_PREFIX).partition(":")[0]

"""Runs a Pulumi program with a monitor that creates nothing and records all resources.

``pulumi.runtime.set_mocks`` keeps its root stack and exports between tests, exposes only inputs and accepts resources
with the same name. Here each run has its own context variables, event loop and root stack, and a test has access to the
complete requests to the engine: inputs and their secrecy, parent, provider, dependencies and options.
"""

import asyncio
import contextvars
import gc
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self, TypeVar, TypeVarTuple

import pulumi
import pytest
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime import MockCallArgs, MockResourceArgs, Mocks, Settings, configure, run_in_stack, set_all_config
from pulumi.runtime import resource as pulumi_resource
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.proto import engine_pb2, resource_pb2, source_pb2

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

PROJECT = "rsp"
STACK = "test"
STACK_TYPE = "pulumi:pulumi:Stack"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The resource protocol's representation of a value that is unknown during a preview."""

# The protocol's marker of a secret value.
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"

InvokeAnswer = Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class Registered:
    """A request to register a resource.

    Attributes:
        urn: URN, as the engine creates it.
        request: Complete request, for options without an attribute here.
    """

    urn: str
    request: resource_pb2.RegisterResourceRequest

    # Most tests look at few of the resources of a run.
    @cached_property
    def inputs(self) -> dict[str, Any]:
        """Inputs by wire name (camelCase), secrets in plaintext; an unknown value is ``UNKNOWN``."""
        inputs: dict[str, Any] = _plain(json_format.MessageToDict(self.request.object))
        return inputs

    @cached_property
    def veiled(self) -> dict[str, Any]:
        """The same inputs with secrets replaced by ``[secret]``, for checks that values do not leak."""
        inputs: dict[str, Any] = _veil(json_format.MessageToDict(self.request.object))
        return inputs

    @property
    def type(self) -> str:
        """Type token."""
        return self.request.type

    @property
    def name(self) -> str:
        """Logical name."""
        return self.request.name

    @property
    def custom(self) -> bool:
        """True if a provider manages it; false for components."""
        return self.request.custom

    @property
    def parent(self) -> str:
        """URN of the parent."""
        return self.request.parent

    @property
    def provider(self) -> str:
        """``urn::id`` of the explicit provider; empty for a default provider."""
        return self.request.provider

    @property
    def protect(self) -> bool:
        """True if it is protected from deletion."""
        return self.request.protect

    @property
    def retained(self) -> bool:
        """True if deletion keeps the real resource."""
        return self.request.retainOnDelete

    @property
    def ignored(self) -> frozenset[str]:
        """Properties in ``ignore_changes``, by wire name."""
        return frozenset(self.request.ignoreChanges)

    @property
    def veiled_request(self) -> Any:
        """The complete request, including triggers and options, with secrets replaced by ``[secret]``."""
        return _veil(json_format.MessageToDict(self.request))

    @property
    def dependencies(self) -> frozenset[str]:
        """URNs of the resources that must exist first, from inputs and ``depends_on``."""
        return frozenset(self.request.dependencies)


@dataclass
class Recording:
    """Requests of one run of a program.

    Attributes:
        resources: All resources except for the stack, in the order of registration.
        exports: Stack outputs, secrets in plaintext.
        veiled_exports: Stack outputs with secrets replaced by ``[secret]``.
        component_outputs: Arguments of ``register_outputs`` by URN of the component.
        invokes: Token and arguments of each call of a provider function.
        logged: URN (empty for the stack) and text of each warning and error.
    """

    resources: list[Registered] = field(default_factory=list)
    exports: dict[str, Any] = field(default_factory=dict)
    veiled_exports: dict[str, Any] = field(default_factory=dict)
    component_outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    invokes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    logged: list[tuple[str, str]] = field(default_factory=list)

    def of(self, type_token: str) -> list[Registered]:
        """Return all resources of a type; ``type_token`` may be only its last part (``Volume``)."""
        return [each for each in self.resources if type_token in (each.type, each.type.rpartition(":")[2])]

    def one(self, type_token: str, name: str | None = None) -> Registered:
        """Return the only resource of a type, optionally with a logical name.

        Raises:
            AssertionError: The number of matching resources is not one.
        """
        found = [each for each in self.of(type_token) if name in (None, each.name)]
        names = [(each.type, each.name) for each in self.resources]
        assert len(found) == 1, f"{len(found)} resources {type_token} {name or ''}, expected 1; registered: {names}"
        return found[0]

    def ancestors(self, resource: Registered) -> list[Registered]:
        """Return the parents of a resource, from the nearest on, without the stack."""
        known = {each.urn: each for each in self.resources}
        line = []
        while resource.parent in known:
            resource = known[resource.parent]
            line.append(resource)
        return line


class _Unused(Mocks):
    """Placeholder for the mocks that the base class requires."""

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise NotImplementedError(args.token)

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        raise NotImplementedError(args.typ)


class _Loop(asyncio.SelectorEventLoop):
    """Calls the monitor at once: the SDK's threads for it take a tenth of the duration of a run."""

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        if executor:
            return super().run_in_executor(executor, func, *args)
        answer = self.create_future()
        try:
            answer.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - for whoever awaits the answer
            answer.set_exception(error)
        return answer


class _Callbacks:
    """Takes the program's hooks, which the monitor does not call."""

    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None:
        pass

    def register_error_hook(self, hook: pulumi.ErrorHook) -> None:
        pass


async def _callbacks() -> _Callbacks:
    return _Callbacks()


_create_urn = pulumi_resource.create_urn


def _urn(name: Any, type_: Any, parent: Any = None, *stack: Any) -> pulumi.Output[str]:
    """Return the same URN as the SDK."""
    if isinstance(name, str) and isinstance(parent, str):
        return pulumi.Output.from_input(f"{parent.rpartition('::')[0]}${type_}::{name}")
    return _create_urn(name, type_, parent, *stack)


@contextmanager
def _only_registrations() -> Iterator[None]:
    """Leave out what the SDK does besides registrations, and what is not recorded: a third of the duration of a run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pulumi_resource, "_get_stack_trace", source_pb2.StackTrace)
        patch.setattr(pulumi.log, "debug", lambda *_, **__: None)
        # The SDK opens a port for each hook, and computes the URN of each resource by eight Outputs.
        patch.setattr(pulumi_resource, "_get_callbacks", _callbacks)
        patch.setattr(pulumi_resource, "create_urn", _urn)
        yield


class _Monitor(MockMonitor):
    """Records registrations."""

    def __init__(
        self,
        recording: Recording,
        invokes: Mapping[str, InvokeAnswer],
        computed: Mapping[str, Mapping[str, Any]],
        stashed: Mapping[str, Any],
        preview: bool,
    ) -> None:
        super().__init__(_Unused())
        self._recording = recording
        self._invokes = invokes
        self._computed = computed
        self._stashed = stashed
        self._preview = preview
        self._urns: set[str] = set()

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        lineage = parent.split("::")[2] if parent else ""
        chain = [*[part for part in lineage.split("$") if part not in ("", STACK_TYPE)], type_]
        return f"urn:pulumi:{STACK}::{PROJECT}::{'$'.join(chain)}::{name}"

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> Any:  # noqa: N802  # name of the RPC
        urn = self.make_urn(request.parent, request.type, request.name)
        if urn in self._urns:
            raise AssertionError(f"two resources share the URN {urn}")
        self._urns.add(urn)
        if request.type != STACK_TYPE:
            self._recording.resources.append(Registered(urn, request))
        state = struct_pb2.Struct()
        state.CopyFrom(request.object)
        if request.custom and not self._preview:
            for key, value in self._computed.get(request.type, {}).items():
                if key not in state:
                    secret = key in request.additionalSecretOutputs
                    state[key] = {_SIGNATURE: _SECRET, "value": value} if secret else value
        if request.type == "pulumi:index:Stash":
            # The engine manages stashes itself and knows their outputs during a preview.
            state.fields["output"].CopyFrom(request.object.fields["input"])
            if request.name in self._stashed and "input" not in request.replaceOnChanges:
                state["output"] = self._stashed[request.name]
        identity = f"{request.name}-id" if request.custom and not self._preview else ""
        return resource_pb2.RegisterResourceResponse(urn=urn, id=identity, object=state)

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> Any:  # noqa: N802
        outputs = json_format.MessageToDict(request.outputs)
        if f"::{STACK_TYPE}::" in request.urn:
            self._recording.exports = _plain(outputs)
            self._recording.veiled_exports = _veil(outputs)
        else:
            self._recording.component_outputs[request.urn] = _plain(outputs)
        return empty_pb2.Empty()

    def Invoke(self, request: resource_pb2.ResourceInvokeRequest) -> Any:  # noqa: N802
        arguments = _plain(json_format.MessageToDict(request.args))
        self._recording.invokes.append((request.tok, arguments))
        if request.tok not in self._invokes:
            raise AssertionError(f"unexpected invoke of {request.tok} with {json.dumps(arguments)}")
        answer = self._invokes[request.tok]
        response = resource_pb2.ResourceInvokeResponse()
        getattr(response, "return").update(answer(arguments) if callable(answer) else answer)
        return response


class _Engine:
    """Records log messages of the program; errors also raise exceptions in the test."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def Log(self, request: engine_pb2.LogRequest) -> Any:  # noqa: N802
        if request.severity >= engine_pb2.WARNING:
            self._recording.logged.append((request.urn, request.message))
        return empty_pb2.Empty()

    def RequirePulumiVersion(self, _request: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()


@dataclass(frozen=True)
class ProgramRunner:
    """Runs programs, each with its own monitor.

    Attributes:
        computed: Outputs that a provider computes, by type token.
        invokes: Result of a provider function by token: a mapping, or a function of the call's arguments.
        stashed: Value that a stash has kept from an earlier run, by logical name; others start with their input.
        preview: Whether to run as a preview, in which IDs and computed outputs are unknown.
        config: Configuration by full key (``rsp:network``), as the engine passes it.
        project: Name of the Pulumi project.
    """

    computed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    invokes: Mapping[str, InvokeAnswer] = field(default_factory=dict)
    stashed: Mapping[str, Any] = field(default_factory=dict)
    preview: bool = False
    config: Mapping[str, str] = field(default_factory=dict)
    project: str = PROJECT

    def having(self, **changes: Any) -> Self:
        """Return a runner with other attributes; ``computed``, ``invokes`` and ``stashed`` are extended."""
        return type(self)(
            computed={**self.computed, **changes.get("computed", {})},
            invokes={**self.invokes, **changes.get("invokes", {})},
            stashed={**self.stashed, **changes.get("stashed", {})},
            preview=changes.get("preview", self.preview),
            config=changes.get("config", self.config),
            project=changes.get("project", self.project),
        )

    def __call__(self, program: Callable[[], None], recording: Recording | None = None) -> Recording:
        """Run ``program`` until all registrations are complete.

        Args:
            program: Program.
            recording: Where to record, for tests of what a program does before it fails.

        Raises:
            Exception: Any exception of the program or one of its resources.
        """
        recording = Recording() if recording is None else recording
        monitor = _Monitor(recording, self.invokes, self.computed, self.stashed, self.preview)

        def run() -> None:
            set_all_config(dict(self.config))
            configure(
                Settings(
                    project=self.project, stack=STACK, monitor=monitor, engine=_Engine(recording), dry_run=self.preview
                ),
            )
            with _only_registrations(), asyncio.Runner(loop_factory=_Loop) as runner:
                # A failure fails all dependent outputs as well: raise the first, and print no traceback for the others.
                runner.get_loop().set_exception_handler(lambda *_: None)
                runner.run(run_in_stack(program))

        # The SDK stores its settings and root stack in context variables: start with an empty context.
        contextvars.Context().run(run)
        # What a run leaves behind refers to itself. To free it at once, while it is in the processor's cache, takes a
        # quarter of the time that it takes later.
        gc.collect(0)
        return recording


def _plain(value: Any) -> Any:
    """Return the value without markers of secrets, and with whole numbers as ints."""
    match value:
        case {"value": inner} if value.get(_SIGNATURE) == _SECRET:
            return _plain(inner)
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list():
            return [_plain(each) for each in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def _veil(value: Any) -> Any:
    """Return the value with secrets replaced by ``[secret]``."""
    match value:
        case dict() if value.get(_SIGNATURE) == _SECRET:
            return "[secret]"
        case dict():
            return {key: _veil(each) for key, each in value.items()}
        case list():
            return [_veil(each) for each in value]
        case _:
            return value

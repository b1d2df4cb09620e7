"""Run a Pulumi program against a monitor that creates nothing and records everything.

The stock ``pulumi.runtime.set_mocks`` keeps its root stack and exports between tests, hands a test the inputs alone and
lets two resources share a name. Here each run has its own context variables, event loop and root stack, and a test sees
what the engine would have been asked: inputs, which of them are secret, parent, provider, dependencies and options.
"""

import asyncio
import contextvars
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime import MockCallArgs, MockResourceArgs, Mocks, Settings, configure, run_in_stack, set_all_config
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.proto import engine_pb2, resource_pb2

PROJECT = "rsp"
STACK = "test"
STACK_TYPE = "pulumi:pulumi:Stack"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the resource protocol writes a value that a preview cannot know."""

# How the protocol marks a secret value.
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"

InvokeAnswer = Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class Registered:
    """One resource as the engine would have been asked to register it.

    Attributes:
        urn: Its URN, made as the engine makes it.
        inputs: The inputs in wire names (camelCase), secrets in the clear; an unknown value is ``UNKNOWN``.
        veiled: The same inputs with ``[secret]`` where a secret stands: search this for values that must not leak.
        request: The whole request, for the options that have no attribute here.
    """

    urn: str
    inputs: dict[str, Any]
    veiled: dict[str, Any]
    request: resource_pb2.RegisterResourceRequest

    @property
    def type(self) -> str:
        """The type token."""
        return self.request.type

    @property
    def name(self) -> str:
        """The logical name."""
        return self.request.name

    @property
    def custom(self) -> bool:
        """Whether a provider manages it; a component is not custom."""
        return self.request.custom

    @property
    def parent(self) -> str:
        """The URN of its parent."""
        return self.request.parent

    @property
    def provider(self) -> str:
        """``urn::id`` of its explicit provider; empty if it would take a default provider."""
        return self.request.provider

    @property
    def protect(self) -> bool:
        """Whether the engine refuses to delete it."""
        return self.request.protect

    @property
    def retained(self) -> bool:
        """Whether a deletion leaves the real thing behind."""
        return self.request.retainOnDelete

    @property
    def ignored(self) -> frozenset[str]:
        """The properties whose changes are ignored, in wire names."""
        return frozenset(self.request.ignoreChanges)

    @property
    def veiled_request(self) -> Any:
        """The whole request, triggers and options included, with ``[secret]`` where a secret stands."""
        return _veil(json_format.MessageToDict(self.request))

    @property
    def dependencies(self) -> frozenset[str]:
        """URNs of everything that must exist before it, whether through an input or ``depends_on``."""
        return frozenset(self.request.dependencies)


@dataclass
class Recording:
    """What one run of a program registered.

    Attributes:
        resources: Every resource but the stack itself, in the order of registration.
        exports: The stack's outputs, secrets in the clear.
        veiled_exports: The stack's outputs with ``[secret]`` where a secret stands.
        component_outputs: What each component passed to ``register_outputs``, by URN.
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
        """All resources of a type; ``type_token`` may be its last part alone (``Volume``)."""
        return [each for each in self.resources if type_token in (each.type, each.type.rpartition(":")[2])]

    def one(self, type_token: str, name: str | None = None) -> Registered:
        """The only resource of a type (and a logical name).

        Raises:
            AssertionError: If there is none, or more than one.
        """
        found = [each for each in self.of(type_token) if name in (None, each.name)]
        names = [(each.type, each.name) for each in self.resources]
        assert len(found) == 1, f"{len(found)} resources {type_token} {name or ''}, expected 1; registered: {names}"
        return found[0]

    def by_urn(self, urn: str) -> Registered:
        """The resource with that URN."""
        return next(each for each in self.resources if each.urn == urn)

    def ancestors(self, resource: Registered) -> list[Registered]:
        """Its parent, the parent's parent and so on, the stack excluded."""
        known = {each.urn: each for each in self.resources}
        line = []
        while resource.parent in known:
            resource = known[resource.parent]
            line.append(resource)
        return line


class _Unused(Mocks):
    """The stock monitor wants mocks; the one below answers by itself."""

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise NotImplementedError(args.token)

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        raise NotImplementedError(args.typ)


class _Monitor(MockMonitor):
    """Records registrations; methods run on several worker threads at once."""

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
        self._lock = threading.Lock()
        self._urns: set[str] = set()

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        lineage = parent.split("::")[2] if parent else ""
        chain = [*[part for part in lineage.split("$") if part not in ("", STACK_TYPE)], type_]
        return f"urn:pulumi:{STACK}::{PROJECT}::{'$'.join(chain)}::{name}"

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> Any:  # noqa: N802  # gRPC's name
        urn = self.make_urn(request.parent, request.type, request.name)
        with self._lock:
            if urn in self._urns:
                raise AssertionError(f"two resources share the URN {urn}")
            self._urns.add(urn)
            if request.type != STACK_TYPE:
                inputs = json_format.MessageToDict(request.object)
                self._recording.resources.append(Registered(urn, _plain(inputs), _veil(inputs), request))
        state = struct_pb2.Struct()
        state.CopyFrom(request.object)
        if request.custom and not self._preview:
            for key, value in self._computed.get(request.type, {}).items():
                if key not in state:
                    secret = key in request.additionalSecretOutputs
                    state[key] = {_SIGNATURE: _SECRET, "value": value} if secret else value
        if request.type == "pulumi:index:Stash":
            # The engine manages this one itself, and knows in a preview what it will hold.
            state.fields["output"].CopyFrom(request.object.fields["input"])
            if request.name in self._stashed:
                state["output"] = self._stashed[request.name]
        identity = f"{request.name}-id" if request.custom and not self._preview else ""
        return resource_pb2.RegisterResourceResponse(urn=urn, id=identity, object=state)

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> Any:  # noqa: N802
        outputs = json_format.MessageToDict(request.outputs)
        with self._lock:
            if f"::{STACK_TYPE}::" in request.urn:
                self._recording.exports = _plain(outputs)
                self._recording.veiled_exports = _veil(outputs)
            else:
                self._recording.component_outputs[request.urn] = _plain(outputs)
        return empty_pb2.Empty()

    def Invoke(self, request: resource_pb2.ResourceInvokeRequest) -> Any:  # noqa: N802
        arguments = _plain(json_format.MessageToDict(request.args))
        with self._lock:
            self._recording.invokes.append((request.tok, arguments))
        if request.tok not in self._invokes:
            raise AssertionError(f"unexpected invoke of {request.tok} with {json.dumps(arguments)}")
        answer = self._invokes[request.tok]
        response = resource_pb2.ResourceInvokeResponse()
        getattr(response, "return").update(answer(arguments) if callable(answer) else answer)
        return response


class _Engine:
    """Records the program's log: what goes wrong reaches a test as an exception."""

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
    """Runs programs, each against a monitor of its own.

    Attributes:
        computed: By type token, the outputs that a provider computes and the inputs do not hold.
        invokes: By token, the answer of a provider function: a mapping, or a function of the call's arguments.
        stashed: By logical name, what a stash keeps from an earlier run; any other begins with its input.
        preview: Run as a preview: ids and computed outputs stay unknown.
        config: StackConfig values by full key (``rsp:network``), as the engine hands them over.
    """

    computed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    invokes: Mapping[str, InvokeAnswer] = field(default_factory=dict)
    stashed: Mapping[str, Any] = field(default_factory=dict)
    preview: bool = False
    config: Mapping[str, str] = field(default_factory=dict)

    def having(self, **changes: Any) -> Self:
        """A runner that differs in the given attributes; ``computed``, ``invokes``, ``stashed`` are added to."""
        return type(self)(
            computed={**self.computed, **changes.get("computed", {})},
            invokes={**self.invokes, **changes.get("invokes", {})},
            stashed={**self.stashed, **changes.get("stashed", {})},
            preview=changes.get("preview", self.preview),
            config=changes.get("config", self.config),
        )

    def __call__(self, program: Callable[[], None], recording: Recording | None = None) -> Recording:
        """Run ``program`` to its end, every registration drained.

        Args:
            program: The program.
            recording: Where to record, for a test that looks at what a program did before it failed.

        Raises:
            Exception: Whatever the program or one of its resources raised.
        """
        recording = Recording() if recording is None else recording
        monitor = _Monitor(recording, self.invokes, self.computed, self.stashed, self.preview)

        def run() -> None:
            set_all_config(dict(self.config))
            configure(
                Settings(
                    project=PROJECT, stack=STACK, monitor=monitor, engine=_Engine(recording), dry_run=self.preview
                ),
            )
            with asyncio.Runner() as runner:
                # One failure fails every output that depends on it; the first is raised, the others need no traceback.
                runner.get_loop().set_exception_handler(lambda *_: None)
                runner.run(run_in_stack(program))

        # The SDK keeps its settings and its root stack in context variables: an empty context has neither.
        contextvars.Context().run(run)
        return recording


def _plain(value: Any) -> Any:
    """The value without the protocol's marks of secrecy; whole numbers are ints again."""
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
    """The value with ``[secret]`` in place of each secret."""
    match value:
        case dict() if value.get(_SIGNATURE) == _SECRET:
            return "[secret]"
        case dict():
            return {key: _veil(each) for key, each in value.items()}
        case list():
            return [_veil(each) for each in value]
        case _:
            return value

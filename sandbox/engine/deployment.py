"""One pass of a program, in a preview or for real: decides for each registration what to do, and has it done."""

import logging
import threading
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from pulumi.runtime.proto import resource_pb2

from sandbox.engine import diff, options, providers, urns
from sandbox.engine.adapters.base import Adapter
from sandbox.engine.config import StackConfig
from sandbox.engine.errors import EngineError, ResourceError
from sandbox.engine.options import Goal
from sandbox.engine.plan import Plan, plan, replaced_along
from sandbox.engine.provision import Provisioner, sealed
from sandbox.engine.report import Report, Step, Verb
from sandbox.engine.resources import Resource
from sandbox.engine.values import Properties, has_unknown, reveal

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Registered:
    """The answer to a registration.

    Attributes:
        id: Empty while it is not known, and for components.
        done: False when the resource failed or was left out: the program goes on without it.
    """

    urn: str
    id: str = ""
    outputs: Properties = field(default_factory=dict)
    done: bool = True


class Deployment:
    """The registrations of one pass.

    Safe to use from the several threads on which the SDK calls. After the first failure a real pass begins nothing
    new, as Pulumi does; a preview goes on, so that it shows every fault at once.

    Args:
        config: The stack's configuration.
        provisioner: Does the operations; on a scratch state in a preview.
        report: Told of every step.
        dry_run: Whether this is a preview.
    """

    def __init__(self, config: StackConfig, provisioner: Provisioner, report: Report, *, dry_run: bool) -> None:
        self.config = config
        self.provisioner = provisioner
        self.report = report
        self.dry_run = dry_run
        self._state = provisioner.state
        self._lock = threading.Lock()
        self._goals: dict[str, Goal] = {}
        self._claimed: set[str] = set()
        self._replaced_along: set[str] = set()
        self._missing: set[str] = set()
        self._halted = threading.Event()

    @property
    def registered(self) -> frozenset[str]:
        """The URNs that the program has registered so far."""
        with self._lock:
            return frozenset(self._goals)

    def halt(self) -> None:
        """Begin nothing new; what is under way goes on to its end."""
        self._halted.set()

    def register(self, request: resource_pb2.RegisterResourceRequest) -> Registered:
        """Bring one resource to where the program wants it.

        A failure is reported and answered with `done=False`; only a fault of the program's own structure raises.

        Raises:
            ResourceError: Two resources have the same URN.
        """
        urn = urns.make(self.config.stack, self.config.project, request.parent, request.type, request.name)
        try:
            goal = options.goal(request, urn, self._goals.get(request.parent))
        except EngineError as error:
            return self._failed(urn, error)
        self._claim(goal)
        if self._halted.is_set() or self._stranded(goal):
            return Registered(urn=urn, done=False)
        try:
            return self._custom(goal) if goal.custom else self._component(goal)
        except EngineError as error:
            return self._failed(urn, error)
        except Exception as error:  # noqa: BLE001 - whatever an SDK raises must not end the run without a word
            _LOG.debug("unexpected failure of %s", urn, exc_info=True)
            return self._failed(urn, EngineError(f"unexpected {type(error).__name__}: {error}"))

    def set_outputs(self, urn: str, outputs: Properties) -> None:
        """Record the outputs of a component or, at the end, of the stack."""
        recorded = self._state.get(urn)
        if recorded and recorded.outputs != outputs and not (has_unknown(outputs) and not self.dry_run):
            self._state.put(replace(recorded, outputs=outputs))

    def read(self, request: resource_pb2.ReadResourceRequest, identifier: Any, inputs: Properties) -> Registered:
        """Look up an existing thing for the program (`Service.get`); a failure is answered with `done=False`."""
        urn = urns.make(self.config.stack, self.config.project, request.parent, request.type, request.name)
        parent = self._goals.get(request.parent)
        package = request.type.partition(":")[0]
        resource = Resource(
            urn=urn,
            external=True,
            id=identifier,
            parent=request.parent,
            provider=request.provider or (parent.providers.get(package, "") if parent else ""),
            inputs=inputs,
            dependencies=tuple(sorted(request.dependencies)),
            secret_outputs=tuple(request.additionalSecretOutputs),
        )
        goal = Goal(
            urn=urn,
            custom=True,
            parent=resource.parent,
            inputs=inputs,
            provider=resource.provider,
            dependencies=resource.dependencies,
        )
        self._claim(goal)
        if self._halted.is_set() or self._stranded(goal):
            return Registered(urn=urn, done=False)
        try:
            if has_unknown(identifier) or self.provisioner.client(resource.type, resource.provider) is None:
                return Registered(urn=urn)
            outputs = self.provisioner.read(resource)
            if outputs is None:
                raise ResourceError(f"there is no {request.type} {identifier!r}")
        except EngineError as error:
            return self._failed(urn, error)
        recorded = self._state.put(replace(resource, outputs=outputs))
        return Registered(urn=urn, id=identifier, outputs=recorded.outputs)

    def lacks(self, provider: str) -> bool:
        """Whether a provider (`urn::id`) has failed, so that nothing can be asked of it."""
        with self._lock:
            return urns.split_reference(provider)[0] in self._missing

    def _component(self, goal: Goal) -> Registered:
        old = self._recorded(goal)
        wanted = self._resource(goal, goal.inputs, id="")
        if old is None:
            self._state.put(wanted)
        elif not _same(old, kept := replace(wanted, outputs=old.outputs)):
            self._state.put(kept, former_urn=old.urn)
        return Registered(urn=goal.urn, outputs=goal.inputs)

    def _custom(self, goal: Goal) -> Registered:
        adapter = self.provisioner.registry.adapter(goal.type)
        providers.require(goal, self.config)
        old = self._recorded(goal)
        if goal.import_id and (old is None or old.id != goal.import_id):
            return self._import(goal, adapter)
        given = diff.ignore(goal.inputs, old.inputs, goal.ignore_changes) if old else goal.inputs
        inputs = adapter.check(given, goal.name, old.inputs if old else None)
        if old is None:
            return self._create(goal, adapter, inputs)
        decided = plan(adapter, old, goal, inputs, provider_replaced=providers.replaced(old, goal, self.provisioner))
        match decided.kind:
            case "same":
                return self._keep(goal, old, inputs)
            case "update":
                return self._update(goal, adapter, old, inputs, decided)
            case "replace":
                return self._replace(goal, adapter, old, decided)

    def _keep(self, goal: Goal, old: Resource, inputs: Properties) -> Registered:
        adapter = self.provisioner.registry.adapter(goal.type)
        wanted = self._resource(goal, inputs, id=old.id)
        wanted = replace(wanted, outputs=sealed(adapter, wanted, reveal(old.outputs), old.outputs))
        if not _same(old, wanted):
            self._state.put(wanted, former_urn=old.urn)
        providers.verify(goal, self.provisioner)
        self.report.end(self.report.begin("same", goal.urn))
        return Registered(urn=goal.urn, id=old.id, outputs=wanted.outputs)

    def _create(self, goal: Goal, adapter: Adapter[Any], inputs: Properties) -> Registered:
        verb: Verb = "replace" if goal.urn in self._replaced_along else "create"
        with self.report.step(verb, goal.urn, diff.changes({}, inputs)) as step:
            return self._make(goal, adapter, inputs, step)

    def _make(
        self, goal: Goal, adapter: Adapter[Any], inputs: Properties, step: Step, replaced: Resource | None = None
    ) -> Registered:
        wanted = self._resource(goal, inputs, id="")
        if not self.dry_run:
            made = self.provisioner.create(wanted, partial(self.report.waiting, step), replaced)
            providers.verify(goal, self.provisioner)
            return Registered(urn=goal.urn, id=made.id, outputs=made.outputs)
        self._foresee(adapter, wanted)
        self._state.put(replace(wanted, outputs=inputs))
        providers.verify(goal, self.provisioner)
        return Registered(urn=goal.urn, outputs=inputs)

    def _update(self, goal: Goal, adapter: Adapter[Any], old: Resource, inputs: Properties, todo: Plan) -> Registered:
        with self.report.step("update", goal.urn, todo.changes, todo.reason) as step:
            wanted = self._resource(goal, inputs, id=old.id)
            if self.dry_run:
                self._foresee(adapter, wanted)
                foreseen = {**old.outputs, **inputs}
                self._state.put(replace(wanted, outputs=foreseen), former_urn=old.urn)
                return Registered(urn=goal.urn, id=old.id, outputs=foreseen)
            if old.urn != goal.urn:
                old = self._state.put(replace(old, urn=goal.urn, parent=goal.parent), former_urn=old.urn)
            changed = frozenset(str(change.path[0]) for change in todo.changes)
            if old.faults:
                changed |= {key for key, known in adapter.properties.items() if key in inputs and not known.fixed}
            made = self.provisioner.update(old, wanted, changed, partial(self.report.waiting, step))
            return Registered(urn=goal.urn, id=made.id, outputs=made.outputs)

    def _replace(self, goal: Goal, adapter: Adapter[Any], old: Resource, todo: Plan) -> Registered:
        with self.report.step("replace", goal.urn, todo.changes, todo.reason) as step:
            if goal.protect and old.protect:
                why = todo.reason or ", ".join(str(change) for change in todo.changes if change.replaces)
                raise ResourceError(
                    f"it has to be replaced ({why}) but is protected; remove `protect` from its options if it may go"
                )
            if goal.import_id:
                raise ResourceError("an imported resource cannot be replaced: remove `import_` from its options first")
            inputs = adapter.check(goal.inputs, goal.name, None)
            if old.urn != goal.urn:
                old = self._state.put(replace(old, urn=goal.urn, parent=goal.parent), former_urn=old.urn)
            if not todo.delete_first:
                return self._make(goal, adapter, inputs, step, replaced=old)
            self._remove_first(old, step)
            return self._make(goal, adapter, inputs, step)

    def _remove_first(self, old: Resource, step: Step) -> None:
        """Remove a resource before its successor is made, and before it those that cannot outlive it."""
        registered = self.registered
        unregistered = [each for each in self._state.live() if each.urn not in registered]
        along = replaced_along(old, unregistered, self.provisioner.registry.adapter)
        if protected := [each.name for each in along if each.protect]:
            raise ResourceError(
                f"it has to be removed before it is made anew, and with it {', '.join(protected)}, which is protected"
            )
        gone: set[str] = set()
        for each in [*reversed(along), old]:
            self._replaced_along.add(each.urn)
            if self.dry_run or each.deleted_with in gone:
                self._state.forget(each)
            else:
                self.report.waiting(step, f"removing {each.name}")
                self.provisioner.delete(each, partial(self.report.waiting, step))
            gone.add(each.urn)

    def _import(self, goal: Goal, adapter: Adapter[Any]) -> Registered:
        with self.report.step("import", goal.urn):
            inputs = adapter.check(goal.inputs, goal.name, None)
            if self.provisioner.client(goal.type, goal.provider) is None or has_unknown(inputs):
                return Registered(urn=goal.urn, outputs=inputs)
            adopted = self.provisioner.adopt(self._resource(goal, inputs, id=""), goal.import_id)
            return Registered(urn=goal.urn, id=adopted.id, outputs=adopted.outputs)

    def _foresee(self, adapter: Adapter[Any], wanted: Resource) -> None:
        """Let the service judge in a preview what it can judge."""
        client = self.provisioner.client(wanted.type, wanted.provider)
        if client is not None and not has_unknown(wanted.inputs):
            with self.provisioner.explained(wanted.type.partition(":")[0]):
                operation = self.provisioner.operation(adapter.update_timeout, lambda _text: None)
                adapter.preview(client, reveal(wanted.inputs), operation)

    def _recorded(self, goal: Goal) -> Resource | None:
        """What an earlier run recorded of the resource, under its URN or one of its aliases."""
        for urn in (goal.urn, *goal.aliases):
            found = self._state.get(urn)
            if found and found.custom == goal.custom and not found.external:
                with self._lock:
                    if urn != goal.urn and urn in self._claimed | set(self._goals):
                        raise ResourceError(f"its alias {urn} is the URN of another resource of the program")
                    self._claimed.add(urn)
                return found
        return None

    def _resource(self, goal: Goal, inputs: Properties, *, id: str) -> Resource:  # noqa: A002 - the domain's word
        return Resource(
            urn=goal.urn,
            custom=goal.custom,
            id=id,
            parent=goal.parent,
            provider=goal.provider if goal.custom else "",
            inputs=inputs,
            dependencies=goal.dependencies,
            property_dependencies=goal.property_dependencies,
            protect=goal.protect,
            retain_on_delete=goal.retain_on_delete,
            deleted_with=goal.deleted_with,
            replacement_trigger=goal.replacement_trigger,
            replace_on_changes=goal.replace_on_changes,
            secret_outputs=tuple(sorted(goal.additional_secret_outputs)),
            timeouts=goal.timeouts,
        )

    def _stranded(self, goal: Goal) -> bool:
        """Whether it needs something that failed, which has been told already."""
        needed = {goal.parent, urns.split_reference(goal.provider)[0], *goal.dependencies}
        with self._lock:
            stranded = bool(needed & self._missing) or (not self.dry_run and has_unknown(goal.inputs))
            if stranded:
                self._missing.add(goal.urn)
        return stranded

    def _claim(self, goal: Goal) -> None:
        with self._lock:
            if goal.urn in self._goals:
                raise ResourceError(f"two resources have the URN {goal.urn}: give one of them another name")
            self._goals[goal.urn] = goal

    def _failed(self, urn: str, error: EngineError) -> Registered:
        if not self.report.failed(urn):
            self.report.fail(f"{urns.name_of(urn)} ({urns.type_of(urn)}): {error}")
        with self._lock:
            self._missing.add(urn)
        if not self.dry_run:
            self._halted.set()
        return Registered(urn=urn, done=False)


def _same(old: Resource, new: Resource) -> bool:
    return replace(old, modified="") == replace(new, modified="")

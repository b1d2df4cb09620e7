import asyncio
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import Mock

import pulumi
import pytest
from pulumi import ErrorHookArgs, ResourceOptions
from pulumi_kubernetes.core.v1 import Namespace, Secret

from program import failure_hooks
from program.failure_hooks import Explain, error_hooks, reporter
from tests.unit.program.hooks import run_hook
from tests.unit.recording import ProgramRunner, Recording

URN = "urn:pulumi:test::rsp::kubernetes:argoproj.io/v1alpha1:Application::cluster-applications-tap"


class Component(pulumi.ComponentResource):
    """A component with two resources and nested components."""

    def __init__(self, name: str, depth: int, opts: ResourceOptions) -> None:
        super().__init__("rsp:index:Component", name, None, opts)
        child = ResourceOptions(parent=self)
        Namespace(name, opts=child)
        Secret(name, opts=child)
        if depth:
            Component(f"{name}-inner", depth - 1, child)


def reported(
    run_program: ProgramRunner, explain: Explain[str], secret: Mapping[str, Any] | None = None, **args: Any
) -> Recording:
    """Run an error hook for a failed resource with the new inputs ``secret``."""

    def program() -> None:
        hook = reporter(explain, {"cluster-applications-tap": pulumi.Output.secret("kubeconfig-of-the-test")}.get)
        inputs = {key: pulumi.Output.secret(value) for key, value in (secret or {}).items()}
        failed = ErrorHookArgs(URN, "", "cluster-applications-tap", "", new_inputs=inputs, **args)
        pulumi.export("retried", pulumi.Output.from_input(hook(failed)))

    recording = run_program(program)
    assert recording.exports == {"retried": False}
    return recording


def test_only_types_with_an_explanation_have_a_hook(run_program: ProgramRunner) -> None:
    def program() -> None:
        transformations = error_hooks({"kubernetes:core/v1:Secret": lambda *_: []}, lambda _: "kubeconfig")
        Component("outer", 1, ResourceOptions(transformations=transformations))
        Component("other", 0, ResourceOptions(transformations=transformations))

    hooks = {each.name: list(each.request.hooks.on_error) for each in run_program(program).of("Secret")}
    assert hooks == {name: ["explain kubernetes:core/v1:Secret"] for name in ("outer", "outer-inner", "other")}
    assert not any(each.request.hooks.on_error for each in run_program(program).of("Namespace"))


def test_the_reason_is_logged_with_the_resource(run_program: ProgramRunner) -> None:
    def explain(kubeconfig: str, inputs: Mapping[str, Any], error: str) -> Sequence[str]:
        assert kubeconfig == "kubeconfig-of-the-test"
        return [f"{inputs['metadata']['name']} fails after {error}", "a pod is the cause"]

    recording = reported(run_program, explain, secret={"metadata": {"name": "tap"}}, errors=["a refusal", "a timeout"])
    assert recording.logged == [(URN, "tap fails after a timeout\n  a pod is the cause")]


def test_a_failed_deletion_is_explained_with_the_old_inputs(run_program: ProgramRunner) -> None:
    recording = reported(run_program, lambda _, inputs, __: [inputs["name"]], old_inputs={"name": "tap"})
    assert recording.logged == [(URN, "tap")]


def test_a_long_reason_is_truncated(run_program: ProgramRunner) -> None:
    ((_, text),) = reported(run_program, lambda *_: [f"line {number}" for number in range(20)]).logged
    assert text.splitlines()[-2:] == ["  line 14", "  … and 5 more lines"]


def test_a_failing_explanation_is_logged_in_one_line(run_program: ProgramRunner) -> None:
    assert reported(run_program, Mock(side_effect=ConnectionError("the Kubernetes API does not answer"))).logged == [
        (URN, "the reason could not be determined: the Kubernetes API does not answer")
    ]


def test_an_explanation_times_out(run_program: ProgramRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure_hooks, "_TIMEOUT", 0.01)

    ended = threading.Event()

    def hang(*_: Any) -> Sequence[str]:
        ended.wait(10)
        return ["too late"]

    ((_, text),) = reported(run_program, hang).logged
    ended.set()
    assert text == "the reason could not be determined: TimeoutError"


def test_operations_in_progress_do_not_delay_an_explanation(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK waits for each operation in a thread of the event loop: there may be none left."""
    logged: list[str] = []
    monkeypatch.setattr(failure_hooks, "_log", lambda _urn, lines: logged.extend(lines))
    monkeypatch.setattr(failure_hooks, "_TIMEOUT", 2)
    hook = reporter(lambda *_: ["a pod is the cause"], lambda _: "kubeconfig-of-the-test")
    ended = threading.Event()

    async def fail() -> bool:
        with ThreadPoolExecutor(1) as pool:
            asyncio.get_running_loop().set_default_executor(pool)
            pool.submit(ended.wait, 10)
            try:
                return await hook(ErrorHookArgs(URN, "", "cluster-applications-tap", "", new_inputs={}))
            finally:
                ended.set()

    assert asyncio.run(fail()) is False
    assert logged == ["a pod is the cause"]


def test_nothing_is_logged_without_a_reason_or_in_a_preview(run_program: ProgramRunner) -> None:
    assert reported(run_program, lambda *_: []).logged == []
    broken = Mock(side_effect=AssertionError("a preview explains nothing"))
    assert reported(run_program.having(preview=True), broken).logged == []


@pytest.mark.parametrize(("failures", "expected"), [(["too early"], True), (["too early", "too early"], False)])
def test_an_operation_is_repeated_once_without_an_explanation(
    failures: list[str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(failure_hooks, "_log", lambda _urn, lines: logged.extend(lines))

    def repeat(cloud: str, inputs: Mapping[str, Any], error: str) -> bool:
        return (cloud, inputs, error) == ("cloud", {"name": "labs"}, "too early")

    hook = reporter(lambda *_: ["a reason"], lambda _: "cloud", repeat)
    failed = ErrorHookArgs(URN, "", "cluster-labs", "", new_inputs={"name": "labs"}, errors=failures)
    assert run_hook(hook, failed) is expected
    assert logged == ([] if expected else ["a reason"])


@pytest.mark.parametrize(("operation", "added"), [("create", ["run recover"]), ("update", [])])
@pytest.mark.parametrize("reasons", [["a reason"], []])
def test_the_way_to_continue_follows_the_reasons_of_a_failed_creation(
    reasons: list[str], operation: str, added: list[str]
) -> None:
    logged: list[str] = []
    hook = reporter(lambda *_: reasons, lambda _: "kubeconfig", after_creation="run recover")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(failure_hooks, "_log", lambda _urn, lines: logged.extend(lines))
        patched.setattr(pulumi.runtime, "is_dry_run", lambda: False)
        run_hook(hook, ErrorHookArgs(URN, "", "cluster", "", new_inputs={}, failed_operation=operation))
    assert logged == [*reasons, *added]

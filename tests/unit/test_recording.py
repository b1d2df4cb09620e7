import pulumi
import pytest

from tests.unit.recording import STACK, UNKNOWN, ProgramRunner

COMPUTED = {"cloud:compute:Server": {"address": "10.0.0.1", "token": "server-token"}}


class Server(pulumi.CustomResource):
    """A resource with a computed output and a computed secret output."""

    address: pulumi.Output[str]
    token: pulumi.Output[str]

    def __init__(self, name: str, size: pulumi.Input[int] = 1, opts: pulumi.ResourceOptions | None = None) -> None:
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(additional_secret_outputs=["token"]))
        super().__init__("cloud:compute:Server", name, {"size": size, "address": None, "token": None}, opts)


def test_records_inputs_options_and_exports(run_program: ProgramRunner) -> None:
    def program() -> None:
        first = Server("first", opts=pulumi.ResourceOptions(protect=True, ignore_changes=["size"]))
        Server("second", size=first.address.apply(len), opts=pulumi.ResourceOptions(depends_on=[first]))
        pulumi.export("address", first.address)
        pulumi.export("token", first.token)

    recording = run_program.having(computed=COMPUTED)(program)

    first, second = recording.one("Server", "first"), recording.one("Server", "second")
    assert first.protect
    assert first.ignored == {"size"}
    assert second.inputs == {"size": 8}
    assert second.dependencies == {first.urn}
    assert first.urn == f"urn:pulumi:{STACK}::rsp::cloud:compute:Server::first"
    assert recording.exports == {"address": "10.0.0.1", "token": "server-token"}
    assert recording.veiled_exports == {"address": "10.0.0.1", "token": "[secret]"}


def test_secret_inputs_are_veiled(run_program: ProgramRunner) -> None:
    recording = run_program(lambda: _make(Server("one", size=pulumi.Output.secret(4))))
    assert recording.one("Server").inputs == {"size": 4}
    assert recording.one("Server").veiled == {"size": "[secret]"}


def test_preview_leaves_computed_values_unknown(run_program: ProgramRunner) -> None:
    def program() -> None:
        first = Server("first")
        Server("second", size=first.address.apply(len))

    recording = run_program.having(computed=COMPUTED, preview=True)(program)
    assert recording.one("Server", "second").inputs == {"size": UNKNOWN}


def test_resources_with_the_same_name_are_rejected(run_program: ProgramRunner) -> None:
    with pytest.raises(Exception, match="two resources share the URN"):
        run_program(lambda: _make(Server("twin"), Server("twin")))


def test_unexpected_invoke_fails(run_program: ProgramRunner) -> None:
    with pytest.raises(Exception, match="unexpected invoke of cloud:index:lookUp"):
        run_program(lambda: _make(pulumi.runtime.invoke("cloud:index:lookUp", {"name": "x"})))


def test_runs_are_independent(run_program: ProgramRunner) -> None:
    run_program(lambda: pulumi.export("left", "over"))
    assert run_program(lambda: None).exports == {}


def test_configuration_reaches_the_program(run_program: ProgramRunner) -> None:
    runner = run_program.having(config={"rsp:size": "3"})
    assert runner(lambda: pulumi.export("size", pulumi.Config().require_int("size"))).exports == {"size": 3}


def test_an_output_in_an_f_string_raises(run_program: ProgramRunner) -> None:
    with pytest.raises(Exception, match="not supported"):
        run_program(lambda: _make(f"{Server('one').address}"))


def _make(*_: object) -> None:
    """Ignore arguments, so that a lambda with expressions can be a program."""

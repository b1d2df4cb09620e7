import pulumi
import pytest

from components.immutable_keys import ImmutableKeys, ImmutableKeysArgs
from tests.unit.recording import ProgramRunner, Recording


def make(run_program: ProgramRunner, **values: pulumi.Input[str]) -> Recording:
    def program() -> None:
        keys = ImmutableKeys("created-with", ImmutableKeysArgs(namespace="rsp", values=values, lasting={}))
        pulumi.export("unchanged", keys.verified.apply(lambda _: True))

    return run_program(program)


@pytest.mark.parametrize("preview", [True, False])
def test_the_value_of_the_first_run_is_kept(run_program: ProgramRunner, preview: bool) -> None:
    recording = make(run_program.having(preview=preview), region="one")
    stash = recording.one("pulumi:index:Stash", "created-with-region")
    assert stash.inputs == {"input": "one"}
    assert stash.ignored == {"input"}
    assert recording.exports == {"unchanged": True}


@pytest.mark.parametrize("preview", [True, False])
def test_another_value_is_refused_also_in_a_preview(run_program: ProgramRunner, preview: bool) -> None:
    later = run_program.having(preview=preview, stashed={"created-with-region": "one", "created-with-zone": "z"})
    assert make(later, region="one", zone="z").exports == {"unchanged": True}
    with pytest.raises(pulumi.RunError, match="rsp:region: has another value than when the stack was created"):
        make(later, region="two", zone="z")


def test_a_secret_stays_secret(run_program: ProgramRunner) -> None:
    def program() -> None:
        values = {"password": pulumi.Output.secret("planted-second")}
        ImmutableKeys("created-with", ImmutableKeysArgs(namespace="rsp", values=values, lasting={}))

    assert run_program(program).one("pulumi:index:Stash").veiled == {"input": "[secret]"}
    with pytest.raises(pulumi.RunError) as error:
        run_program.having(stashed={"created-with-password": "planted-first"})(program)
    assert "planted" not in str(error.value)


@pytest.mark.parametrize("preview", [True, False])
def test_a_key_that_the_cloud_keeps_can_change_but_not_be_removed(run_program: ProgramRunner, preview: bool) -> None:
    def make_with(present: str, **stashed: str) -> Recording:
        def program() -> None:
            args = ImmutableKeysArgs(namespace="rsp", values={}, lasting={"network.mtu": present})
            pulumi.export("unchanged", ImmutableKeys("created-with", args).verified.apply(lambda _: True))

        return run_program.having(preview=preview, stashed=stashed)(program)

    last = {"created-with-network.mtu": "1400"}
    for recording in (make_with(""), make_with("1400"), make_with("1500", **last)):
        assert recording.exports == {"unchanged": True}
    # The last value replaces the one before; none leaves it.
    replaced = make_with("1500", **last).one("pulumi:index:Stash").request
    kept = make_with("").one("pulumi:index:Stash").request
    assert (list(replaced.replaceOnChanges), list(replaced.ignoreChanges)) == (["input"], [])
    assert (list(kept.replaceOnChanges), list(kept.ignoreChanges)) == ([], ["input"])
    with pytest.raises(
        pulumi.RunError, match=r"rsp:network\.mtu: was 1400, and is no longer set, but what exists keeps"
    ):
        make_with("", **last)

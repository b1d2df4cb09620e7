"""Failures of all resources that the program waits for are explained."""

from probes import explanations
from tests.unit.program.conftest import ROE_STATIC, StackRunner

EXPLAINED = {*explanations.KUBERNETES, *explanations.OPENSTACK}
ISSUER = {"tls": {"kind": "letsencrypt", "email": "rsp@example.org"}}


def test_only_resources_with_an_explanation_have_a_hook(run_stack: StackRunner) -> None:
    for mode in ("on-change", "manual"):
        recording = run_stack("sandbox", changes={"applications": {"sync": mode}})
        for each in recording.resources:
            hooks = [f"explain {each.type}"] if each.type in EXPLAINED else []
            assert list(each.request.hooks.on_error) == hooks, each.name
        assert {"Release", "Application", "Cluster", "NodeGroup"} <= {
            kind_of(each.type) for each in recording.resources
        }


def test_all_resources_with_wait_conditions_are_explained(run_stack: StackRunner) -> None:
    for changes in ({"applications": {"sync": "manual"}}, ISSUER):
        recording = run_stack("roe", existing=ROE_STATIC, changes=changes)
        waiting = [
            each
            for each in recording.resources
            if "pulumi.com/waitFor" in ((each.inputs.get("metadata") or {}).get("annotations") or {})
        ]
        assert waiting
        assert [each.name for each in waiting if not each.request.hooks.on_error] == []


def kind_of(token: str) -> str:
    return token.rpartition(":")[2]

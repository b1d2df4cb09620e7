"""Ingress-nginx of the active cluster changes only when the address is free, and then gets it."""

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from config.names import cloud_name
from probes import floating_ip
from program import address_switch
from program.address_switch import AddressNotMovedError, await_cluster, wait_until_free
from program.deployed import Deployed
from tests.unit.program.hooks import run_hook
from tests.unit.recording import STACK, ProgramRunner
from tests.unit.sample import environment, environment_data

ADDRESS = "203.0.113.16"
TWO: dict[str, Any] = {"clusters__green": environment_data()["clusters"]["cluster"], "activeCluster": "green"}
UNMOVED: list[dict[str, Any]] = [
    {"ingress__mode": "octavia"},
    {"applications__sync": "manual"},
    {"applications__overrides": {"ingress-nginx": {"wait": False}}},
]
"""Changes of the configuration with which no run moves the address from one cluster to another."""


@pytest.fixture
def owners(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Return a list of the clusters that have the address, one after another; the last one stays."""
    found: list[str | None] = []
    monkeypatch.setattr(address_switch, "PATIENCE", 0)
    monkeypatch.setattr(floating_ip, "cluster_at_address", lambda *_: found.pop(0) if len(found) > 1 else found[0])
    return found


def test_the_query_is_repeated_until_the_address_has_moved(
    owners: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address_switch, "PATIENCE", 60)
    monkeypatch.setattr(address_switch, "_PAUSE", 0)
    owners += ["blue", None, "green"]
    connection: Any = None
    await_cluster(connection, ADDRESS, "test", lambda found: found == "green")
    assert owners == ["green"]


@pytest.mark.parametrize(
    ("owner", "message"),
    [
        ("blue", f"{ADDRESS} is still at the cluster blue: .*openstack floating ip unset --port {ADDRESS}"),
        (None, f"no cluster has taken {ADDRESS}: "),
    ],
)
def test_an_address_that_does_not_move_is_reported(owners: list[str | None], owner: str | None, message: str) -> None:
    owners.append(owner)
    connection: Any = None
    with pytest.raises(AddressNotMovedError, match=f"^{message}"):
        await_cluster(connection, ADDRESS, "test", lambda found: found == "green")


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[Any], Awaitable[None]]]:
    """Return the functions of the hooks that are made."""
    found: list[Callable[[Any], Awaitable[None]]] = []
    monkeypatch.setattr(address_switch, "ResourceHook", lambda _, function: found.append(function))
    return found


def test_other_applications_do_not_wait(
    hooks: list[Callable[[Any], Awaitable[None]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[Any] = []
    monkeypatch.setattr(address_switch, "_wait", lambda *args: waited.append(args[1]))
    wait_until_free("green", environment(**TWO), ADDRESS)
    (hook,) = hooks

    for name, expected in (("tap", []), ("ingress-nginx", [ADDRESS])):
        run_hook(hook, SimpleNamespace(new_inputs={"metadata": {"name": name}}))
        assert waited == expected


def update(run_program: ProgramRunner, *, preview: bool = False, **changes: Any) -> None:
    """Run a program in which ingress-nginx of the active cluster is deployed."""
    config = environment(**{**TWO, **changes})

    def program() -> None:
        deployed = pulumi.Output.from_input("urn")
        address_switch.await_switch(config, pulumi.Output.from_input(ADDRESS), deployed)

    run_program.having(preview=preview)(program)


@pytest.fixture
def _not_taken(owners: list[str | None], monkeypatch: pytest.MonkeyPatch) -> None:
    owners.append(None)
    monkeypatch.setattr(address_switch, "connect", lambda _, **__: SimpleNamespace())


@pytest.mark.usefixtures("_not_taken")
def test_each_update_fails_until_the_cluster_has_the_address(
    run_program: ProgramRunner, owners: list[str | None]
) -> None:
    for _ in range(2):
        with pytest.raises(pulumi.RunError, match=f"^no cluster has taken {ADDRESS}: "):
            update(run_program)
    owners[:] = [cloud_name(STACK, "green")]
    update(run_program)


@pytest.mark.usefixtures("_not_taken")
@pytest.mark.parametrize("changes", UNMOVED)
def test_nothing_is_asked_where_the_address_does_not_move(run_program: ProgramRunner, changes: dict[str, Any]) -> None:
    update(run_program, preview=True)
    update(run_program, **changes)


def deployed(active: str, *clusters: str) -> Deployed:
    return Deployed(active=active, commit="", clusters=frozenset(clusters), installed={})


def problems(before: Deployed, **changes: Any) -> list[str]:
    return [str(each) for each in address_switch.problems(environment(**TWO, **changes), before)]


def test_a_switch_to_a_cluster_that_is_not_complete_is_refused() -> None:
    assert problems(deployed("cluster", "cluster", "green")) == []
    assert problems(deployed("green", "cluster", "green")) == []
    # Outputs that are lost say nothing.
    assert problems(deployed("")) == []
    (problem,) = problems(deployed("cluster", "cluster"))
    assert problem.startswith(
        "rsp:activeCluster: not all applications are deployed in green yet: set it to cluster, run `pulumi up` until"
    )


@pytest.mark.parametrize("mode", ["octavia", "cloud-controller"])
def test_the_cluster_that_serves_users_is_neither_renamed_nor_removed_by_a_switch(mode: str) -> None:
    """With octavia, no service tells which cluster serves users."""
    clusters = {"green": TWO["clusters__green"]}
    for before in (deployed("blue", "blue"), deployed("blue", "blue", "green")):
        config = environment(clusters=clusters, ingress__mode=mode)
        (problem,) = address_switch.problems(config, before)
        assert problem.fatal
        assert str(problem).startswith("rsp:clusters: the cluster blue serves users, but is not in it: put it back")


@pytest.mark.parametrize("unattended", [{"sync": "manual"}, {"wait": False}])
def test_a_switch_that_the_operator_completes_is_announced(unattended: dict[str, Any]) -> None:
    overrides = {"applications__overrides": {"ingress-nginx": unattended}}
    before = deployed("cluster", "cluster", "green")
    (problem,) = problems(before, **overrides)
    assert problem.startswith("rsp:activeCluster (warning): the address does not move by itself")
    assert "sync it in cluster, which releases the address, then in green" in problem
    assert problems(before, **overrides, ingress__mode="octavia") == []
    assert problems(deployed("green", "cluster", "green"), **overrides) == []


@pytest.mark.usefixtures("hooks")
def test_nothing_is_awaited_where_the_address_does_not_move() -> None:
    config = environment(**{**TWO, "activeCluster": "cluster"})
    assert wait_until_free("cluster", config, ADDRESS)
    assert wait_until_free("green", config, ADDRESS) == []
    for changes in UNMOVED:
        assert wait_until_free("green", environment(**{**TWO, **changes}), ADDRESS) == []

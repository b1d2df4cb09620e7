import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from keystoneauth1.exceptions import ConnectFailure
from typer.testing import CliRunner, Result

from operations import doctor_checks, doctor_cluster_checks
from operations.__main__ import app
from operations.doctor_checks import CheckedStack
from phalanx.errors import PhalanxError
from probes.health.check import Check, run
from probes.health.finding import Finding, State, critical, ok, unknown, warning
from probes.health.root_causes import explain
from recovery.document import secret
from sandbox.site_certificate import issue
from tests.unit.recovery.fake_pulumi import FakePulumi
from tests.unit.sample import environment

SEALED = critical("Vault", "is sealed", "`vault operator unseal`")
MISSING = critical("secrets", "cannot be read", because_of=("Vault",))
FULL = warning("quotas", "cores: all 8 used", "ask for [more]")

Doctor = Callable[..., Result]


@pytest.fixture
def doctor(stack: Path, monkeypatch: pytest.MonkeyPatch) -> Doctor:  # noqa: ARG001 - the present directory
    """Return a function that runs the command with given findings of one check."""

    def invoke(findings: list[Finding], *arguments: str) -> Result:
        check = Check(name="given", run=lambda: findings)
        monkeypatch.setattr(doctor_checks, "all_checks", lambda _: [check])
        return CliRunner().invoke(app, ["doctor", *(arguments or ("-s", "test"))])

    return invoke


def test_a_healthy_stack_exits_with_0(doctor: Doctor) -> None:
    result = doctor([ok("Vault", "unsealed")])
    assert result.exit_code == 0
    assert ": healthy (" in result.stdout


def test_a_failure_exits_with_1_and_shows_the_remedy_and_what_it_explains(doctor: Doctor) -> None:
    result = doctor([ok("Nova", "answers"), MISSING, SEALED, FULL])
    assert result.exit_code == 1
    assert ": 1 critical, 1 warning (" in result.stdout
    rows = [line for line in result.stdout.splitlines() if line.startswith("│")]
    texts = [" ".join(row.replace("│", " ").split()) for row in rows]
    assert texts == [
        "critical Vault is sealed",
        "→ `vault operator unseal`",
        "explains secrets",
        "warning quotas cores: all 8 used",
        "→ ask for [more]",
        "ok Nova answers",
    ]


def test_warnings_alone_do_not_fail(doctor: Doctor) -> None:
    assert doctor([FULL]).exit_code == 0


def test_json_has_all_findings(doctor: Doctor) -> None:
    result = doctor([SEALED, MISSING], "-s", "test", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document.pop("time").endswith("Z")
    assert document == {
        "version": 1,
        "stack": "test",
        "state": "critical",
        "findings": [
            {
                "check": "given",
                "subject": "Vault",
                "state": "critical",
                "message": "is sealed",
                "remedy": "`vault operator unseal`",
                "explainedBy": None,
            },
            {
                "check": "given",
                "subject": "secrets",
                "state": "critical",
                "message": "cannot be read",
                "remedy": "",
                "explainedBy": "Vault",
            },
        ],
    }


@pytest.mark.parametrize(
    "arguments", [("-s", "absent"), ("-s", "test", "--json", "--watch"), ("-s", "test", "--connect", "host:port")]
)
def test_wrong_arguments_and_files_exit_with_2(doctor: Doctor, arguments: tuple[str, ...]) -> None:
    result = doctor([], *arguments)
    assert result.exit_code == 2
    assert result.stderr


def test_watch_repeats_the_checks_until_it_is_interrupted(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def sleep(_: float) -> None:
        asked.append(1)
        if len(asked) > 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("operations.doctor.time.sleep", sleep)
    result = doctor([SEALED], "-s", "test", "--watch")
    assert (result.exit_code, len(asked)) == (1, 3)
    assert "is sealed" in result.stdout


def test_services_that_are_not_reachable_are_one_failure_each(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("phalanx.source.locate", Mock(side_effect=PhalanxError("the repository cannot be read")))
    found = explain(run(doctor_checks.all_checks(CheckedStack("test", environment()))))
    roots = {each.subject: each.state for each in found if each.is_root}
    assert roots == {
        "Keystone": State.CRITICAL,
        "Phalanx repository": State.CRITICAL,
        # Without the Pulumi CLI.
        "kubeconfig": State.UNKNOWN,
    }
    by_subject = {each.subject: each for each in found}
    assert by_subject["applications"].explained_by == "Keystone"
    assert by_subject["secrets"].explained_by == "Phalanx repository"


def test_an_unreachable_cloud_does_not_hide_that_the_platform_is_down() -> None:
    # Neither the load balancer nor the DNS could be checked.
    unasked = unknown("load balancer of the platform", "", because_of=("Keystone",))
    down = critical("HTTPS", "", because_of=("load balancer of the platform",))
    found = explain([critical("Keystone", "does not answer"), unasked, down])
    assert [each.subject for each in found if each.is_root] == ["Keystone", "HTTPS"]


def test_the_kubeconfig_is_that_of_the_state(pulumi: FakePulumi, monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = {"name": "rsp-test-cluster", "kubeconfig": secret({"raw_config": "planted-kubeconfig"})}
    urn = "urn:pulumi:test::rsp::openstack:containerinfra/cluster:Cluster::cluster-cluster"
    pulumi.write([{"urn": urn, "type": "openstack:containerinfra/cluster:Cluster", "outputs": outputs}], [])
    used: list[str] = []
    monkeypatch.setattr(doctor_cluster_checks, "KubernetesApi", used.append)
    CheckedStack("test", environment()).clusters["cluster"].kubernetes()
    assert used == ["planted-kubeconfig"]


def test_a_cluster_that_was_not_created_completely_has_no_kubeconfig(
    pulumi: FakePulumi, monkeypatch: pytest.MonkeyPatch
) -> None:
    urn = "urn:pulumi:test::rsp::openstack:containerinfra/cluster:Cluster::cluster-cluster"
    outputs = {"name": "rsp-test-cluster", "kubeconfig": secret({})}
    pulumi.write([{"urn": urn, "type": "openstack:containerinfra/cluster:Cluster", "outputs": outputs}], [])
    used: list[str] = []
    monkeypatch.setattr(doctor_cluster_checks, "KubernetesApi", used.append)
    monkeypatch.setattr(doctor_checks, "connect", lambda _: "connection")
    monkeypatch.setattr("probes.cluster_access.kubeconfig", lambda *_: "signed")
    stack = CheckedStack("test", environment())
    (found,) = next(each for each in doctor_checks.all_checks(stack) if each.name == "kubeconfig").run()
    expected = "the stack's state has no kubeconfig of rsp-test-cluster, whose creation was not completed"
    assert (found.state, found.message) == (State.UNKNOWN, expected)
    assert found.remedy == "`python -m operations recover -s test`"
    # Its API may answer all the same.
    stack.clusters["cluster"].kubernetes()
    assert used == ["signed"]


@pytest.mark.usefixtures("pulumi")
def test_without_the_state_magnum_signs_a_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[str] = []
    monkeypatch.setattr(doctor_cluster_checks, "KubernetesApi", used.append)
    monkeypatch.setattr(doctor_checks, "connect", lambda _: "connection")
    monkeypatch.setattr("probes.cluster_access.kubeconfig", lambda *asked: f"signed for {asked}")
    stack = CheckedStack("test", environment())
    stack.clusters["cluster"].kubernetes()
    assert used == ["signed for ('connection', 'rsp-test-cluster')"]
    (found,) = next(each for each in doctor_checks.all_checks(stack) if each.name == "kubeconfig").run()
    assert (found.state, found.message) == (
        State.UNKNOWN,
        "the stack's state has no cluster rsp-test-cluster",
    )

    monkeypatch.setattr(
        "probes.cluster_access.kubeconfig", Mock(side_effect=ConnectFailure("Unable to establish connection"))
    )
    (found,) = next(
        each for each in doctor_checks.all_checks(CheckedStack("test", environment())) if each.name == "Kubernetes API"
    ).run()
    assert found.message.startswith("no access without the state's kubeconfig: ")


@pytest.mark.parametrize("mode", ["cloud-controller", "octavia"])
def test_members_are_compared_with_the_nodes_where_no_controller_does(mode: str) -> None:
    names = [each.name for each in doctor_checks.all_checks(CheckedStack("test", environment(ingress__mode=mode)))]
    assert ("members of the load balancer" in names) is (mode == "octavia")


def test_a_private_authority_is_named_before_it_expires(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    for name, days in (("old", 5), ("new", 400)):
        chain, _ = issue("vault.example.org", now - timedelta(1), now + timedelta(days))
        (tmp_path / name).write_text(chain[chain.index("-----END CERTIFICATE-----") :].partition("\n")[2])
    (tmp_path / "both").write_text((tmp_path / "old").read_text() + (tmp_path / "new").read_text())

    def found(vault: str) -> list[tuple[str, State]]:
        stack = CheckedStack(
            "test", environment(vault__caFile=str(tmp_path / vault), phalanx__caFile=str(tmp_path / "new"))
        )
        checks = [each for each in doctor_checks.all_checks(stack) if each.name.startswith("CA ")]
        return [(each.subject, each.state) for each in run(checks)]

    assert found("old") == [("CA in rsp:vault.caFile", State.WARNING), ("CA in rsp:phalanx.caFile", State.OK)]
    assert found("both") == [("CA in rsp:vault.caFile", State.OK), ("CA in rsp:phalanx.caFile", State.OK)]


def test_remedies_refer_to_pages_and_sections_that_exist() -> None:
    root = Path(doctor_checks.__file__).parents[1]
    modules = [*(root / "probes" / "health").glob("*.py"), *(root / "operations").glob("doctor*.py")]
    links = {
        found.groups()
        for each in modules
        for found in re.finditer(r"(docs/[\w/-]+\.md)(?:#([\w-]+))?", each.read_text())
    }
    assert links >= {("docs/howto/on-call.md", "the-load-balancer"), ("docs/howto/kubectl.md", None)}
    for page, section in links:
        headings = re.findall(r"^#+ (.+)$", (root / page).read_text(), flags=re.MULTILINE)
        slugs = {re.sub(r"[^a-z0-9-]", "", each.lower().replace(" ", "-")) for each in headings}
        assert section is None or section in slugs, f"{page}#{section}"

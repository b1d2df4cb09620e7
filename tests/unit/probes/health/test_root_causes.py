from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from probes.health.finding import Finding, State, critical, ok, unknown, warning
from probes.health.root_causes import explain


def causes(*findings: Finding) -> dict[str, str | None]:
    return {each.subject: each.explained_by for each in explain(findings)}


def summary(subject: str, state: State, *parts: str, because_of: tuple[str, ...] = ()) -> Finding:
    return Finding(subject=subject, state=state, message="", parts=parts, because_of=because_of)


def test_a_failure_explains_what_depends_on_it() -> None:
    found = causes(critical("node a", "NotReady"), critical("pod p", "lost", because_of=("node b", "node a")))
    assert found == {"node a": None, "pod p": "node a"}


def test_a_chain_leads_to_its_root() -> None:
    found = causes(
        critical("nodes", "no answer", because_of=("Kubernetes API",)),
        critical("Kubernetes API", "no answer", because_of=("cluster",)),
        critical("cluster", "request failed", because_of=("Magnum", "Keystone")),
        critical("Magnum", "503", because_of=("Keystone",)),
        critical("Keystone", "no answer"),
    )
    assert found == {**dict.fromkeys(("nodes", "Kubernetes API", "cluster", "Magnum"), "Keystone"), "Keystone": None}


def test_what_is_in_order_explains_nothing_and_is_not_explained() -> None:
    found = causes(ok("Vault", "unsealed"), critical("secrets", "missing", because_of=("Vault",)))
    assert found == {"Vault": None, "secrets": None}
    assert causes(critical("Vault", "sealed"), Finding(subject="secrets", message="", because_of=("Vault",))) == {
        "Vault": None,
        "secrets": None,
    }


def test_a_warning_does_not_hide_a_failure() -> None:
    found = causes(warning("quotas", "all used"), critical("claim c", "Pending", because_of=("quotas",)))
    assert found["claim c"] is None
    assert causes(unknown("kubeconfig", ""), critical("api", "", because_of=("kubeconfig",)))["api"] is None
    assert causes(critical("Vault", ""), warning("copies", "", because_of=("Vault",)))["copies"] == "Vault"


def test_the_worst_finding_about_a_subject_counts() -> None:
    found = causes(ok("HTTPS", ""), critical("HTTPS", ""), critical("x", "", because_of=("HTTPS",)))
    assert found["x"] == "HTTPS"


def test_a_summary_explains_its_parts() -> None:
    found = causes(
        critical("pod p", "crashes"), warning("pod q", "restarts"), summary("app", State.CRITICAL, "pod p", "pod q")
    )
    assert found == {"pod p": "app", "pod q": "app", "app": None}


def test_a_cause_of_all_parts_explains_the_summary() -> None:
    lost = [critical(f"pod {name}", "lost", because_of=("node a",)) for name in "pq"]
    found = causes(
        critical("node a", ""),
        *lost,
        warning("pod r", "restarts"),
        summary("app", State.CRITICAL, *"pqr", "pod p", "pod q", "pod r"),
    )
    assert found == {"node a": None, "pod p": "node a", "pod q": "node a", "pod r": "node a", "app": "node a"}


def test_a_part_with_its_own_cause_does_not_explain_the_summary_if_another_part_fails() -> None:
    found = causes(
        critical("node a", ""),
        critical("pod p", "lost", because_of=("node a",)),
        critical("pod q", "crashes"),
        summary("app", State.CRITICAL, "pod p", "pod q"),
    )
    assert found == {"node a": None, "pod p": "node a", "pod q": "app", "app": None}


def test_a_summary_that_is_worse_than_its_parts_is_not_explained_by_their_cause() -> None:
    found = causes(
        critical("node a", ""),
        warning("pod p", "", because_of=("node a",)),
        summary("app", State.CRITICAL, "pod p"),
    )
    assert found["app"] is None


NAMES = st.sampled_from("abcdef")
FINDINGS = st.lists(
    st.builds(
        Finding,
        subject=NAMES,
        state=st.sampled_from(State),
        message=st.just(""),
        because_of=st.lists(NAMES, max_size=3).map(tuple),
        parts=st.lists(NAMES, max_size=3).map(tuple),
    ),
    max_size=8,
)


@given(FINDINGS)
def test_whatever_depends_on_what_something_wrong_is_left_unexplained(findings: list[Finding]) -> None:
    found = explain(findings)
    assert [replace(each, explained_by=None) for each in found] == findings
    wrong = [each for each in found if each.state is not State.OK]
    roots = {each.subject for each in wrong if each.is_root}
    assert bool(roots) == bool(wrong)
    assert {each.explained_by for each in wrong if not each.is_root} <= roots

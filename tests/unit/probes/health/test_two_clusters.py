from collections.abc import Iterator
from unittest.mock import Mock

from probes.health import root_causes, two_clusters
from probes.health.check import Check, run
from probes.health.finding import Finding, State, critical, ok


def findings(*found: Finding, name: str = "check", requires: tuple[str, ...] = ()) -> Check:
    def check() -> Iterator[Finding]:
        yield from found

    return Check(name=name, run=check, requires=requires)


def test_subjects_in_a_cluster_are_named_after_it() -> None:
    (found,) = run([*two_clusters.within("green", [findings(ok("nodes", "2"), name="nodes")])])
    assert (found.check, found.subject) == ("nodes (green)", "nodes (green)")


def test_what_fails_in_one_cluster_explains_nothing_of_the_other() -> None:
    down = critical("Kubernetes API", "no answer", "", ("cluster",))
    late = critical("application tap", "Degraded", "", ("Kubernetes API",))
    checks = [
        *two_clusters.within("blue", [findings(down)]),
        *two_clusters.within("green", [findings(ok("Kubernetes API", "ready"), late)]),
    ]
    roots = [each.subject for each in root_causes.explain(run(checks)) if each.is_root]
    assert roots == ["Kubernetes API (blue)", "application tap (green)"]


def test_what_both_share_explains_findings_of_a_cluster() -> None:
    checks = [
        findings(critical("Keystone", "no answer")),
        *two_clusters.within("green", [findings(critical("cluster", "no answer", "", ("Keystone",)))]),
    ]
    assert [each.subject for each in root_causes.explain(run(checks)) if each.is_root] == ["Keystone"]


def test_the_platform_depends_on_the_active_cluster() -> None:
    checks = [
        *two_clusters.within("blue", [findings(ok("Kubernetes API", "ready"))]),
        *two_clusters.within("green", [findings(critical("Kubernetes API", "no answer"))]),
        *two_clusters.depending_on("green", [findings(critical("HTTPS", "no answer", "", ("Kubernetes API",)))]),
    ]
    (https,) = (each for each in root_causes.explain(run(checks)) if each.subject == "HTTPS")
    assert (https.state, https.explained_by) == (State.CRITICAL, "Kubernetes API (green)")


def test_a_check_that_cannot_be_run_is_named_after_its_cluster() -> None:
    broken = Mock(side_effect=OSError("no route"))
    (found,) = run([*two_clusters.within("green", [Check(name="nodes", run=broken, requires=("Kubernetes API",))])])
    assert (found.subject, found.because_of) == ("nodes (green)", ("Kubernetes API (green)", "Kubernetes API"))

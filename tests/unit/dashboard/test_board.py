from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

from dashboard.board import Board, Snapshot
from probes.health.finding import Finding, critical, ok
from probes.health.report import Report

TIME = datetime(2026, 11, 26, 9, tzinfo=UTC)


def report(minute: int, *findings: Finding) -> Report:
    return Report(stack="test", time=TIME + timedelta(minutes=minute), seconds=1, findings=findings)


def of(check: str, finding: Finding) -> Finding:
    return replace(finding, check=check)


NUBLADO = of("applications", ok("application nublado", "Synced, Healthy, 12345678", "nublado:15.1.0"))
PORTAL = of("applications", critical("application portal", "OutOfSync, Missing"))
VAULT = of("Vault", ok("Vault", "is unsealed", "2.7.2"))


def test_facts_of_a_check_that_fails_are_kept_with_their_time() -> None:
    lost = of("applications", critical("applications", "request failed"))
    first = Snapshot().with_health(report(0, NUBLADO, PORTAL, VAULT, of("claims", ok("claims", "3 bound"))))
    second = first.with_health(report(1, lost, VAULT))
    assert {check: (known.value, known.time) for check, known in second.facts.items()} == {
        "applications": ([NUBLADO, PORTAL], TIME),
        "Vault": ([VAULT], TIME + timedelta(minutes=1)),
    }
    assert second.health == report(1, lost, VAULT)


def test_the_applications_of_two_clusters_are_facts_of_their_own() -> None:
    in_both = [
        of(f"applications ({cluster})", ok(f"application nublado ({cluster})", "Synced, Healthy, 12345678"))
        for cluster in ("blue", "green")
    ]
    known = Snapshot().with_health(report(0, *in_both, of("claims (blue)", ok("claims (blue)", "3 bound"))))
    assert {check: facts.value for check, facts in known.facts.items()} == {each.check: [each] for each in in_both}


def test_an_application_that_is_gone_is_not_kept() -> None:
    first = Snapshot().with_health(report(0, NUBLADO, PORTAL))
    assert first.with_health(report(1, PORTAL)).facts["applications"].value == [PORTAL]


def test_a_round_that_fails_keeps_what_is_known_and_does_not_quote_its_error() -> None:
    known = Snapshot().with_health(report(0, NUBLADO))

    board = Board(Mock(side_effect=KeyError("planted-secret")), interval=60)
    board.snapshot = known
    board.refresh()
    assert board.snapshot == replace(known, failures=("the round itself failed: KeyError",))


def test_a_round_begins_with_what_the_last_one_found() -> None:
    board = Board(lambda known: known.with_health(report(len(known.facts), NUBLADO, VAULT)), interval=60)
    board.refresh()
    board.refresh()
    assert board.snapshot.health == report(2, NUBLADO, VAULT)

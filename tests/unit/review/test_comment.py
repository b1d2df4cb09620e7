"""Reports of recorded runs, see data/README.md."""

import re
from dataclasses import replace

import pytest

from review import comment
from review.changes import Application, Resource
from review.markdown import GITHUB_LIMIT, size
from review.run import Diagnostic
from review.values import SECRET, UNKNOWN, Difference
from tests.unit.review import recorded
from tests.unit.review.test_markdown import HOSTILE, PARSER

RUNS = sorted(file.stem for file in recorded.DATA.glob("*.jsonl"))
STACKS = {"created": "new"}


def headings(report: str) -> list[str]:
    return re.findall(r"^#+ (.*)$", report, re.MULTILINE)


@pytest.mark.parametrize("name", RUNS)
def test_a_report_is_valid_markdown_without_secrets(name: str) -> None:
    text = recorded.report(name, STACKS.get(name, "sandbox"))
    assert size(text) <= GITHUB_LIMIT
    assert text.count("<details>") == text.count("</details>")
    assert "planted" not in text
    fences = [token for token in PARSER.parse(text) if token.type == "fence"]
    assert len(fences) == len(re.findall(r"^`{3,}", text, re.MULTILINE)) / 2


def test_an_unchanged_stack_has_a_short_report() -> None:
    found = recorded.of("unchanged")
    assert comment.render(found).splitlines() == [
        "## Preview of <code>sandbox</code>",
        "",
        f"Phalanx commit <code>{found.commit}</code>",
        "",
        f"**No changes**, {found.unchanged} unchanged.",
    ]


def test_an_application_has_its_revisions() -> None:
    found = recorded.of("application-changed")
    assert found.counts == {"update": len(found.applications)}
    (squareone,) = [each for each in found.applications if each.name == "squareone"]
    assert squareone.operation == "update"
    assert squareone.new == found.commit
    assert re.fullmatch("[0-9a-f]{40}", squareone.old)
    assert squareone.old != squareone.new
    revisions = f"<code>{squareone.old[:12]}</code> → <code>{squareone.new[:12]}</code>"
    report = recorded.report("application-changed")
    assert f"| <code>squareone</code> | update | {revisions} |  |" in report.splitlines()
    assert headings(report) == ["Preview of <code>sandbox</code>", "Applications", "Stack outputs"]


def test_a_deleted_application_is_announced_before_all_other_changes() -> None:
    report = recorded.report("application-deleted")
    assert headings(report)[1] == "Replaced and deleted"
    assert "> **Resources to delete: 4.** Check that no data are lost." in report
    lines = report.splitlines()
    kind = "<code>kubernetes:argoproj.io/v1alpha1:Application</code>"
    assert f"| <code>applications-portal</code> | {kind} | **delete** | none |  |" in lines
    kept = next(line for line in lines if "<code>secrets-portal</code>" in line)
    assert "retained: stays in the cloud" in kept
    assert "portal" not in {each.name for each in recorded.of("application-deleted").applications if each.new}


def test_changed_lists_show_only_what_differs() -> None:
    (repertoire,) = [each for each in recorded.of("application-deleted").applications if each.name == "repertoire"]
    assert list(repertoire.values) == [Difference("config.applications", ["portal"], None)]


def test_a_refused_replacement_is_marked() -> None:
    found = recorded.of("refused")
    assert not found.succeeded
    assert found.commit == ""
    (bucket,) = found.lost
    assert (bucket.name, bucket.operation, bucket.reasons) == ("object-store-bucket", "replace", ["name"])
    assert (bucket.protected, bucket.retained) == (True, True)
    report = recorded.report("refused")
    assert "> **The preview failed.** Until then: **1 to replace**, **2 to update**" in report
    assert "🔒 protected: Pulumi refuses this, retained: stays in the cloud | <code>name</code> |" in report
    assert headings(report)[2] == "Error of <code>object-store-bucket</code>"


def test_facts_have_their_old_and_new_values() -> None:
    (tap,) = recorded.of("refused").applications
    assert tap.old == tap.new
    assert list(tap.values) == [Difference("cadc-tap.config.gcsBucket", "async", "results")]
    assert (
        "| <code>tap</code> | <code>cadc-tap.config.gcsBucket</code> | <code>async</code> | <code>results</code> |"
        in (recorded.report("refused"))
    )


def test_changed_secrets_are_listed_by_name() -> None:
    report = recorded.report("refused")
    assert "| <code>phalanx/sandbox/mobu</code> | Vault | update |" in report
    assert "  changed: mobu/ALERT_HOOK\n" in report
    assert "dataJson: [secret] => [secret]" in report


def test_a_replaced_server_is_announced_with_the_reason() -> None:
    (server,) = recorded.of("server-replaced").lost
    assert (server.name, server.operation, server.reasons) == ("nfs-server", "replace", ["userData"])
    assert not server.protected
    assert headings(recorded.report("server-replaced")) == ["Preview of <code>sandbox</code>", "Replaced and deleted"]


def test_a_new_stack_has_its_applications_secrets_and_outputs() -> None:
    found = recorded.of("created", "new")
    assert set(found.counts) == {"create", "import"}
    assert found.lost == []
    assert {each.operation for each in found.applications} == {"create"}
    assert "phalanx/sandbox/mobu" in {each.name for each in found.secrets if not each.generated}
    outputs = {each.path: each.new for each in found.outputs}
    assert outputs["ingressAddress"] == UNKNOWN
    assert outputs["vaultWriteToken"] == SECRET
    assert "applications" not in outputs
    report = recorded.report("created", "new")
    assert headings(report) == ["Preview of <code>new</code>", "Applications", "Secrets", "Stack outputs"]
    assert f"<details><summary>Other resources ({len(found.others)})</summary>" in report


def test_a_failed_preview_has_all_problems() -> None:
    found = recorded.of("failed")
    assert not found.succeeded
    assert found.outputs == []
    report = recorded.report("failed")
    assert headings(report) == ["Preview of <code>sandbox</code>", "Error"]
    assert "has no branch or tag 'no-such-branch'" in report
    assert "the cloud has no `no-such-type`" in report


def test_drift_is_what_the_program_would_revert() -> None:
    found = recorded.of("drift")
    assert found.counts == {"update": 1}
    assert [(each.name, each.properties) for each in found.others] == [("nfs-group", ["description"])]


def test_what_a_refresh_has_read_is_left_out() -> None:
    text = """\
Previewing update (sandbox):
~ pulumi:pulumi:Stack: (refresh)
    [urn=urn:pulumi:sandbox::rsp::pulumi:pulumi:Stack::rsp-sandbox]
    ~ kubernetes:argoproj.io/v1alpha1:Application: (refresh)
        --outputs:--
      ~ generation: 162 => 172
  pulumi:pulumi:Stack: (same)
    [urn=urn:pulumi:sandbox::rsp::pulumi:pulumi:Stack::rsp-sandbox]
    ~ openstack:networking/secGroup:SecGroup: (update) 🔒
      ~ description: "a" => "b"
Resources:
"""
    report = comment.render(recorded.of("drift"), text)
    assert "generation" not in report
    assert "!     openstack:networking/secGroup:SecGroup: (update) 🔒\n!       description:" in report


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_outside_has_no_effect_on_the_structure(text: str) -> None:
    plain, hostile = (_filled(each) for each in ("plain", text or "plain"))
    kinds = [[token.type for token in PARSER.parse(each)] for each in (plain, hostile)]
    assert kinds[0] == kinds[1]


def _filled(text: str) -> str:
    """Return a report with a text in all places."""
    found = recorded.of("refused")
    application = Application(
        name=text,
        operation="update",
        repository=text,
        old=text,
        new=f"{text}2",
        values=[Difference(text, text, [text])],
        others=[text],
    )
    changes = replace(
        found,
        lost=[replace(found.lost[0], name=text, type=text, reasons=[text])],
        applications=[application],
        secrets=[replace(found.secrets[0], name=text)],
        outputs=[Difference(text, text, {text: text})],
        others=[Resource(name=text, type=text, operation="update", properties=[text], failed=True)],
        diagnostics=[Diagnostic(severity="error", message=text, resource=text)],
    )
    return comment.render(changes, f"      + {text}")


def test_a_report_that_is_too_long_loses_pulumis_output_first() -> None:
    found = recorded.of("application-deleted")
    whole, cut = comment.render(found), comment.render(found, "      + line\n" * 20_000)
    assert cut.startswith(whole.rstrip("\n"))
    assert size(cut) <= GITHUB_LIMIT
    assert re.search(r"```\n\n\*\d+ more lines are left out\.\*\n\n</details>\n$", cut)


def test_a_long_error_leaves_room_for_the_changes() -> None:
    found = recorded.of("application-deleted")
    error = Diagnostic(severity="error", message="line\n" * 50_000, resource="")
    assert "### Applications" in comment.render(replace(found, succeeded=False, diagnostics=[error]))


def test_an_update_is_reported_in_the_past_tense() -> None:
    found = replace(recorded.of("application-deleted"), preview=False)
    report = comment.render(found)
    assert report.startswith("## Update of <code>sandbox</code>")
    assert "**4 deleted**, **12 updated**" in report


def test_changes_on_github_are_linked() -> None:
    found = recorded.of("application-changed")
    application = replace(found.applications[0], repository="https://github.com/lsst-uk/phalanx")
    page = f"https://github.com/lsst-uk/phalanx/compare/{application.old}...{application.new}"
    assert f" ([compare]({page})) |" in comment.render(replace(found, applications=[application]))


def test_marks_of_pulumi_are_moved_to_where_diffs_have_them() -> None:
    text = comment.render(
        recorded.of("unchanged"), "  + a\n    ~ b\n  - c\n    +-d\n    --outputs:--\n      <{%fg 1%}>e<{%reset%}>"
    )
    assert "\n+   a\n!     b\n-   c\n-+    d\n    --outputs:--\n      e\n" in text

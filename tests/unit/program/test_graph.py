"""All resources of a stack: their values, order and secrecy."""

import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pulumi
import pytest

from probes.problem import Problem
from program import providers
from program.outputs import DESCRIPTIONS
from tests.unit.program.conftest import CHECKOUTS, COMMIT, ROE_STATIC, StackRunner
from tests.unit.recording import Recording, Registered

STACKS = sorted(CHECKOUTS)


def application(recording: Recording, name: str) -> dict[str, Any]:
    return recording.one("Application", f"cluster-applications-{name}").inputs


def values_of(recording: Recording, name: str) -> dict[str, Any]:
    values: dict[str, Any] = application(recording, name)["spec"]["source"]["helm"]["valuesObject"]
    return values


def conditions(recording: Recording, name: str) -> list[str]:
    waits: list[str] = json.loads(application(recording, name)["metadata"]["annotations"]["pulumi.com/waitFor"])
    return waits


def stored(recording: Recording, application_name: str) -> dict[str, str]:
    values: dict[str, str] = json.loads(recording.one("SecretV2", f"secrets-{application_name}").inputs["dataJson"])
    return values


@pytest.mark.parametrize("stack", STACKS)
def test_a_preview_has_the_same_resources_as_an_update(stack: str, run_stack: StackRunner) -> None:
    previewed = {(each.type, each.name) for each in run_stack(stack, preview=True).resources}
    assert previewed == {(each.type, each.name) for each in run_stack(stack).resources}


def test_all_outputs_are_documented(graph: Recording) -> None:
    assert graph.exports.keys() == DESCRIPTIONS.keys()
    assert None not in graph.exports.values()
    secret = {name for name, value in graph.veiled_exports.items() if value == "[secret]"}
    assert secret == {"vaultWriteToken", "cephxKeys"}


def test_secrets_are_secret_everywhere(run_stack: StackRunner) -> None:
    recording = run_stack("roe", existing={**ROE_STATIC, "nublado": {"crypto_key": "planted-crypto-key"}})
    known = set(secrets_of(recording))
    assert {"planted-dex", "planted-crypto-key", "computed-secret-id", "ec2-secret", "kubeconfig-of-the-test"} <= known
    seen = json.dumps([[each.veiled for each in recording.resources], recording.veiled_exports])
    assert [value for value in known if value in seen] == []


def secrets_of(recording: Recording) -> Iterator[str]:
    """Yield the secrets in Vault, in stashes and from providers."""
    for secret in recording.of("SecretV2"):
        yield from json.loads(secret.inputs["dataJson"]).values()
    for stash in recording.of("pulumi:index:Stash"):
        if stash.name.startswith("created-with-"):
            continue
        if stash.name not in ("secrets-rotation", "ingress-assignment", "cluster-image"):
            yield stash.inputs["input"]
    yield from ("computed-role-id", "computed-secret-id", "computed-write-token")
    yield from ("ec2-access", "ec2-secret", "kubeconfig-of-the-test")


def test_facts_reach_the_applications_that_need_them(roe: Recording) -> None:
    assert values_of(roe, "ingress-nginx")["ingress-nginx"]["controller"]["service"]["loadBalancerIP"] == "203.0.113.16"
    volumes = values_of(roe, "nublado")["controller"]["config"]["lab"]["volumes"]
    assert [(each["source"]["serverPath"], each["source"]["server"]) for each in volumes] == [
        ("/data", "10.64.0.10"),
        ("/jhome", "10.64.0.10"),
        ("/datasets", "10.64.0.10"),
    ]
    bucket = {"gcsBucket": "async", "gcsBucketUrl": "https://somerville.ed.ac.uk:6780", "gcsBucketType": "S3"}
    assert values_of(roe, "tap")["cadc-tap"]["config"] == bucket == values_of(roe, "ssotap")["cadc-tap"]["config"]
    assert values_of(roe, "postgres")["postgresStorageClass"] == "standard"


def test_labs_mount_shares_in_place_of_an_nfs_server(run_stack: StackRunner) -> None:
    """Whose directories the server exports is one thing; both may be mounted side by side."""
    shares = {"data": {"size": 10}, "jhome": {"size": 10}}
    run = run_stack("roe", changes={"nfs": {"volumes": {"datasets": {"size": 1}}}, "shares": shares})
    volumes = values_of(run, "nublado")["controller"]["config"]["lab"]["volumes"]
    assert [(each["source"]["serverPath"], each["source"]["server"]) for each in volumes] == [
        ("/volumes/preferred", "192.0.2.10"),
        ("/volumes/preferred", "192.0.2.10"),
        ("/datasets", "10.64.0.10"),
    ]
    assert run.exports["shares"] == dict.fromkeys(shares, "192.0.2.10:/volumes/preferred")


def test_the_keys_of_cephfs_are_a_secret_output(run_stack: StackRunner) -> None:
    run = run_stack("roe", changes={"shares": {"fast": {"size": 10, "protocol": "CEPHFS"}}})
    assert run.exports["cephxKeys"] == {"rsp-test-share-fast": "key-of-the-identity"}
    assert run.veiled_exports["cephxKeys"] == "[secret]"
    assert not any("key-of-the-identity" in str(each.veiled_request) for each in run.resources)


def test_each_tap_service_of_ukidacprod_has_its_own_bucket(run_stack: StackRunner) -> None:
    recording = run_stack("ukidacprod")
    buckets = {name: values_of(recording, name)["cadc-tap"]["config"]["gcsBucket"] for name in ("ssotap", "tap")}
    assert buckets == {"ssotap": "async-ssotap", "tap": "async"}
    assert sorted(each.inputs["name"] for each in recording.of("Container")) == ["async", "async-ssotap"]
    assert recording.exports["buckets"] == {"ssotap": "async-ssotap"}
    assert recording.exports["vaultUrl"] == "https://vault-rsp.lsst.ac.uk"
    assert recording.exports["vaultPath"] == "secret/phalanx/ukidacprod"


def test_an_application_keeps_the_values_of_phalanx(roe: Recording) -> None:
    source = application(roe, "mobu")["spec"]["source"]
    assert source["helm"]["valuesObject"] == {"config": {"availableServices": ["tap"]}}
    assert application(roe, "argocd")["spec"]["syncPolicy"]["syncOptions"] == ["ServerSideApply=true"]


def test_repository_revision_and_facts_are_awaited(roe: Recording) -> None:
    facts_hash = values_of(roe, "postgres")["global"]["factsHash"]
    path = "{.status.sync.comparedTo.source.helm.valuesObject.global.factsHash}"
    repository = application(roe, "postgres")["spec"]["source"]["repoURL"]
    assert conditions(roe, "postgres") == [
        f"jsonpath={{.status.sync.comparedTo.source.repoURL}}={repository}",
        f"jsonpath={{.status.sync.revision}}={COMMIT}",
        "jsonpath={.status.sync.status}=Synced",
        "jsonpath={.status.health.status}=Healthy",
        f"jsonpath={path}={facts_hash}",
    ]
    assert facts_hash != values_of(roe, "nublado")["global"]["factsHash"]


def test_the_health_of_argocd_is_not_awaited(roe: Recording) -> None:
    assert not any("health" in each for each in conditions(roe, "argocd"))


def test_applications_are_deployed_in_order(graph: Recording) -> None:
    def needed(name: str) -> set[str]:
        needs = graph.one("Application", f"cluster-applications-{name}").dependencies
        found = {each.name for each in graph.of("Application") if each.urn in needs}
        return {each.removeprefix("cluster-applications-") for each in found}

    assert needed("argocd") == set()
    assert needed("ingress-nginx") == {"argocd"}
    assert needed("gafaelfawr") == {"vault-secrets-operator", "ingress-nginx", "cert-manager", "postgres"}
    assert needed("nublado") == needed("tap") == {"gafaelfawr"}


def test_applications_wait_for_the_buckets_in_their_values(run_stack: StackRunner) -> None:
    recording = run_stack("ukidacprod")
    buckets = {each.urn for each in recording.of("Container")}
    assert len(buckets) == 2
    assert recording.one("Applications").dependencies >= buckets


def test_each_application_depends_on_its_namespace(graph: Recording) -> None:
    namespaces = {each.inputs["metadata"]["name"]: each for each in graph.of("Namespace")}
    assert len(namespaces) == len(graph.of("Namespace"))
    for each in graph.of("Application"):
        destination = each.inputs["spec"]["destination"]["namespace"]
        assert destination in namespaces
        if destination not in ("argocd", "vault-secrets-operator"):
            assert namespaces[destination].urn in each.dependencies


def test_the_namespaces_of_applications_are_retained_and_can_be_taken_over(graph: Recording) -> None:
    namespaces = [each for each in graph.of("Namespace") if each.name.startswith("cluster-applications-")]
    assert len(namespaces) > 5
    for each in namespaces:
        assert each.retained, each.name
        annotations = each.inputs["metadata"]["annotations"]
        assert annotations["pulumi.com/patchForce"] == "true"
        # As the same manager, so that the API server removes what the program no longer sets.
        assert annotations["pulumi.com/patchFieldManager"] == "pulumi-kubernetes-retained"
    (provider,) = graph.of("pulumi:providers:kubernetes")
    assert provider.inputs["upsertExistingObjects"] == "true"


def test_argocd_never_deletes_itself(graph: Recording) -> None:
    def finalizers(name: str) -> list[str]:
        found: list[str] = application(graph, name)["metadata"].get("finalizers", [])
        return found

    assert finalizers("argocd") == finalizers("vault-secrets-operator") == []
    assert finalizers("nublado") == ["resources-finalizer.argocd.argoproj.io"]


def test_existing_releases_are_left_to_argocd(graph: Recording) -> None:
    releases: dict[str, Registered] = {each.inputs["name"]: each for each in graph.of("Release")}
    assert releases.keys() == {"argocd", "vault-secrets-operator"}
    for name, release in releases.items():
        assert release.ignored == {"values", "version", "timeout"}
        # The state contains the path, which must not depend on the machine or the commit.
        assert release.inputs["chart"] in {f".phalanx/{each}/applications/{name}" for each in CHECKOUTS}
    assert releases["argocd"].inputs["values"]["global"]["vaultSecretsPath"]
    assert releases["vault-secrets-operator"].inputs["values"]["vault-secrets-operator"]["vault"]["address"]


def test_every_application_has_all_its_secrets(roe: Recording) -> None:
    assert stored(roe, "argocd").keys() == {
        *("admin.plaintext_password", "admin.password", "admin.passwordMtime", "dex.clientSecret", "server.secretkey"),
    }
    assert stored(roe, "tap") == {
        "AWS_ACCESS_KEY_ID": "ec2-access",
        "AWS_SECRET_ACCESS_KEY": "ec2-secret",
        "google_creds.json": "planted-creds-2",
    }
    assert stored(roe, "postgres")["gafaelfawr_password"] == stored(roe, "gafaelfawr")["database-password"]
    assert len(stored(roe, "postgres")["jupyterhub_password"]) == 64
    assert stored(roe, "pull-secret") == {".dockerconfigjson": '{"auths": {}}'}


def test_the_provider_has_the_region_of_the_checks(roe: Recording) -> None:
    # Not configured: openstacksdk takes it from clouds.yaml.
    assert roe.one("openstack", "openstack").inputs["region"] == "RegionOne"


def test_missing_secrets_are_reported_together_before_the_first_resource(
    run_stack: StackRunner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(providers, "openstack_provider", Mock(side_effect=AssertionError("the provider was created")))
    with pytest.raises(pulumi.RunError) as caught:
        run_stack("roe", existing={"argocd": ROE_STATIC["argocd"]})
    message = str(caught.value)
    needed = {f"{name}/{key}" for name, keys in ROE_STATIC.items() for key in keys if name != "argocd"}
    expected = {at for at in needed if not at.endswith("/google_creds.json")}  # not used with S3
    assert {at for at in needed if f"  {at}: " in message} == expected
    assert "argocd/" not in message
    assert "OAuth 2 login protocol" in message  # Phalanx's own description
    assert 'rsp:secrets.applications["gafaelfawr"]["github-client-secret"]' in message


def test_fatal_problems_of_the_preflight_stop_the_program(run_stack: StackRunner) -> None:
    unknown = Problem(where="rsp:nfs.image", what="no such image")
    quota = Problem(where="rsp:clusters", what="the quota is nearly used up", fatal=False)
    with pytest.raises(pulumi.RunError, match=r"^rsp:nfs.image: no such image$"):
        run_stack("sandbox", problems=[unknown, quota])
    assert run_stack("sandbox", problems=[quota]).resources


def test_the_preflight_can_be_overridden(run_stack: StackRunner, warnings: list[str]) -> None:
    problems = [Problem(where="rsp:nfs.image", what="no such image")]
    assert run_stack("sandbox", problems=problems, changes={"enforcePreflight": False}).resources
    assert warnings == [
        "rsp:enforcePreflight is false: the following problems do not stop the deployment",
        "rsp:nfs.image (warning): no such image",
    ]


def test_a_directory_of_labs_that_nobody_creates_is_a_warning(run_stack: StackRunner, warnings: list[str]) -> None:
    changes = {"nfs": {"volumes": {name: {"size": 1} for name in ("data", "datasets", "jhome")}}}
    run_stack("ukidacprod", preview=True, changes=changes)
    (warning,) = [each for each in warnings if "serverPath" in each]
    assert "volumes[3].source.serverPath: a new volume has no /data/butler/rubin" in warning

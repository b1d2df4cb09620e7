from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phalanx.errors import SecretsError
from phalanx.generators import GeneratorType
from phalanx.secrets import (
    Copied,
    Generated,
    Literal,
    Origin,
    Plan,
    PlannedSecret,
    SecretKey,
    Static,
    Wired,
    required,
    resolve,
)
from tests.unit.phalanx.repository import applications, copied, generated, static

VALUES = {"app": {"config": {"on": True, "off": False, "empty": "", "dotted.key": True}}}


def origin(definition: Mapping[str, Any]) -> Origin | None:
    """Resolve one secret of an application, beside others from which it may be copied or derived."""
    others = {"source": static()}
    plan = resolve(applications({"app": {"key": definition, **others}, "other": {"key": static()}}, VALUES))
    return plan[SecretKey("app", "key")].origin if SecretKey("app", "key") in plan else None


class TestOrigin:
    """Precedence of a definition's sources: value, copy, generator; otherwise the secret is static."""

    def test_a_secret_without_a_rule_is_static(self) -> None:
        assert origin(static()) == Static()

    def test_a_value_is_used_unchanged(self) -> None:
        assert origin(static(value="admin")) == Literal("admin")

    def test_an_empty_value_is_ignored(self) -> None:
        assert origin(static(value="")) == Static()
        assert origin(generated("password") | {"value": ""}) == Generated(GeneratorType.PASSWORD)

    def test_a_copy_names_its_source(self) -> None:
        assert origin(copied("other", "key")) == Copied(SecretKey("other", "key"))

    def test_a_derived_secret_names_its_source_in_the_same_application(self) -> None:
        assert origin(generated("mtime", "source")) == Generated(GeneratorType.MTIME, SecretKey("app", "source"))

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [("config.on", Static()), ("config.off", None), ("config.empty", None), ("config.absent", None), ("no", None)],
    )
    def test_a_secret_whose_condition_is_false_does_not_exist(self, condition: str, expected: Origin | None) -> None:
        assert origin(static(**{"if": condition})) == expected

    def test_a_key_with_a_dot_in_helm_values_cannot_be_a_condition(self) -> None:
        assert origin(static(**{"if": "config.dotted.key"})) is None

    @pytest.mark.parametrize(
        ("copy_if", "generate_if", "expected"),
        [
            ("config.on", "config.off", Copied(SecretKey("other", "key"))),
            ("config.off", "config.on", Generated(GeneratorType.PASSWORD)),
            ("config.off", "config.off", Static()),
        ],
    )
    def test_a_rule_whose_condition_is_false_is_ignored(self, copy_if: str, generate_if: str, expected: Origin) -> None:
        rules = copied("other", "key", **{"if": copy_if})
        assert origin(static(**rules, generate={"type": "password", "if": generate_if})) == expected

    def test_a_value_takes_precedence_over_rules(self) -> None:
        assert origin(static(value="v", **copied("other", "key", **{"if": "config.on"}))) == Literal("v")

    def test_copy_and_generate_cannot_both_apply(self) -> None:
        rules = copied("other", "key", **{"if": "config.on"})
        with pytest.raises(
            SecretsError,
            match=r"^applications/app/secrets\.yaml: key: the conditions of copy and generate are both true",
        ):
            origin(static(**rules, generate={"type": "password", "if": "config.on"}))

    def test_a_literal_does_not_show_its_value(self) -> None:
        assert "hunter2" not in repr(resolve(applications({"app": {"key": static(value="hunter2")}})).values())


class TestMistakes:
    """Errors in the definitions are reported before anything is created."""

    def test_a_copy_from_an_application_that_is_not_enabled_names_both(self) -> None:
        found = applications({"app": {"a.b": copied("gone", "x.y"), "c": copied("lost", "z")}})
        with pytest.raises(SecretsError) as caught:
            resolve(found)
        fix = "is not enabled: enable it, or disable the feature of app that needs the secret"
        assert caught.value.problems == (
            f"applications/app/secrets.yaml: a.b: is copied from gone/x.y, but the application gone {fix}",
            f"applications/app/secrets.yaml: c: is copied from lost/z, but the application lost {fix}",
        )
        # They can still be listed, as by Phalanx.
        assert set(required(found)) == {("app", "a.b"), ("app", "c")}

    def test_a_copy_of_an_undefined_secret_is_reported(self) -> None:
        with pytest.raises(
            SecretsError, match=r"secrets\.yaml: key: depends on other/none, which the application other does not"
        ):
            resolve(applications({"app": {"key": copied("other", "none")}, "other": {"key": static()}}))

    def test_a_copy_of_a_disabled_secret_is_reported_with_the_condition(self) -> None:
        found = applications({"app": {"key": copied("other", "key")}, "other": {"key": static(**{"if": "ldap.url"})}})
        with pytest.raises(
            SecretsError, match=r"secrets\.yaml: key: depends on other/key, .* ldap\.url is false in other$"
        ):
            resolve(found)

    def test_a_missing_source_is_reported(self) -> None:
        with pytest.raises(SecretsError, match=r"secrets\.yaml: hash: depends on app/password, which the application"):
            resolve(applications({"app": {"hash": generated("bcrypt-password-hash", "password")}}))

    @given(st.permutations(["a", "b", "c", "d"]), st.integers(1, 4), st.booleans())
    def test_a_cycle_is_reported_completely(self, order: list[str], length: int, derived: bool) -> None:
        cycle = order[:length]
        links = dict(zip(cycle, [*cycle[1:], cycle[0]], strict=True))
        definitions = {name: {"key.1": copied(source, "key.1")} for name, source in links.items()}
        # A secret that only depends on the cycle is not part of it.
        definitions["outside"] = {"key": copied(cycle[0], "key.1")}
        if derived:
            definitions[cycle[0]]["hash"] = generated("mtime", "key.1")
        with pytest.raises(SecretsError, match=r": secrets depend on each other in a cycle: ") as caught:
            resolve(applications(definitions))
        reported = str(caught.value).partition("cycle: ")[2].split(" <- ")
        assert set(reported) == {f"{name}/key.1" for name in cycle}
        assert reported[0] == reported[-1]
        assert len(reported) == length + 1


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw a plan of secrets of any origin, whose sources are secrets that were drawn before."""
    secrets: list[PlannedSecret] = []
    for number in range(draw(st.integers(1, 12))):
        key = SecretKey(draw(st.sampled_from(["argocd", "tap", "mobu"])), f"key.{number}")
        origins: list[st.SearchStrategy[Origin]] = [
            st.just(Static()),
            st.sampled_from([Literal("value"), Wired()]),
            st.sampled_from([Generated(GeneratorType.PASSWORD), Generated(GeneratorType.OIDC_CLIENTS)]),
        ]
        if secrets:
            sources = st.sampled_from([secret.key for secret in secrets])
            origins += [sources.map(Copied), sources.map(lambda source: Generated(GeneratorType.MTIME, source))]
        secrets.append(PlannedSecret(key=key, description="", origin=draw(st.one_of(origins))))
    return Plan(draw(st.permutations(secrets)))


@given(plans())
def test_the_secrets_of_a_plan_follow_their_sources_and_are_grouped_by_application(plan: Plan) -> None:
    seen: set[SecretKey] = set()
    for key, secret in plan.items():
        assert secret.source is None or secret.source in seen
        seen.add(key)
    assert len(seen) == len(plan)
    found = plan.by_application()
    assert {(app, key): secret for app, secrets in found.items() for key, secret in secrets.items()} == dict(plan)
    assert list(found) == sorted(found)
    # None is unresolved if all static ones are known.
    assert plan.unresolved([key for key, secret in plan.items() if secret.origin == Static()]) == ()


@given(plans(), st.data())
def test_secrets_that_depend_on_an_unknown_static_secret_are_unresolved(plan: Plan, data: st.DataObject) -> None:
    known = set(data.draw(st.lists(st.sampled_from(list(plan)))))

    def resolved(key: SecretKey) -> bool:
        secret = plan[key]
        if isinstance(secret.origin, Static):
            return key in known
        kept = isinstance(secret.origin, Generated) and key in known
        return secret.source is None or kept or resolved(secret.source)

    assert plan.unresolved(known) == tuple(sorted(key for key in plan if not resolved(key)))


def test_a_copy_follows_its_source_even_if_vault_has_a_value() -> None:
    plan = resolve(applications({"app": {"key": copied("other", "key")}, "other": {"key": static()}}))
    assert plan.unresolved([SecretKey("app", "key")]) == (SecretKey("app", "key"), SecretKey("other", "key"))


def test_clients_are_generated_again_even_if_vault_has_them() -> None:
    clients = PlannedSecret(
        key=SecretKey("gafaelfawr", "oidc"), description="", origin=Generated(GeneratorType.OIDC_CLIENTS)
    )
    assert Plan([clients]).unresolved([]) == ()

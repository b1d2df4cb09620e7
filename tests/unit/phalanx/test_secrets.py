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
    """Resolve one secret of an application among others that it may be made from."""
    others = {"source": static()}
    plan = resolve(applications({"app": {"key": definition, **others}, "other": {"key": static()}}, VALUES))
    return plan[SecretKey("app", "key")].origin if SecretKey("app", "key") in plan else None


class TestOrigin:
    """Where a secret comes from: the first that holds of its value, a copy, a generator; else a person."""

    def test_without_a_rule_a_person_gives_it(self) -> None:
        assert origin(static()) == Static()

    def test_a_value_is_taken_as_it_is(self) -> None:
        assert origin(static(value="admin")) == Literal("admin")

    def test_an_empty_value_is_none(self) -> None:
        assert origin(static(value="")) == Static()
        assert origin(generated("password") | {"value": ""}) == Generated(GeneratorType.PASSWORD)

    def test_a_copy_names_its_source(self) -> None:
        assert origin(copied("other", "key")) == Copied(SecretKey("other", "key"))

    def test_a_generator_that_derives_names_its_source_in_the_same_application(self) -> None:
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
    def test_a_rule_whose_condition_is_false_does_not_count(
        self, copy_if: str, generate_if: str, expected: Origin
    ) -> None:
        rules = copied("other", "key", **{"if": copy_if})
        assert origin(static(**rules, generate={"type": "password", "if": generate_if})) == expected

    def test_a_value_wins_over_rules_that_hold(self) -> None:
        assert origin(static(value="v", **copied("other", "key", **{"if": "config.on"}))) == Literal("v")

    def test_copy_and_generate_that_both_hold_contradict_each_other(self) -> None:
        rules = copied("other", "key", **{"if": "config.on"})
        with pytest.raises(SecretsError, match=r"^app/key: the conditions of both copy and generate hold"):
            origin(static(**rules, generate={"type": "password", "if": "config.on"}))

    def test_a_literal_does_not_show_its_value(self) -> None:
        assert "hunter2" not in repr(resolve(applications({"app": {"key": static(value="hunter2")}})).values())


class TestMistakes:
    """What cannot be resolved is told before anything is made."""

    def test_a_copy_from_an_application_that_is_not_enabled_names_both(self) -> None:
        found = applications({"app": {"a.b": copied("gone", "x.y"), "c": copied("lost", "z")}})
        with pytest.raises(SecretsError) as caught:
            resolve(found)
        mend = "is not enabled: enable it, or turn off what needs the secret in app"
        assert caught.value.problems == (
            f"app/a.b is copied from gone/x.y, but the application gone {mend}",
            f"app/c is copied from lost/z, but the application lost {mend}",
        )
        # The list of what is needed can still be had, as Phalanx gives it.
        assert set(required(found)) == {("app", "a.b"), ("app", "c")}

    def test_a_copy_of_something_undefined_is_named(self) -> None:
        with pytest.raises(SecretsError, match="app/key is made from other/none, which the application other does not"):
            resolve(applications({"app": {"key": copied("other", "none")}, "other": {"key": static()}}))

    def test_a_copy_of_something_turned_off_names_the_condition(self) -> None:
        found = applications({"app": {"key": copied("other", "key")}, "other": {"key": static(**{"if": "ldap.url"})}})
        with pytest.raises(SecretsError, match=r"app/key is made from other/key, .* ldap\.url is false in other$"):
            resolve(found)

    def test_a_source_that_is_missing_is_named(self) -> None:
        with pytest.raises(
            SecretsError, match="app/hash is made from app/password, which the application app does not"
        ):
            resolve(applications({"app": {"hash": generated("bcrypt-password-hash", "password")}}))

    @given(st.permutations(["a", "b", "c", "d"]), st.integers(1, 4), st.booleans())
    def test_a_circle_is_named_whole(self, order: list[str], length: int, within: bool) -> None:
        circle = order[:length]
        links = dict(zip(circle, [*circle[1:], circle[0]], strict=True))
        definitions = {name: {"key.1": copied(source, "key.1")} for name, source in links.items()}
        # Something that only hangs on the circle is no part of it.
        definitions["outside"] = {"key": copied(circle[0], "key.1")}
        if within:
            definitions[circle[0]]["hash"] = generated("mtime", "key.1")
        with pytest.raises(SecretsError, match=r"^Secrets are made from each other in a circle: ") as caught:
            resolve(applications(definitions))
        told = str(caught.value).partition("circle: ")[2].split(" <- ")
        assert set(told) == {f"{name}/key.1" for name in circle}
        assert told[0] == told[-1]
        assert len(told) == length + 1


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw a plan of secrets, each of any origin, made from one that was drawn before or from none."""
    secrets: list[PlannedSecret] = []
    for number in range(draw(st.integers(1, 12))):
        at = SecretKey(draw(st.sampled_from(["argocd", "tap", "mobu"])), f"key.{number}")
        origins: list[st.SearchStrategy[Origin]] = [
            st.just(Static()),
            st.sampled_from([Literal("value"), Wired()]),
            st.sampled_from([Generated(GeneratorType.PASSWORD), Generated(GeneratorType.OIDC_CLIENTS)]),
        ]
        if secrets:
            sources = st.sampled_from([secret.at for secret in secrets])
            origins += [sources.map(Copied), sources.map(lambda source: Generated(GeneratorType.MTIME, source))]
        secrets.append(PlannedSecret(at=at, description="", origin=draw(st.one_of(origins))))
    return Plan(draw(st.permutations(secrets)))


@given(plans())
def test_what_a_secret_is_made_from_comes_before_it(plan: Plan) -> None:
    seen: set[SecretKey] = set()
    for at, secret in plan.items():
        assert secret.source is None or secret.source in seen
        seen.add(at)
    assert len(seen) == len(plan)


@given(plans())
def test_every_secret_is_found_by_its_application(plan: Plan) -> None:
    found = plan.by_application()
    assert {(app, key): secret for app, secrets in found.items() for key, secret in secrets.items()} == dict(plan)
    assert list(found) == sorted(found)


@given(plans(), st.data())
def test_unresolved_is_what_leads_back_to_a_static_secret_that_nobody_gives(plan: Plan, data: st.DataObject) -> None:
    known = set(data.draw(st.lists(st.sampled_from(list(plan)))))

    def resolved(at: SecretKey) -> bool:
        secret = plan[at]
        if isinstance(secret.origin, Static):
            return at in known
        kept = isinstance(secret.origin, Generated) and at in known
        return secret.source is None or kept or resolved(secret.source)

    assert plan.unresolved(known) == tuple(sorted(at for at in plan if not resolved(at)))


@given(plans())
def test_nothing_is_unresolved_when_all_static_secrets_are_given(plan: Plan) -> None:
    assert plan.unresolved([at for at, secret in plan.items() if secret.origin == Static()]) == ()


def test_a_copy_follows_its_source_whatever_vault_has() -> None:
    plan = resolve(applications({"app": {"key": copied("other", "key")}, "other": {"key": static()}}))
    assert plan.unresolved([SecretKey("app", "key")]) == (SecretKey("app", "key"), SecretKey("other", "key"))


def test_clients_are_generated_again_even_if_vault_has_them() -> None:
    clients = PlannedSecret(
        at=SecretKey("gafaelfawr", "oidc"), description="", origin=Generated(GeneratorType.OIDC_CLIENTS)
    )
    assert Plan([clients]).unresolved([]) == ()

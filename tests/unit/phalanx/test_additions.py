from phalanx import additions
from phalanx.generators import GeneratorType
from phalanx.secrets import Generated, Plan, SecretKey, Static, Wired

UNDECLARED = {
    SecretKey("tap", "AWS_ACCESS_KEY_ID"): ("tap: Deployment/cadc-tap",),
    SecretKey("postgres", "jupyterhub_password"): ("postgres: Deployment/postgres",),
    SecretKey("plot-navigator", "S3_KEY"): ("plot-navigator: Deployment/a", "plot-navigator: Deployment/b"),
}


def test_a_key_comes_from_where_this_program_has_it_and_else_from_a_person() -> None:
    planned = {secret.at: secret for secret in additions.plan(["postgres", "plot-navigator"], UNDECLARED)}
    assert {at: secret.origin for at, secret in planned.items()} == {
        SecretKey("plot-navigator", "S3_KEY"): Static(),
        SecretKey("postgres", "jupyterhub_password"): Generated(GeneratorType.PASSWORD),
        SecretKey("tap", "AWS_ACCESS_KEY_ID"): Wired(),
    }
    assert planned[SecretKey("plot-navigator", "S3_KEY")].description == (
        "Declared by no secrets.yaml, but read by plot-navigator: Deployment/a, plot-navigator: Deployment/b."
    )


def test_tap_gets_the_object_stores_keys_even_if_the_checkout_does_not_ask_for_them() -> None:
    planned = [secret.at for secret in additions.plan(["argocd", "tap"], {})]
    assert planned == [SecretKey("tap", "AWS_ACCESS_KEY_ID"), SecretKey("tap", "AWS_SECRET_ACCESS_KEY")]


def test_only_what_a_person_gives_can_be_missing() -> None:
    plan = Plan(additions.plan(["tap"], UNDECLARED))
    assert plan.unresolved([]) == (SecretKey("plot-navigator", "S3_KEY"),)

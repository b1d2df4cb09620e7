from phalanx import secret_additions
from phalanx.generators import GeneratorType
from phalanx.secrets import Generated, Plan, PlannedSecret, SecretKey, Static, Wired

UNDECLARED = {
    SecretKey("tap", "AWS_ACCESS_KEY_ID"): ("tap: Deployment/cadc-tap",),
    SecretKey("postgres", "jupyterhub_password"): ("postgres: Deployment/postgres",),
    SecretKey("plot-navigator", "S3_KEY"): ("plot-navigator: Deployment/a", "plot-navigator: Deployment/b"),
}


def test_keys_that_are_neither_wired_nor_generated_are_static() -> None:
    planned = {
        secret.key: secret for secret in secret_additions.plan_undeclared(["postgres", "plot-navigator"], UNDECLARED)
    }
    assert {key: secret.origin for key, secret in planned.items()} == {
        SecretKey("plot-navigator", "S3_KEY"): Static(),
        SecretKey("postgres", "jupyterhub_password"): Generated(GeneratorType.PASSWORD),
        SecretKey("tap", "AWS_ACCESS_KEY_ID"): Wired(),
    }
    assert planned[SecretKey("plot-navigator", "S3_KEY")].description == (
        "Not declared in any secrets.yaml, but read by plot-navigator: Deployment/a, plot-navigator: Deployment/b."
    )


def test_tap_gets_the_object_stores_keys_even_if_its_chart_does_not_read_them() -> None:
    planned = [secret.key for secret in secret_additions.plan_undeclared(["argocd", "tap"], {})]
    assert planned == [SecretKey("tap", "AWS_ACCESS_KEY_ID"), SecretKey("tap", "AWS_SECRET_ACCESS_KEY")]


def test_only_static_secrets_can_be_missing() -> None:
    plan = Plan(secret_additions.plan_undeclared(["tap"], UNDECLARED))
    assert plan.unresolved([]) == (SecretKey("plot-navigator", "S3_KEY"),)


def test_credentials_of_google_are_needed_only_if_they_have_a_value() -> None:
    keys = [
        SecretKey("tap", "google_creds.json"),
        SecretKey("tap", "pgpassword"),
        SecretKey("mobu", "google_creds.json"),
    ]
    planned = [PlannedSecret(key=key, description="", origin=Static()) for key in keys]
    assert [secret.key for secret in secret_additions.without_google_credentials(planned, ())] == keys[1:]
    assert [secret.key for secret in secret_additions.without_google_credentials(planned, keys[:1])] == keys

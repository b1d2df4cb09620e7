"""Phalanx's own schema of an environment's settings (``EnvironmentConfig`` in src/phalanx/models/environments.py).

Phalanx's linters refuse an environment that does not match the schema. Most of these settings do not affect this
program, so an invalid one is reported, but does not stop a deployment.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import AnyHttpUrl, AnyUrl, BaseModel, ConfigDict, Field, field_validator
from pydantic.alias_generators import to_camel
from pydantic.types import StrictBool

from phalanx.documents import validate
from phalanx.errors import PhalanxError


class _Settings(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", hide_input_in_errors=True)


class GcpMetadata(_Settings):
    """Project in Google Cloud that hosts the environment."""

    project_id: str
    region: str
    cluster_name: str


class OnepasswordConfig(_Settings):
    """1Password vault with the static secrets."""

    connect_url: AnyHttpUrl
    vault_title: str


class ControlSystemConfig(_Settings):
    """Settings of the telescope's control system."""

    app_namespace: str | None = None
    image_tag: str | None = None
    site_tag: str | None = None
    topic_name: str | None = None
    kafka_broker_address: str | None = None
    kafka_topic_replication_factor: int | None = None
    schema_registry_url: str | None = None
    s3_endpoint_url: str | None = Field(default=None, alias="s3EndpointUrl")


class EnvironmentConfig(_Settings):
    """All settings of ``environments/values-<name>.yaml``."""

    # Other versions of Phalanx have more: `phalanx.environment` reports what their templates do not read.
    model_config = ConfigDict(extra="ignore")

    name: str
    fqdn: str
    app_of_apps_name: str | None = None
    revisions: dict[str, str] = {}
    butler_server_repositories: dict[str, AnyUrl] | None = None
    gcp: GcpMetadata | None = None
    namespace_labels: dict[str, dict[str, str]] | None = None
    onepassword: OnepasswordConfig | None = None
    vault_url: AnyHttpUrl | None = None
    vault_path_prefix: str
    default_compute_class: str | None = None
    control_system: ControlSystemConfig | None = None
    applications: dict[str, StrictBool]
    repo_url: str | None = None
    target_revision: str | None = None

    @field_validator("onepassword", mode="before")
    @classmethod
    def _absent(cls, value: object) -> object:
        """Read settings without a URL as none, as Phalanx does: ``values.yaml`` has placeholders."""
        return None if not value or (isinstance(value, Mapping) and not value.get("connectUrl")) else value


SETTINGS = frozenset(str(field.alias) for field in EnvironmentConfig.model_fields.values())
"""Names of all settings."""


def problems(settings: Mapping[str, Any], where: str) -> list[str]:
    """Report settings that do not fit the schema.

    Args:
        settings: Settings of ``values.yaml``, overridden by those of the environment.
        where: File of the environment, for the messages.
    """
    try:
        validate(EnvironmentConfig, settings, where, quote=True)
    except PhalanxError as error:
        return list(error.problems)
    return []

from enum import StrEnum
from ipaddress import IPv4Address
from typing import Annotated, Literal

from pydantic import AfterValidator, AnyHttpUrl, Field, SecretStr

from config.section import Section


def _is_no_address(bucket: str) -> str:
    try:
        IPv4Address(bucket)
    except ValueError:
        return bucket
    raise ValueError(
        f"{bucket} is an IP address, which S3 does not allow as a name: expected a name, for example async"
    )


def _is_plain(endpoint: AnyHttpUrl) -> AnyHttpUrl:
    if endpoint.username or endpoint.password or endpoint.query or endpoint.fragment:
        raise ValueError(
            "must contain neither a user nor a query: it is a stack output in clear; expected for example "
            "https://s3.example.org:6780"
        )
    return endpoint


Bucket = Annotated[
    str,
    Field(min_length=3, max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$"),
    AfterValidator(_is_no_address),
]
"""Name of a bucket (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html)."""

Endpoint = Annotated[AnyHttpUrl, AfterValidator(_is_plain)]
"""URL of an S3 service."""


class TapService(StrEnum):
    """An application of Phalanx that stores the results of queries."""

    SSOTAP = "ssotap"
    TAP = "tap"


class _Store(Section):
    """Settings of both kinds of store."""

    bucket: Bucket = Field(description="Bucket for the results of TAP queries")
    buckets: dict[TapService, Bucket] = Field(
        default={},
        description="Buckets of individual TAP services, by application (tap, ssotap), in place of bucket",
    )


class SwiftStore(_Store):
    """Containers in Swift (or Ceph RGW) of the OpenStack project, with EC2 credentials."""

    kind: Literal["swift"] = Field(description="Create the containers and their credentials in this OpenStack project")
    endpoint: Endpoint = Field(description="S3 endpoint of the cloud, without the bucket")


class ExistingStore(_Store):
    """Existing buckets.

    Required if EC2 credentials cannot be created: Keystone refuses this to restricted application credentials.
    """

    kind: Literal["s3"] = Field(description="Use existing buckets with existing keys")
    endpoint: Endpoint = Field(description="S3 endpoint, without the bucket")
    access_key: SecretStr = Field(description="S3 access key (pulumi config set --secret)")
    secret_key: SecretStr = Field(description="S3 secret key (pulumi config set --secret)")


ObjectStoreSettings = Annotated[SwiftStore | ExistingStore, Field(discriminator="kind")]
"""Object store for the results of TAP queries."""

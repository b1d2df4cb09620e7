from typing import Annotated, Literal

from pydantic import AnyHttpUrl, Field, SecretStr

from config.section import Section

Bucket = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
"""A bucket's name by the rules of S3."""


class SwiftStore(Section):
    """A container in the project's own Swift (or Ceph RGW), with EC2 credentials made for it."""

    kind: Literal["swift"] = Field(description="Make the container and its credentials in this OpenStack project")
    endpoint: AnyHttpUrl = Field(description="S3 endpoint of the cloud, without the bucket")
    bucket: Bucket = Field(description="Container for the results of TAP queries")


class GivenStore(Section):
    """A bucket that somebody else keeps.

    The way where EC2 credentials cannot be made: Keystone refuses them to restricted application credentials.
    """

    kind: Literal["s3"] = Field(description="Use an existing bucket with existing keys")
    endpoint: AnyHttpUrl = Field(description="S3 endpoint, without the bucket")
    bucket: Bucket = Field(description="Bucket for the results of TAP queries")
    access_key: SecretStr = Field(description="S3 access key (pulumi config set --secret)")
    secret_key: SecretStr = Field(description="S3 secret key (pulumi config set --secret)")


ObjectStore = Annotated[SwiftStore | GivenStore, Field(discriminator="kind")]
"""Where TAP keeps the results of queries."""

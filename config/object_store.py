from typing import Annotated, Literal

from pydantic import AnyHttpUrl, Field, SecretStr

from config.section import Section

Bucket = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
"""Name of a bucket, by the rules of S3."""


class SwiftStore(Section):
    """A container in Swift (or Ceph RGW) of the OpenStack project, with EC2 credentials."""

    kind: Literal["swift"] = Field(description="Create the container and its credentials in this OpenStack project")
    endpoint: AnyHttpUrl = Field(description="S3 endpoint of the cloud, without the bucket")
    bucket: Bucket = Field(description="Container for the results of TAP queries")


class ExistingStore(Section):
    """An existing bucket.

    Required if EC2 credentials cannot be created: Keystone refuses this to restricted application credentials.
    """

    kind: Literal["s3"] = Field(description="Use an existing bucket with existing keys")
    endpoint: AnyHttpUrl = Field(description="S3 endpoint, without the bucket")
    bucket: Bucket = Field(description="Bucket for the results of TAP queries")
    access_key: SecretStr = Field(description="S3 access key (pulumi config set --secret)")
    secret_key: SecretStr = Field(description="S3 secret key (pulumi config set --secret)")


ObjectStoreSettings = Annotated[SwiftStore | ExistingStore, Field(discriminator="kind")]
"""Object store for the results of TAP queries."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from config.addresses import EndpointUrl
from config.changes import in_place, refused
from config.section import Matching, SecretLine, Section


class _BucketMatching(Matching):
    """Constraint of a bucket's name, with the rules that a regular expression cannot express."""

    def _flaw(self, text: str) -> str | None:
        if flaw := super()._flaw(text):
            return flaw
        if all(part.isdecimal() for part in text.split(".")) and text.count(".") == 3:  # noqa: PLR2004
            return "is an IP address, which S3 does not allow"
        if text.startswith(("xn--", "sthree-", "amzn-s3-demo-")) or text.endswith(
            ("-s3alias", "--ol-s3", ".mrap", "--x-s3")
        ):
            return "begins or ends as S3 reserves it"
        return None


Bucket = Annotated[
    str,
    Field(min_length=3),
    _BucketMatching(
        r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*",
        "3 to 63 lower-case letters, digits, hyphens and dots between letters or digits, such as async",
        63,
    ),
]
"""Name of a bucket (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html)."""


class TapService(StrEnum):
    """An application of Phalanx that stores the results of queries."""

    SSOTAP = "ssotap"
    TAP = "tap"


_BUCKETS = refused(
    "the protected container would be replaced, and running queries would lose their results; unprotect it "
    "(`pulumi state unprotect`): another container is created, and the old one keeps its results. Another entry "
    "creates its container. With `kind` s3, applications use the other bucket at once"
)

_ENDPOINT = in_place("updates the TAP services, which use the other endpoint at once")
_KEYS = in_place("writes the keys to Vault; restart the TAP services, which read them at their start")


class _Store(Section):
    """Settings that both kinds of store have."""

    bucket: Annotated[Bucket, _BUCKETS] = Field(description="Bucket for the results of TAP queries", examples=["async"])
    buckets: Annotated[dict[TapService, Bucket], _BUCKETS] = Field(
        default={},
        description="Buckets of individual TAP services, by application (tap, ssotap), in place of bucket",
        examples=[{"ssotap": "async-sso"}],
    )


class SwiftStore(_Store):
    """Containers in Swift (or Ceph RGW) of the OpenStack project, with EC2 credentials."""

    kind: Literal["swift"] = Field(description="Create the containers and their credentials in this OpenStack project")
    endpoint: Annotated[EndpointUrl, _ENDPOINT] = Field(
        description="S3 endpoint of the cloud, without the bucket", examples=["https://s3.example.org:6780"]
    )


class ExistingStore(_Store):
    """Existing buckets.

    Required if EC2 credentials cannot be created: Keystone does not allow this with restricted application credentials.
    """

    kind: Literal["s3"] = Field(description="Use existing buckets with existing keys")
    endpoint: Annotated[EndpointUrl, _ENDPOINT] = Field(
        description="S3 endpoint, without the bucket", examples=["https://s3.example.org:6780"]
    )
    access_key: Annotated[SecretLine, _KEYS] = Field(description="S3 access key (pulumi config set --secret)")
    secret_key: Annotated[SecretLine, _KEYS] = Field(description="S3 secret key (pulumi config set --secret)")


ObjectStoreSettings = Annotated[SwiftStore | ExistingStore, Field(discriminator="kind")]
"""Object store for the results of TAP queries."""

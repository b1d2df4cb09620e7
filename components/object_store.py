from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_openstack import identity, objectstorage


@dataclass(frozen=True, kw_only=True)
class S3Keys:
    """S3 credentials with read and write access to the bucket."""

    access_key: pulumi.Input[str] = field(repr=False)
    """Access key ID."""
    secret_key: pulumi.Input[str] = field(repr=False)
    """Secret key; always treated as a secret."""


@dataclass(frozen=True, kw_only=True)
class ObjectStoreArgs:
    """Arguments of an `ObjectStore`."""

    endpoint: str
    """URL of the S3 service, without bucket and trailing slash."""
    bucket: str
    """Name of the bucket for the results of TAP queries."""
    buckets: Mapping[str, str]
    """Names of the buckets of individual applications, by application."""
    keys: S3Keys | None
    """Credentials for existing buckets; None to create Swift containers and EC2 credentials in the project."""
    protect: bool
    """Whether to protect the containers, which hold users' results."""


class ObjectStore(pulumi.ComponentResource):
    """Buckets for the results of TAP queries: Swift containers with EC2 credentials, or existing buckets."""

    endpoint: str
    """URL of the S3 service."""
    bucket: str
    """Name of the bucket."""
    buckets: Mapping[str, str]
    """Names of the buckets of individual applications, by application."""
    access_key: pulumi.Output[str]
    """S3 access key ID (secret)."""
    secret_key: pulumi.Output[str]
    """S3 secret key (secret)."""

    def __init__(self, name: str, args: ObjectStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:ObjectStore", name, None, opts)
        self.endpoint = args.endpoint
        self.bucket = args.bucket
        self.buckets = args.buckets
        keys = args.keys or self._create(name, args)
        self.access_key = pulumi.Output.secret(keys.access_key)
        self.secret_key = pulumi.Output.secret(keys.secret_key)
        self.register_outputs(
            {
                "endpoint": self.endpoint,
                "bucket": self.bucket,
                "buckets": self.buckets,
                "accessKey": self.access_key,
                "secretKey": self.secret_key,
            },
        )

    def _create(self, name: str, args: ObjectStoreArgs) -> S3Keys:
        others = sorted(set(args.buckets.values()) - {args.bucket})
        for resource, bucket in {
            f"{name}-bucket": args.bucket,
            **{f"{name}-bucket-{each}": each for each in others},
        }.items():
            objectstorage.Container(
                resource,
                name=bucket,
                # Without force_destroy, a container with objects is never deleted. The provider would update another
                # name in the state only; as a replacement it is refused while the container is protected.
                opts=pulumi.ResourceOptions(
                    parent=self, protect=args.protect, retain_on_delete=True, replace_on_changes=["name"]
                ),
            )
        # It belongs to the user: to any other one, Keystone forbids a refresh and the deletion (its policies
        # identity:ec2_get_credential and identity:ec2_delete_credential).
        # The SDK declares only the secret key as a secret.
        credential = identity.Ec2CredentialV3(
            f"{name}-keys",
            opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["access"]),
        )
        return S3Keys(access_key=credential.access, secret_key=credential.secret)

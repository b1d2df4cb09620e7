from dataclasses import dataclass, field

import pulumi
from pulumi_openstack import identity, objectstorage


@dataclass(frozen=True, kw_only=True)
class S3Keys:
    """Keys of somebody who may read and write the bucket."""

    access_key: pulumi.Input[str] = field(repr=False)
    """The access key id."""
    secret_key: pulumi.Input[str] = field(repr=False)
    """The secret key; treated as secret whatever it is given as."""


@dataclass(frozen=True, kw_only=True)
class ObjectStoreArgs:
    """What an `ObjectStore` is made from."""

    endpoint: str
    """URL of the S3 service, without the bucket and without a final slash."""
    bucket: str
    """Name of the bucket for the results of TAP queries."""
    keys: S3Keys | None = None
    """Keys of a bucket that exists; None to make a Swift container and EC2 credentials for it in the project."""
    protect: bool = True
    """Refuse to delete the container: it holds users' results."""


class ObjectStore(pulumi.ComponentResource):
    """Where TAP keeps the results of queries: a Swift container with EC2 credentials, or a bucket that exists."""

    endpoint: str
    """URL of the S3 service."""
    bucket: str
    """Name of the bucket."""
    access_key: pulumi.Output[str]
    """S3 access key id, secret."""
    secret_key: pulumi.Output[str]
    """S3 secret key, secret."""

    def __init__(self, name: str, args: ObjectStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:ObjectStore", name, None, opts)
        self.endpoint = args.endpoint
        self.bucket = args.bucket
        keys = args.keys or self._create(name, args)
        self.access_key = pulumi.Output.secret(keys.access_key)
        self.secret_key = pulumi.Output.secret(keys.secret_key)
        self.register_outputs(
            {
                "endpoint": self.endpoint,
                "bucket": self.bucket,
                "accessKey": self.access_key,
                "secretKey": self.secret_key,
            },
        )

    def _create(self, name: str, args: ObjectStoreArgs) -> S3Keys:
        objectstorage.Container(
            f"{name}-bucket",
            name=args.bucket,
            # Without force_destroy Swift refuses to delete a container that holds objects.
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect, retain_on_delete=True),
        )
        # The SDK marks the secret key only.
        credential = identity.Ec2CredentialV3(
            f"{name}-keys",
            opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["access"]),
        )
        return S3Keys(access_key=credential.access, secret_key=credential.secret)

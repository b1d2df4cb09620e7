from pydantic import Field

from config.section import Name, Section


class Cloud(Section):
    """The OpenStack project to deploy into.

    Credentials are read from ``clouds.yaml`` (``OS_CLIENT_CONFIG_FILE`` or the default locations of openstacksdk), so
    that they never enter the stack's state.
    """

    name: Name = Field(description="Entry of clouds.yaml with the credentials", examples=["somerville"])
    region: Name | None = Field(
        default=None, description="Region, if the cloud has more than one", examples=["RegionOne"]
    )
    keypair: Name | None = Field(
        default=None,
        description="Existing Nova keypair for SSH to the NFS server and the cluster's nodes; none if absent",
        examples=["operators"],
    )

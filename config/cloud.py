from pydantic import Field

from config.section import Name, Section


class Cloud(Section):
    """The OpenStack project to deploy into.

    Credentials stay in ``clouds.yaml`` (``OS_CLIENT_CONFIG_FILE`` or the usual places of openstacksdk):
    only the entry's name is configuration, so that no credential enters the stack's state.
    """

    name: Name = Field(description="Entry of clouds.yaml that holds the credentials")
    region: Name | None = Field(default=None, description="Region, if the cloud has more than one")
    keypair: Name | None = Field(
        default=None,
        description="Existing Nova keypair for logging in to the NFS server and the cluster's nodes; none if absent",
    )

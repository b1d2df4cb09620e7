from typing import Annotated

from pydantic import Field

from config.changes import in_place, refused
from config.section import Name, Section


class Cloud(Section):
    """The OpenStack project to deploy into.

    Credentials are read from ``clouds.yaml`` (``OS_CLIENT_CONFIG_FILE`` or the default locations of openstacksdk), so
    that they never enter the stack's state.
    """

    name: Annotated[
        Name,
        in_place("later requests use the other entry; refused if it leads to another project"),
    ] = Field(description="Entry of clouds.yaml with the credentials", examples=["somerville"])
    region: Annotated[
        Name | None, refused("resources stay in their region; deploy another stack in the other region")
    ] = Field(default=None, description="Region, if the cloud has more than one", examples=["RegionOne"])
    keypair: Annotated[
        Name | None,
        refused("Magnum sets it when it creates a cluster; create another stack, or replace the keys on the nodes"),
    ] = Field(
        default=None,
        description=(
            "Existing Nova keypair of the cluster's nodes and of the NFS server, whose security group does not admit "
            "SSH; none if absent"
        ),
        examples=["operators"],
    )

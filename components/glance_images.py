"""Images that the configuration names, of which the services of OpenStack should get the ID."""

import pulumi
from pulumi_openstack import images

from config.names import is_id


def newest_id(image: str, parent: pulumi.Resource) -> pulumi.Output[str]:
    """Return the ID of the newest image with a name; empty if there is none.

    Args:
        image: Name of the image, or its ID, which is returned as it is.
        parent: Parent of the look-up.
    """
    if is_id(image):
        return pulumi.Output.from_input(image)
    options = pulumi.InvokeOptions(parent=parent)
    found = images.get_image_ids_output(name=image, sort="created_at:desc", opts=options)
    return found.ids.apply(lambda ids: ids[0] if ids else "")

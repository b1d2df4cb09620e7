from pulumi import CustomTimeouts, ResourceOptions


def wait(seconds: int) -> ResourceOptions:
    """Return the options by which the Kubernetes provider waits so long for an object, and no longer.

    An option, unlike the annotation ``pulumi.com/timeoutSeconds``, is no property of the object: with another one
    nothing is updated.

    Args:
        seconds: Time for each operation, a deletion included.
    """
    duration = f"{seconds}s"
    return ResourceOptions(custom_timeouts=CustomTimeouts(create=duration, update=duration, delete=duration))

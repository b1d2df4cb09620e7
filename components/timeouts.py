from pulumi import CustomTimeouts, ResourceOptions


def timeouts(seconds: int) -> ResourceOptions:
    """Return options that limit how long the Kubernetes provider waits for an object.

    Unlike the annotation ``pulumi.com/timeoutSeconds``, the option is not a property of the object, so that another
    timeout updates nothing.

    Args:
        seconds: Timeout of each operation, including deletion.
    """
    duration = f"{seconds}s"
    return ResourceOptions(custom_timeouts=CustomTimeouts(create=duration, update=duration, delete=duration))

from typing import Any


def deployment(reference: str, absent: str) -> dict[str, Any]:
    """Return the manifest of the Deployment ``waits``, whose pod cannot start as it reads an object that is absent.

    Args:
        reference: Kind of reference to the object: ``secretRef`` or ``configMapRef``.
        absent: Name of the object.
    """
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "waits"},
        "spec": {
            "selector": {"matchLabels": {"app": "waits"}},
            "template": {
                "metadata": {"labels": {"app": "waits"}},
                "spec": {"containers": [{"name": "main", "image": "none", "envFrom": [{reference: {"name": absent}}]}]},
            },
        },
    }

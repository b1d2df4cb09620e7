from tests.sandbox.conftest import cluster, kubernetes, objects, program, settings, tenant, vault  # noqa: F401

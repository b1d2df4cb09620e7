from tests.sandbox.conftest import program, tenant, vault  # noqa: F401

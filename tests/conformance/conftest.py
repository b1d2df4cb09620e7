from tests.unit.conftest import session_cache  # noqa: F401

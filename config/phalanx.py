from pydantic import Field, field_validator

from config.section import Section, Slug


class Phalanx(Section):
    """Phalanx repository, revision and environment to deploy."""

    repository: str = Field(
        min_length=1,
        description="URL of the Phalanx Git repository, reachable by this program and by Argo CD",
    )
    revision: str = Field(
        default="main",
        min_length=1,
        description="Branch, tag or full commit hash; resolved to a commit in each run",
    )
    environment: Slug = Field(description="Phalanx environment: NAME in environments/values-NAME.yaml")

    @field_validator("repository")
    @classmethod
    def _without_credentials(cls, repository: str) -> str:
        scheme, separator, rest = repository.partition("://")
        if separator and scheme in ("http", "https") and "@" in rest.partition("/")[0]:
            raise ValueError(
                "must not contain a user or password: use a credential helper of Git instead (git help credentials)"
            )
        return repository

from pydantic import Field, field_validator

from config.section import Section, Slug


class Phalanx(Section):
    """Which Phalanx repository, revision and environment the stack deploys."""

    repository: str = Field(
        min_length=1,
        description="URL of the Phalanx Git repository, as Git clones it and Argo CD reads it",
    )
    revision: str = Field(
        default="main",
        min_length=1,
        description="Branch, tag or full commit; resolved to a commit once per run, which is a stack output",
    )
    environment: Slug = Field(description="Phalanx environment: the NAME of environments/values-NAME.yaml")

    @field_validator("repository")
    @classmethod
    def _holds_no_password(cls, repository: str) -> str:
        scheme, separator, rest = repository.partition("://")
        if separator and scheme in ("http", "https") and "@" in rest.partition("/")[0]:
            raise ValueError(
                "must hold no user or password: give them to Git's credential helper (git help credentials)"
            )
        return repository

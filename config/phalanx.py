from typing import Annotated

from pydantic import AfterValidator, Field

from config.section import ONE_LINE, Matching, Section, Slug
from phalanx.git_addresses import check_repository, check_revision

_ADDRESS = Matching(ONE_LINE, "the URL of a Git repository, such as https://github.com/lsst-sqre/phalanx", 2048)


class Phalanx(Section):
    """Phalanx repository, revision and environment to deploy."""

    repository: Annotated[str, _ADDRESS, AfterValidator(check_repository)] = Field(
        description="URL of the Phalanx Git repository, reachable by this program and by Argo CD",
        examples=["https://github.com/lsst-sqre/phalanx"],
    )
    revision: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(check_revision)] = Field(
        default="main",
        description="Branch, tag or full commit hash; resolved to a commit in each run",
    )
    environment: Slug = Field(
        description="Phalanx environment: NAME in environments/values-NAME.yaml", examples=["ukidacprod"]
    )

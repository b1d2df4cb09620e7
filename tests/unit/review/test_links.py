import pytest

from review.links import compare

OLD, NEW = "1" * 40, "2" * 40


@pytest.mark.parametrize(
    ("repository", "page"),
    [
        ("https://github.com/lsst-uk/phalanx", "https://github.com/lsst-uk/phalanx/compare"),
        ("https://github.com/lsst-uk/phalanx.git", "https://github.com/lsst-uk/phalanx/compare"),
        ("git@github.com:lsst-uk/phalanx.git", "https://github.com/lsst-uk/phalanx/compare"),
        ("ssh://git@github.com/lsst-uk/phalanx/", "https://github.com/lsst-uk/phalanx/compare"),
        ("https://gitlab.com/a/b/phalanx.git", "https://gitlab.com/a/b/phalanx/-/compare"),
        ("https://gitlab.example.org:8443/a/phalanx", "https://gitlab.example.org:8443/a/phalanx/-/compare"),
        ("ssh://git@gitlab.example.org:2222/a/phalanx.git", "https://gitlab.example.org/a/phalanx/-/compare"),
    ],
)
def test_a_repository_on_github_or_gitlab_has_a_page(repository: str, page: str) -> None:
    assert compare(repository, OLD, NEW) == f"{page}/{OLD}...{NEW}"


@pytest.mark.parametrize(
    "repository",
    [
        "file:///var/lib/phalanx.git",
        "https://git.example.org/phalanx",
        "https://github.com.example.org/a/b",
        "https://notgitlab.example.org/a/b",
        "https://github.com/a/b) [x](https://example.org",
        "/srv/phalanx",
        "",
    ],
)
def test_other_repositories_have_none(repository: str) -> None:
    assert compare(repository, OLD, NEW) is None


@pytest.mark.parametrize(("old", "new"), [("", NEW), (OLD, ""), (OLD, OLD)])
def test_there_must_be_two_revisions(old: str, new: str) -> None:
    assert compare("https://github.com/a/b", old, new) is None


def test_the_name_of_a_branch_is_quoted() -> None:
    url = compare("https://github.com/a/b", "x) y", "tickets/DM-1")
    assert url == "https://github.com/a/b/compare/x%29%20y...tickets%2FDM-1"

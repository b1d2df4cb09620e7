import pytest
from hypothesis import given
from hypothesis import strategies as st

from phalanx.git_addresses import check_repository, check_revision


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/lsst-sqre/phalanx",
        "https://git.example.org:8443/phalanx.git",
        "https://[2001:db8::1]/phalanx.git",
        "ssh://git@git.example.org:22/phalanx.git",
        "ssh://git.example.org/phalanx.git",
        "git@github.com:lsst-sqre/phalanx.git",
        "github.com:lsst-sqre/phalanx.git",
        "file:///srv/phalanx.git",
        "/srv/phalanx repository",
        "../phalanx",
        "~/phalanx",
    ],
)
def test_addresses_that_only_transfer_data_are_allowed(address: str) -> None:
    assert check_repository(address) == address


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("ext::sh -c hunter2", "uses the transport ext::, which is not allowed"),
        ("fd::17", "uses the transport fd::, which is not allowed"),
        ("http://git.example.org/phalanx", "uses http, which is not allowed"),
        ("git://git.example.org/phalanx", "uses git, which is not allowed"),
        ("ftp://git.example.org/phalanx", "uses ftp, which is not allowed"),
        ("://git.example.org/phalanx", "uses an empty scheme, which is not allowed"),
        ("https://[::1/phalanx", "is not a valid URL"),
        ("https://git.example.org:99999/phalanx", "is not a valid URL"),
        ("https://git.example.org:x/phalanx", "is not a valid URL"),
        ("https:///phalanx", "has no valid user, host or port"),
        ("https://-oProxyCommand/phalanx", "has no valid user, host or port"),
        ("https://git.example.org", "has no path"),
        ("https://git.example.org/a b", "contains a space"),
        ("https://git.example.org/\0", "contains a control character"),
        ("https://git.example.org/\ud800", "contains a control character"),
        ("git.example.org:", "has no path"),
        ("-oProxyCommand=x:phalanx", "starts with a hyphen"),
        ("git@-oProxyCommand=x:phalanx", "has no valid user or host"),
        ("--upload-pack=x", "starts with a hyphen"),
        ("file://srv/phalanx", "has no absolute path"),
        ("file:///", "has no absolute path"),
        ("", "is empty"),
        ("https://git.example.org/" + "a" * 2048, "has more than 2048 characters"),
    ],
)
def test_other_addresses_are_refused_with_an_example(address: str, problem: str) -> None:
    with pytest.raises(ValueError, match=r"for example https://github\.com/lsst-sqre/phalanx$") as caught:
        check_repository(address)
    assert problem in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "address",
    [
        "https://somebody:hunter2@git.example.org/phalanx",
        "https://hunter2@git.example.org/phalanx",
        "https://:hunter2@git.example.org/phalanx",
        "https://a:hunter2@b@git.example.org/phalanx",
        "HTTPS://hunter2@git.example.org/phalanx",
        "http://hunter2@git.example.org/phalanx",
        "ssh://git:hunter2@git.example.org/phalanx",
        "git:hunter2@git.example.org:phalanx",
        "https://git.example.org/phalanx?token=hunter2",
        "https://git.example.org/phalanx#hunter2",
    ],
)
def test_credentials_in_an_address_are_refused_without_quoting_them(address: str) -> None:
    with pytest.raises(ValueError, match=r"contains a password or token|has a query or a fragment") as caught:
        check_repository(address)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("revision", ["main", "tickets/DM-1", "v1.0", "u/somebody/a_b", "0" * 40, "caf\u00e9"])
def test_names_of_revisions_are_allowed(revision: str) -> None:
    assert check_revision(revision) == revision


@pytest.mark.parametrize(
    "revision",
    [
        *("", "-u", "--upload-pack=x", "a..b", "a b", "a\0b", "a\nb", "refs/heads/*", "a?", "a[b", "a~1", "a^", "a:b"),
        *("/a", "a/", "a//b", ".a", "a.", "a/.b", "a.lock", "a.lock/b", "@", "a@{1}", "a\\b", "a" * 201, "\ud800"),
    ],
)
def test_other_revisions_are_refused_with_an_example(revision: str) -> None:
    with pytest.raises(ValueError, match=r"is not the name of a revision: .*, for example main$") as caught:
        check_revision(revision)
    assert len(str(caught.value)) < 300


@given(st.text(max_size=50))
def test_any_text_is_allowed_or_refused(text: str) -> None:
    for check in (check_repository, check_revision):
        try:
            assert check(text) == text
        except ValueError as error:
            assert "expected" in str(error)  # noqa: PT017 - either outcome is right

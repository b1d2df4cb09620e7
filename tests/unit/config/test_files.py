"""Files of private CAs: what is refused, and by which message."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from components import private_authority
from config.files import ca_certificates, ca_expiry
from config.loader import ConfigError
from sandbox.site_certificate import issue
from tests.unit.sample import environment

NOW = datetime.now(UTC)


def test_certificates_are_returned_without_comments(tmp_path: Path) -> None:
    pem = private_authority.create("vault.example.org")["certificate"]
    (tmp_path / "ca.pem").write_text(f"# The site's own CA\n{pem}\n# and again\n{pem}")
    assert ca_certificates(tmp_path / "ca.pem") == pem + pem


def test_a_missing_file_is_refused_with_its_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        environment(vault__caFile=str(tmp_path / "ca.pem"))
    expected = "ca.pem cannot be read (No such file or directory): must be a file with the CA's certificate (got "
    assert "rsp:vault.caFile: " in str(error.value)
    assert expected in str(error.value)


def test_the_file_of_a_git_server_is_for_https(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(private_authority.create("git.example.org")["certificate"])
    with pytest.raises(ConfigError, match="caFile is for a repository like https://HOST/PATH"):
        environment(phalanx__repository="git@git.example.org:phalanx", phalanx__caFile=str(tmp_path / "ca.pem"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "contains no certificate: must be the certificate of the CA as PEM"),
        (issue("a.example.org", NOW, NOW + timedelta(1))[1], "contains a private key: must contain the certificate"),
        (issue("a.example.org", NOW, NOW + timedelta(1))[0], "contains the certificate of a server (CN=a.example.org)"),
        (private_authority.create("a.example.org")["certificate"] * 150, "has more than 65536 bytes"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "ca.pem").write_text(content)
    with pytest.raises(ValueError, match=r"ca\.pem") as error:
        ca_certificates(tmp_path / "ca.pem")
    assert message in str(error.value)


def authority(ends: datetime) -> str:
    chain, _ = issue("a.example.org", NOW - timedelta(2), ends)
    return chain[chain.index("-----END CERTIFICATE-----") :].partition("\n")[2]


def test_expired_authorities_are_refused(tmp_path: Path) -> None:
    day, before = NOW - timedelta(1), NOW - timedelta(1, hours=1)
    (tmp_path / "ca.pem").write_text(authority(day) + authority(before))
    with pytest.raises(ValueError, match=r"ca\.pem: the CA CN=CA of a.example.org expired on ") as error:
        ca_certificates(tmp_path / "ca.pem")
    assert str(error.value).endswith(f" {day:%Y-%m-%d}: add the CA of the server's current certificate")


def test_an_expired_authority_beside_a_valid_one_stops_nothing(tmp_path: Path) -> None:
    ends = (NOW + timedelta(30)).replace(microsecond=0)
    both = authority(NOW - timedelta(1)) + authority(ends)
    (tmp_path / "ca.pem").write_text(both)
    # What the cluster gets does not change on the day.
    assert ca_certificates(tmp_path / "ca.pem") == both
    assert environment(vault__caFile=str(tmp_path / "ca.pem")).vault.ca_certificates == both
    assert ca_expiry(tmp_path / "ca.pem") == ends

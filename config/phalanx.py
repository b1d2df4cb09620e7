from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from config.changes import in_place, refused
from config.files import CaFile
from config.section import ONE_LINE, SEALED, Matching, Secret, SecretLine, Section, Slug
from config.vault import Username
from phalanx import git_credentials
from phalanx.git_addresses import check_repository, check_revision, transport
from phalanx.git_credentials import Anonymous, Credentials, SshKey, Token

_ADDRESS = Matching(ONE_LINE, "the URL of a Git repository, such as https://github.com/lsst-sqre/phalanx", 2048)


def _check_private_key(key: SecretStr) -> SecretStr:
    if key.get_secret_value() != SEALED:
        git_credentials.check_private_key(key.get_secret_value())
    return key


PrivateKey = Annotated[Secret, AfterValidator(_check_private_key)]
"""Private SSH key without a passphrase."""

KnownHost = Annotated[
    str,
    Matching(
        r"(@cert-authority )?[^\s#@]+ (ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}( .*)?",
        "a line as `ssh-keyscan` prints it, such as git.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI...",
        4096,
    ),
]
"""Public key of an SSH server: a line of a file known_hosts (sshd(8))."""


class HttpsCredentials(Section):
    """A password or access token, for a repository with an https URL."""

    kind: Literal["https"] = Field(description="Use an access token, with HTTPS")
    username: Username = Field(
        default="git", description="User name; GitHub and GitLab accept any with an access token"
    )
    token: SecretLine = Field(
        description="Access token that can read the repository (pulumi config set --secret --path)"
    )


class SshCredentials(Section):
    """A private key, such as that of a deploy key, for a repository with an ssh URL or git@HOST:PATH."""

    kind: Literal["ssh"] = Field(description="Use a private key, with SSH")
    private_key: PrivateKey = Field(
        description="Private key without a passphrase (pulumi config set --secret --path KEY < FILE)"
    )
    known_hosts: tuple[KnownHost, ...] = Field(
        min_length=1,
        max_length=50,
        description="Public keys of the Git server, as lines of `ssh-keyscan HOST`; no other key is accepted",
        examples=[["git.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"]],
    )


class Phalanx(Section):
    """Phalanx repository, revision and environment to deploy."""

    repository: Annotated[
        str,
        _ADDRESS,
        AfterValidator(check_repository),
        in_place("updates all Argo CD Applications, which are synced from the other repository"),
    ] = Field(
        description="URL of the Phalanx Git repository, reachable by this program and by Argo CD",
        examples=["https://github.com/lsst-sqre/phalanx"],
    )
    revision: Annotated[
        str,
        Field(min_length=1, max_length=200),
        AfterValidator(check_revision),
        in_place("updates the Argo CD Applications; the preview shows which"),
    ] = Field(
        default="main",
        description="Branch, tag or full commit hash; resolved to a commit in each run",
    )
    environment: Annotated[
        Slug, refused("paths in Vault and their policies are named after it; deploy another stack")
    ] = Field(description="Phalanx environment: NAME in environments/values-NAME.yaml", examples=["ukidacprod"])
    credentials: Annotated[
        Annotated[HttpsCredentials | SshCredentials, Field(discriminator="kind")] | None,
        in_place("creates, updates or deletes Argo CD's Secret for the repository; this program uses them at once"),
    ] = Field(
        default=None,
        description="Credentials of a private repository, for this program and for Argo CD; read access suffices",
        examples=[{"kind": "https", "token": {"secure": "..."}}],
    )

    ca_file: Annotated[
        CaFile | None,
        in_place("later requests trust the other CA; updates Argo CD, unless wiring is verify"),
    ] = Field(
        default=None,
        description=(
            "File with the certificate of the private CA that has signed the Git server's, as PEM; this program and "
            "Argo CD then trust no other for this server"
        ),
        examples=["certificates/git.pem"],
    )

    @model_validator(mode="after")
    def _authority_of_https(self) -> Self:
        if self.ca_file and transport(self.repository) != "https":
            raise ValueError("caFile is for a repository like https://HOST/PATH: change repository, or remove caFile")
        return self

    @model_validator(mode="after")
    def _credentials_fit_the_repository(self) -> Self:
        if self.credentials and transport(self.repository) != (kind := self.credentials.kind):
            example = {"https": "https://HOST/PATH", "ssh": "git@HOST:PATH or ssh://HOST/PATH"}[kind]
            raise ValueError(
                f"credentials of kind {kind} are for a repository like {example}: change repository, or remove "
                "credentials"
            )
        return self

    @property
    def git_credentials(self) -> Credentials | None:
        """The credentials for Git, with the CA of its server; None if the repository needs neither."""
        match self.credentials:
            case HttpsCredentials(username=username, token=token):
                return Token(username=username, token=token.get_secret_value(), ca_file=self.ca_file)
            case SshCredentials(private_key=key, known_hosts=hosts):
                return SshKey(private_key=key.get_secret_value(), known_hosts=hosts)
            case _:
                return Anonymous(ca_file=self.ca_file) if self.ca_file else None

    @property
    def sealed(self) -> bool:
        """True if the credentials are encrypted, as after reading a file without its key."""
        match self.credentials:
            case HttpsCredentials(token=secret) | SshCredentials(private_key=secret):
                return secret.get_secret_value() == SEALED
            case _:
                return False

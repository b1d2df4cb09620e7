"""The certificate by which browsers know the platform, and where it comes from."""

from typing import Annotated, Literal

from pydantic import AnyHttpUrl, Field, SecretStr

from config.section import Name, Section

LETS_ENCRYPT = AnyHttpUrl("https://acme-v02.api.letsencrypt.org/directory")
LETS_ENCRYPT_STAGING = AnyHttpUrl("https://acme-staging-v02.api.letsencrypt.org/directory")

DnsName = Annotated[str, Field(pattern=r"^([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
"""A name in the DNS of two labels or more, in lower case, without the dot at its end."""


class PhalanxCertificate(Section):
    """Whatever the Phalanx repository says for the environment: nothing is laid over it."""

    kind: Literal["phalanx"] = Field(description="Leave the certificate to the settings in the Phalanx repository")


class VaultCertificate(Section):
    """A certificate that somebody obtained, given as the static secrets ingress-nginx/tls.crt and tls.key."""

    kind: Literal["vault"] = Field(description="Serve the certificate that Vault holds")


class Http01(Section):
    """The authority asks the platform itself, by HTTP on port 80 of its name."""

    kind: Literal["http01"] = Field(description="Prove the name by an answer over HTTP; no wildcard can be proved so")


class GivenCredential(Section):
    """An application credential of Keystone that may write the zone."""

    id: Name = Field(description="Id of the application credential")
    secret: Annotated[SecretStr, Field(min_length=1)] = Field(
        description="Its secret (pulumi config set --secret --path)",
    )


class Designate(Section):
    """The authority asks the DNS, in a zone that OpenStack's Designate serves."""

    kind: Literal["designate"] = Field(description="Prove the name by a TXT record in a zone of Designate")
    zone: DnsName = Field(
        description="Zone in which _acme-challenge of the platform's name, or what it is a CNAME of, lies",
    )
    credential: GivenCredential | None = Field(
        default=None,
        description=(
            "Application credential with which cert-manager writes the zone, where it lies in another project than "
            "rsp:cloud or these credentials may make none; by default the stack makes one that may do nothing else"
        ),
    )


class LetsEncrypt(Section):
    """A certificate that cert-manager obtains and renews by ACME (RFC 8555)."""

    kind: Literal["letsencrypt"] = Field(description="Have cert-manager obtain and renew the certificate")
    email: str = Field(
        pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
        description="Address of the ACME account, at which the authority reaches a person",
    )
    server: AnyHttpUrl = Field(
        default=LETS_ENCRYPT,
        description=(
            f"Directory of the ACME server; {LETS_ENCRYPT_STAGING} to try it out, as its limits are wide and browsers "
            "do not trust it"
        ),
    )
    challenge: Annotated[Http01 | Designate, Field(discriminator="kind")] = Field(
        default=Http01(kind="http01"),
        description="How the platform proves that it has its name",
    )


Tls = Annotated[PhalanxCertificate | VaultCertificate | LetsEncrypt, Field(discriminator="kind")]
"""Where the platform's certificate comes from."""

"""Types of network addresses, host names, URLs and email addresses in the configuration."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, AnyHttpUrl, BeforeValidator, WithJsonSchema

from config.section import Matching

_LABEL: Final = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_TOP_LABEL: Final = "[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = rf"({_LABEL}\.)*{_TOP_LABEL}"
_NUMBERS: Final = r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}"

PRIVATE_NETWORKS: Final = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""Networks for private use (RFC 1918)."""


class _HostMatching(Matching):
    """Constraint of a host name whose message says what URLs and browsers accept instead."""

    def _flaw(self, text: str) -> str | None:
        flaw = super()._flaw(text)
        if flaw != "is not valid":
            return flaw
        for reason, wrong in (
            ("contains a scheme", "://" in text),
            ("contains a path or a port", re.search("[:/]", text)),
            ("contains a wildcard", "*" in text),
            ("ends with a dot", text.endswith(".")),
            ("contains capital letters", text.lower() != text),
            ("is an IP address", re.fullmatch(r"[\d.]+", text)),
            ("has no domain", "." not in text),
        ):
            if wrong:
                return reason
        return flaw


HostName = Annotated[str, _HostMatching(_HOST, "a host name in lower case, such as vault.example.org", 253)]
"""A host name in lower case; not an IP address, as its last label begins with a letter (RFC 1123, section 2.1)."""

DnsName = Annotated[
    str,
    _HostMatching(
        rf"(_?{_LABEL}\.)+{_TOP_LABEL}", "a DNS name in lower case without a trailing dot, such as rsp.example.org", 253
    ),
]
"""DNS name of at least two labels, which may begin with an underscore (RFC 8552)."""

RegistryHost = Annotated[
    str,
    _HostMatching(
        rf"(({_LABEL}\.)*{_LABEL})(:[0-9]{{1,5}})?(/[a-z0-9._-]+)*",
        "the host of a container registry without a scheme, such as ghcr.io or registry.example.org:5000",
        253,
    ),
]
"""Container registry in the pull secret."""

Email = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9_%+-]{1,64}(\.[A-Za-z0-9_%+-]+){0,8}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+"
        r"[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])",
        "an email address, such as rsp-operators@example.org",
        254,
    ),
]
"""Email address (RFC 5321) without quoted parts."""


def _check_address(given: Any) -> Any:
    try:
        if isinstance(given, str | IPv4Address):
            IPv4Address(given)
            return given
    except ValueError:
        pass
    raise ValueError("must be an IPv4 address, such as 10.20.0.10")


def _check_network(given: Any) -> Any:
    expected = "must be an IPv4 network in CIDR notation, such as 10.20.0.0/22"
    if isinstance(given, IPv4Network):
        return given
    if not isinstance(given, str) or not re.fullmatch(rf"{_NUMBERS}/\d{{1,2}}", given):
        raise ValueError(expected)
    try:
        network = IPv4Network(given, strict=False)
    except ValueError:
        raise ValueError(expected) from None
    if str(network) != given:
        raise ValueError(f"{expected}: the network of this address is {network}")
    return given


def _private(network: IPv4Network) -> IPv4Network:
    if not any(network.subnet_of(each) for each in PRIVATE_NETWORKS):
        raise ValueError(
            f"must be a private network (RFC 1918: {', '.join(map(str, PRIVATE_NETWORKS))}), such as 10.20.0.0/22"
        )
    return network


_UNUSABLE: Final = tuple(map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4")))
"""Addresses that no host has: this network, loopback, multicast, and reserved with broadcast (RFC 6890)."""


def _of_hosts(network: IPv4Network) -> IPv4Network:
    if any(network.subnet_of(each) for each in _UNUSABLE):
        raise ValueError("no host can have this address: must be that of a host, such as 9.9.9.9 or 192.0.2.0/28")
    return network


def _of_host(address: IPv4Address) -> IPv4Address:
    _of_hosts(IPv4Network(address))
    return address


Address = Annotated[
    IPv4Address,
    BeforeValidator(_check_address),
    AfterValidator(_of_host),
    WithJsonSchema({"type": "string", "format": "ipv4", "pattern": f"^{_NUMBERS}$"}),
]
"""IPv4 address of a host."""

_CIDR = WithJsonSchema({"type": "string", "pattern": rf"^{_NUMBERS}/\d{{1,2}}$"})

ClientNetwork = Annotated[IPv4Network, BeforeValidator(_check_network), AfterValidator(_of_hosts), _CIDR]
"""IPv4 network whose addresses hosts may have."""

PrivateNetwork = Annotated[IPv4Network, BeforeValidator(_check_network), AfterValidator(_private), _CIDR]
"""Private IPv4 network (RFC 1918)."""

_URL_CHARACTERS: Final = r"[A-Za-z0-9._~:/?&=@%+,;!()\[\]#-]*"
"""Characters of URLs (RFC 3986) without those that are special in a shell's quotes."""
_URL_LENGTH: Final = 2048


@dataclass(frozen=True)
class _Url:
    """Constraint of a URL without user information and fragment."""

    example: str = "https://vault.example.org:8200"
    schemes: tuple[str, ...] = ("https",)
    """Schemes that are allowed."""
    http_on_loopback: bool = False
    """Whether http is allowed for a service on this host."""
    query: bool = True
    """Whether a query is allowed."""

    def check(self, given: Any) -> Any:
        """Return the URL.

        Raises:
            ValueError: It is not valid. The message does not quote it.
        """
        if not isinstance(given, AnyHttpUrl) and (flaw := self._flaw(given)):
            raise ValueError(f"{flaw}: must be a URL, such as {self.example}")
        return given

    def _flaw(self, given: Any) -> str | None:
        if not isinstance(given, str):
            return "is not text"
        if len(given) > _URL_LENGTH or not re.fullmatch(_URL_CHARACTERS, given):
            return f"has more than {_URL_LENGTH} characters, or one that is not allowed in a URL, such as a blank"
        try:
            url = urlsplit(given)
            host, port = url.hostname or "", url.port
        except ValueError:
            return "has no valid host and port"
        on_loopback = self.http_on_loopback and (host == "localhost" or host.startswith("127."))
        schemes = (*self.schemes, "http") if on_loopback else self.schemes
        for flaw, wrong in (
            ("does not begin with a scheme (https://) and a host", not url.scheme or not url.netloc),
            ("contains a user or password, which would be readable in outputs", "@" in url.netloc),
            ("contains a query or a fragment", "#" in given or (url.query and not self.query)),
            (f"has the scheme {url.scheme} in place of https", url.scheme not in schemes),
            ("has no valid host and port", port == 0 or url.netloc.endswith(":") or not _is_host(host)),
        ):
            if wrong:
                return flaw
        return None


def _is_host(host: str) -> bool:
    if re.fullmatch(r"[\d.]+", host):
        try:
            return not any(IPv4Address(host) in each for each in _UNUSABLE[2:])
        except ValueError:
            return False
    return re.fullmatch(_HOST, host) is not None


def _url_schema(scheme: str) -> WithJsonSchema:
    return WithJsonSchema(
        {
            "type": "string",
            "format": "uri",
            "maxLength": _URL_LENGTH,
            "pattern": rf"^{scheme}://[^/\s@'\"\\<>`$]+(/[^\s'\"\\<>`$]*)?$",
        }
    )


HttpsUrl = Annotated[AnyHttpUrl, BeforeValidator(_Url().check), _url_schema("https")]
"""URL with https."""

VaultUrl = Annotated[AnyHttpUrl, BeforeValidator(_Url(http_on_loopback=True, query=False).check), _url_schema("https?")]
"""URL of a Vault with https, or http for one on this host."""

EndpointUrl = Annotated[
    AnyHttpUrl,
    BeforeValidator(_Url("https://s3.example.org:6780", ("https", "http"), query=False).check),
    _url_schema("https?"),
]
"""URL of an S3 service. Requests are signed, so that http reveals no keys."""

"""Image references, and the registries of Alibaba Cloud among their hosts."""

# As in records.py, annotations are not postponed.

import re
from functools import lru_cache
from typing import Literal, NamedTuple

_PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_HOST_PART = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_REFERENCE = (
    rf"(?:(?:{_HOST_PART}(?:\.{_HOST_PART})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?/)?"
    rf"(?P<path>{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    "(?:@(?P<digest>sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}))?"
)
_HUB = "docker.io"


class Image(NamedTuple):
    """An image reference, taken apart."""

    registry: str
    """Host and port; `docker.io` when the reference names none."""
    repository: str
    """Without the host: `library/nginx` for `nginx`."""
    tag: str | None
    digest: str | None
    """`sha256:…`"""
    raw: str
    """The reference as written."""
    tag_start: int = -1
    """Offset of the tag in `raw`; -1 without a tag."""


def image(text: object) -> Image | None:
    """The parts of an image reference; None if the kubelet calls it InvalidImageName.

    Restates github.com/distribution/reference (regexp.go, normalize.go: ParseNormalizedNamed), which the kubelet
    asks in pkg/util/parsers/parsers.go, and the digests of github.com/opencontainers/go-digest.
    """
    return _image(text) if isinstance(text, str) else None


@lru_cache(maxsize=8192)
def _image(raw: str) -> Image | None:
    if len(raw) > 1000 or re.fullmatch("[a-f0-9]{64}", raw):
        return None
    registry, slash, name = raw.partition("/")
    if not slash or not (registry == "localhost" or "." in registry or ":" in registry or registry != registry.lower()):
        registry, name = _HUB, raw
    elif registry == "index.docker.io":
        registry = _HUB
    if registry == _HUB and "/" not in name:
        name = f"library/{name}"
    full = f"{registry}/{name}"
    found = re.fullmatch(_REFERENCE, full)
    if not found or len(found["path"]) > 255:
        return None
    # Not the group: a host that is none (`my_host.lan/app`) is accepted as the first part of a path.
    repository = full[len(registry) + 1 : found.end("path")]
    tag_start = found.start("tag") - len(full) + len(raw) if found["tag"] else -1
    return Image(registry, repository, found["tag"], found["digest"], raw, tag_start)


AcrKind = Literal["personal-old", "personal-new", "enterprise", "ack-system"]

# https://www.alibabacloud.com/help/en/acr/user-guide/individual-edition-instance-independent-domain-name-capacity-limit
# for the two personal forms; the enterprise form with `distributed` is that of accelerated (P2P) pulls.
_ACR: tuple[tuple[AcrKind, str], ...] = (
    ("personal-old", r"registry(?:-intl)?(?P<inner>-vpc|-internal)?\.(?P<region>[a-z0-9-]+)\.aliyuncs\.com"),
    ("personal-old", r"registry(?P<inner>)(?P<region>)\.aliyuncs\.com"),
    ("personal-new", r"crpi-(?P<id>[a-z0-9]+)(?P<inner>-vpc)?\.(?P<region>[a-z0-9-]+)\.personal\.cr\.aliyuncs\.com"),
    (
        "enterprise",
        r"(?P<id>[a-z0-9-]+)-registry(?P<inner>-vpc)?(?:\.distributed)?\.(?P<region>[a-z0-9-]+)\.cr\.aliyuncs\.com",
    ),
    ("ack-system", r"registry-(?P<region>[a-z0-9-]+?)(?P<inner>-vpc)?\.ack\.aliyuncs\.com"),
)


class Acr(NamedTuple):
    """A host of Alibaba Cloud Container Registry."""

    kind: AcrKind
    """Personal edition (`personal-new`: created from 2024-09-09 on), enterprise edition, or ACK's own images."""
    region: str
    """Empty for `registry.aliyuncs.com`, which names none."""
    vpc: bool
    """Whether it is reached over Alibaba Cloud's network only (`-vpc`, `-internal`)."""
    instance: str | None
    """The name of an enterprise instance, the id of a new personal one (without `crpi-`)."""
    vpc_host: str | None
    """The host of the same registry inside a VPC of its region; None where no region is named."""


def acr(registry: object) -> Acr | None:
    """What an image's registry is in Alibaba Cloud; None for any other registry. A port is ignored."""
    if not isinstance(registry, str) or ".aliyuncs.com" not in registry.lower():
        return None
    host = re.sub(":[0-9]+$", "", registry.lower())
    for kind, pattern in _ACR:
        found = re.fullmatch(pattern, host)
        if found:
            parts = found.groupdict()
            first, _, rest = host.partition(".")
            outer = first.removesuffix("-vpc").removesuffix("-internal")
            vpc_host = f"{outer}-vpc.{rest}" if parts["region"] else None
            return Acr(kind, parts["region"], bool(parts["inner"]), parts.get("id"), vpc_host)
    return None

"""`images.py`: expectations judged by the distribution reference grammar and the host names of ACR's documentation."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelint_ack.images import Image, acr, image
from kubelint_ack.records import Unknown

DIGEST = "sha256:" + "a1" * 32


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest"),
    [
        ("nginx", "docker.io", "library/nginx", None, None),
        ("nginx:1.25", "docker.io", "library/nginx", "1.25", None),
        ("bitnami/redis:7", "docker.io", "bitnami/redis", "7", None),
        ("docker.io/nginx", "docker.io", "library/nginx", None, None),
        ("index.docker.io/nginx", "docker.io", "library/nginx", None, None),
        ("docker.io/bitnami/redis", "docker.io", "bitnami/redis", None, None),
        ("registry:5000/app", "registry:5000", "app", None, None),
        ("registry:5000/app:1", "registry:5000", "app", "1", None),
        ("localhost/app", "localhost", "app", None, None),
        ("[::1]:5000/app", "[::1]:5000", "app", None, None),
        ("quay.io/a/b/c:v1_2-3.4", "quay.io", "a/b/c", "v1_2-3.4", None),
        (f"nginx@{DIGEST}", "docker.io", "library/nginx", None, DIGEST),
        (f"quay.io/a/b:1@{DIGEST}", "quay.io", "a/b", "1", DIGEST),
        ("a__b/c--d", "docker.io", "a__b/c--d", None, None),
        ("nginx:" + "t" * 128, "docker.io", "library/nginx", "t" * 128, None),
        ("Host/app", "Host", "app", None, None),
        ("my_host.lan/app:1", "my_host.lan", "app", "1", None),
        ("app@sha512:" + "b" * 128, "docker.io", "library/app", None, "sha512:" + "b" * 128),
    ],
)
def test_image(text: str, registry: str, repository: str, tag: str | None, digest: str | None) -> None:
    start = text.rindex(f":{tag}") + 1 if tag else -1
    assert image(text) == Image(registry, repository, tag, digest, text, start)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            " nginx",
            "nginx ",
            "nginx:",
            "nginx:latest ",
            "nginx@",
            "nginx:1@",
            ":1",
            "/nginx",
            "nginx/",
            "a//b",
        ),
        *("Nginx", "bitnami/Redis", "quay.io/App", "nginx:-1", "nginx:.1", "nginx:a b", "nginx:1:2", "nginx:1\n"),
        *("a___b", "a..b", "-a", "a-", "quay.io:/app", "quay.io:port/app", "http://quay.io/app", "my_host:5000/app"),
        *(f"nginx@{DIGEST}0", f"nginx@{DIGEST.upper()}", "nginx@sha256:abc", "nginx@md5:" + "a" * 32),
        *("a1" * 32, "nginx:" + "t" * 129, "quay.io/" + "a" * 256, "图像:1"),
        *(None, 5, ["nginx"], Unknown("{{ .Values.image }}")),
    ],
)
def test_not_an_image(text: object) -> None:
    assert image(text) is None


@settings(deadline=None)
@given(st.text() | st.text("aA1.:/@_-", max_size=12))
def test_an_image_repeats_what_is_written(text: str) -> None:
    parsed = image(text)
    if parsed:
        end = f":{parsed.tag}" * bool(parsed.tag) + f"@{parsed.digest}" * bool(parsed.digest)
        assert parsed.raw == text
        assert f"{parsed.registry}/{parsed.repository}{end}".endswith(text.removeprefix("index."))
        assert parsed.tag is None or text[parsed.tag_start :].startswith(parsed.tag)


OLD = ("personal-old", "cn-hangzhou")
VPC = "registry-vpc.cn-hangzhou.aliyuncs.com"


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("registry.cn-hangzhou.aliyuncs.com", (*OLD, False, None, VPC)),
        ("Registry.CN-Hangzhou.aliyuncs.com:443", (*OLD, False, None, VPC)),
        (VPC, (*OLD, True, None, VPC)),
        ("registry-internal.cn-hangzhou.aliyuncs.com", (*OLD, True, None, VPC)),
        (
            "registry-intl.ap-southeast-1.aliyuncs.com",
            ("personal-old", "ap-southeast-1", False, None, "registry-intl-vpc.ap-southeast-1.aliyuncs.com"),
        ),
        ("registry.aliyuncs.com", ("personal-old", "", False, None, None)),
        (
            "crpi-ab12.cn-beijing.personal.cr.aliyuncs.com",
            ("personal-new", "cn-beijing", False, "ab12", "crpi-ab12-vpc.cn-beijing.personal.cr.aliyuncs.com"),
        ),
        (
            "crpi-ab12-vpc.cn-beijing.personal.cr.aliyuncs.com",
            ("personal-new", "cn-beijing", True, "ab12", "crpi-ab12-vpc.cn-beijing.personal.cr.aliyuncs.com"),
        ),
        (
            "my-corp-registry.cn-shanghai.cr.aliyuncs.com",
            ("enterprise", "cn-shanghai", False, "my-corp", "my-corp-registry-vpc.cn-shanghai.cr.aliyuncs.com"),
        ),
        (
            "corp-registry-vpc.cn-shanghai.cr.aliyuncs.com",
            ("enterprise", "cn-shanghai", True, "corp", "corp-registry-vpc.cn-shanghai.cr.aliyuncs.com"),
        ),
        (
            "corp-registry-vpc.distributed.cn-shanghai.cr.aliyuncs.com:65001",
            ("enterprise", "cn-shanghai", True, "corp", "corp-registry-vpc.distributed.cn-shanghai.cr.aliyuncs.com"),
        ),
        (
            "registry-cn-hangzhou.ack.aliyuncs.com",
            ("ack-system", "cn-hangzhou", False, None, "registry-cn-hangzhou-vpc.ack.aliyuncs.com"),
        ),
        (
            "registry-us-west-1-vpc.ack.aliyuncs.com",
            ("ack-system", "us-west-1", True, None, "registry-us-west-1-vpc.ack.aliyuncs.com"),
        ),
        ("docker.io", None),
        ("registry.cn-hangzhou.aliyuncs.com.example.com", None),
        ("xregistry.cn-hangzhou.aliyuncs.com", None),
        ("oss-cn-hangzhou.aliyuncs.com", None),
        ("corp.cn-shanghai.cr.aliyuncs.com", None),
        ("", None),
        (None, None),
    ],
)
def test_acr(host: object, found: tuple[Any, ...] | None) -> None:
    assert acr(host) == found

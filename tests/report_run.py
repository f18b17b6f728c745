"""A small run, made by hand, for the tests of reports: places are given by the text that they cover."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from kubelint_ack.records import (
    DocumentEntry,
    FileEntry,
    Finding,
    Place,
    RelatedPlace,
    ResourceId,
    Severity,
    Span,
    Suppressed,
)
from kubelint_ack.report.run import NotEvaluated, RuleInfo, Run

GATEWAY = """\
apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: shop
  labels: {名称: 网关, note: "😀\ttab", tier: edge}  # 网关 😀
spec:
  selector: {app: wbe}
  ports:
  - name: http
    port: 80
    targetPort: https
"""

DEPLOY = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: web
        image: registry-vpc.cn-hangzhou.aliyuncs.com/shop/web-frontend-with-a-long-name:1.27.3-alpine3.20-slim  # 前端
        securityContext:
          privileged: true
"""

SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: db}
data:
  password: not base64 hunter2
  note: |
    hunter2 again
"""

BROKEN = "a: [1,\nb: 2\n"

FILES = {"deploy/web.yaml": DEPLOY, "svc/网关.yaml": GATEWAY, "secret.yaml": SECRET, "broken.yaml": BROKEN}

SERVICE_WEB = ResourceId("", "v1", "Service", "shop", "web")
DEPLOYMENT_WEB = ResourceId("apps", "v1", "Deployment", "shop", "web")
SECRET_DB = ResourceId("", "v1", "Secret", None, "db")

URL = "https://kubelint-ack.io/rules/"


def span(text: str, piece: str, occurrence: int = 1) -> Span:
    """Where a piece of one line stands in a text."""
    start = -1
    for _ in range(occurrence):
        start = text.index(piece, start + 1)
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    return Span(line, column, line, column + len(piece))


def place(path: str, piece: str, field: str = "", stable: str = "", occurrence: int = 1) -> Place:
    """The place of a piece of one of the files."""
    return Place(span(FILES[path], piece, occurrence), field, stable or field)


EN: dict[str, Any] = {
    "service-selects-nothing": {
        "title": "Service selects no pod",
        "why": "A Service without pods answers nothing.\nClients see refused connections.\n\nMore detail here.",
        "fix": "Make 'spec.selector' equal to the labels of the pods,\nor remove the Service.",
        "messages": {
            "default": "No pod in namespace '{namespace}' has the labels '{labels}'.",
            "near": "No pod has the labels {labels}; the nearest, {nearest}, doesn't have {missing}",
        },
        "notes": {"nearest": "the pod template with the most labels in common"},
    },
    "privileged-container": {
        "title": "Container runs in privileged mode",
        "why": "It has every capability of the node.",
        "fix": "Remove 'privileged: true'.",
        "messages": {"default": "Container '{container}' runs in privileged mode."},
        "notes": {},
    },
    "image-latest-tag": {
        "title": "Image has no fixed tag",
        "why": "Nobody can say what runs.",
        "fix": "Give the image a version.",
        "messages": {"default": "Image '{image}' of '{name}' has no fixed tag."},
        "notes": {},
    },
    "secret-data-not-base64": {
        "title": "Secret data is not base64",
        "why": "The API server refuses it.",
        "fix": "Encode the value, or use 'stringData'.",
        "messages": {"default": "A value under 'data' is not base64"},
        "notes": {},
    },
    "yaml-syntax": {
        "title": "File is not YAML",
        "why": "kubectl cannot read it.",
        "fix": "Correct the syntax.",
        "messages": {"default": "Not YAML: '{detail}'."},
        "notes": {},
    },
    "rule-crash": {
        "title": "A rule failed",
        "why": "This is a bug of kubelint-ack.",
        "fix": "Report it.",
        "messages": {"default": "Rule '{rule}' failed with '{error}'."},
        "notes": {},
    },
    "netpol-on-flannel": {
        "title": "NetworkPolicy has no effect",
        "why": "Flannel enforces none.",
        "fix": "Use Terway.",
        "messages": {"default": "'{name}' has no effect on Flannel."},
        "notes": {},
    },
}

ZH: dict[str, Any] = {
    "service-selects-nothing": {
        "title": "Service 未选中任何 Pod",
        "why": "没有 Pod 的 Service 不会响应。\n客户端的连接会被拒绝。",
        "fix": "让 spec.selector 与 Pod 的标签一致，\n或删除该 Service。",
        "messages": {
            "default": "命名空间“{namespace}”中没有带标签“{labels}”的 Pod，因此访问该 Service 的所有连接都会被拒绝。",
            "near": "没有带标签 {labels} 的 Pod；最接近的 {nearest} 缺少 {missing}",
        },
        "notes": {"nearest": "标签最接近的 Pod 模板"},
    },
    "privileged-container": {
        "title": "容器以特权模式运行",
        "why": "容器拥有节点的全部权限。",
        "fix": "删除 privileged: true。",
        "messages": {"default": "容器“{container}”以特权模式运行。"},
        "notes": {},
    },
    "image-latest-tag": {
        "title": "镜像没有固定版本",
        "why": "无法确定运行的是什么。",
        "fix": "为镜像指定版本。",
        "messages": {"default": "“{name}”的镜像“{image}”没有固定版本。"},
        "notes": {},
    },
    "yaml-syntax": {
        "title": "文件不是 YAML",
        "why": "kubectl 无法读取。",
        "fix": "改正语法。",
        "messages": {"default": "不是 YAML：{detail}。"},
        "notes": {},
    },
    "secret-data-not-base64": {
        "title": "Secret 数据不是 base64",
        "why": "API Server 会拒绝。",
        "fix": "对值做 base64 编码，或改用 stringData。",
        "messages": {"default": "data 中的值不是 base64。"},
        "notes": {},
    },
}

HEADS: dict[str, tuple[str, str, Severity, tuple[str, ...], str, tuple[str, ...]]] = {
    "yaml-syntax": ("KLA0001", "manifest", "error", ("default",), "", ()),
    "rule-crash": ("KLA0002", "manifest", "error", ("default",), "", ()),
    "privileged-container": ("KLA1203", "security", "warning", ("security",), "8.0", ("cwe-250", "cis-5.2.2")),
    "image-latest-tag": ("KLA1701", "image", "warning", ("reliability",), "", ()),
    "secret-data-not-base64": ("KLA2103", "config", "error", ("default",), "", ()),
    "service-selects-nothing": ("KLA3101", "service", "warning", ("default",), "", ()),
    "netpol-on-flannel": ("KLA4301", "networkpolicy", "error", ("ack",), "", ()),
}


def rule(name: str, language: Literal["en", "zh"] = "en") -> RuleInfo:
    """A rule of the run; what has no Chinese here is English."""
    code, area, severity, presets, score, tags = HEADS[name]
    words = ZH.get(name, EN[name]) if language == "zh" else EN[name]
    return RuleInfo(
        name=name,
        code=code,
        area=area,
        severity=severity,
        presets=presets,
        precision="high",
        security_severity=score,
        tags=tags,
        references=("https://kubernetes.io/docs/concepts/",),
        equivalents={},
        page=lambda: f"# {words['title']}\n\n{words['why']}\n",
        url=f"{URL}{name}/",
        **words,
    )


def finding(
    name: str,
    path: str,
    where: Place,
    resource: ResourceId | None = None,
    values: Mapping[str, Any] | None = None,
    **more: Any,
) -> Finding:
    """A finding with what its rule says."""
    more = {"message": "default", "related": (), **more}
    return Finding(
        rule=name,
        code=HEADS[name][0],
        severity=more.pop("severity", HEADS[name][2]),
        path=path,
        place=where,
        resource=resource,
        values=dict(values or {}),
        **more,
    )


PRIVILEGED = finding(
    "privileged-container",
    "deploy/web.yaml",
    place(
        "deploy/web.yaml",
        "privileged: true",
        "spec.template.spec.containers[0].securityContext.privileged",
        "spec.template.spec.containers[web].securityContext.privileged",
    ),
    DEPLOYMENT_WEB,
    {"container": "web"},
)

SELECTS_NOTHING = finding(
    "service-selects-nothing",
    "svc/网关.yaml",
    place("svc/网关.yaml", "selector: {app: wbe}", "spec.selector"),
    SERVICE_WEB,
    {"namespace": "shop", "labels": {"app": "wbe"}},
    related=(
        RelatedPlace("svc/网关.yaml", place("svc/网关.yaml", "tier: edge", "metadata.labels.tier"), SERVICE_WEB),
        RelatedPlace(
            "deploy/web.yaml",
            place("deploy/web.yaml", "labels: {app: web}", "spec.template.metadata.labels"),
            DEPLOYMENT_WEB,
            "nearest",
        ),
    ),
)

TAGGED = finding(
    "image-latest-tag",
    "deploy/web.yaml",
    place(
        "deploy/web.yaml",
        "1.27.3-alpine3.20-slim",
        "spec.template.spec.containers[0].image",
        "spec.template.spec.containers[web].image",
    ),
    DEPLOYMENT_WEB,
    {
        "name": "web",
        "image": "registry-vpc.cn-hangzhou.aliyuncs.com/shop/web-frontend-with-a-long-name:1.27.3-alpine3.20-slim",
    },
    severity="info",
)

NOT_BASE64 = finding(
    "secret-data-not-base64",
    "secret.yaml",
    place("secret.yaml", "password: not base64 hunter2", "data.password"),
    SECRET_DB,
)

SYNTAX = finding(
    "yaml-syntax", "broken.yaml", Place(Span(2, 2, 2, 3), "", ""), None, {"detail": "did not find expected ',' or ']'"}
)

IGNORED = PRIVILEGED._replace(suppressed=Suppressed("comment", "needs the node's GPU", "deploy/web.yaml", 14))

LEDGER = (
    FileEntry("broken.yaml", "not-checked", "syntax", "", (DocumentEntry(1, 1, "not-checked", "syntax"),)),
    FileEntry(
        "charts/x.yaml",
        "partly",
        "several",
        "",
        (
            DocumentEntry(1, 1, "checked", "", "", "Service", "x"),
            DocumentEntry(2, 9, "partly", "placeholders", "", "Deployment", "x"),
            DocumentEntry(3, 30, "not-checked", "template"),
        ),
    ),
    FileEntry("deploy/web.yaml", "checked", "", "", (DocumentEntry(1, 1, "checked", "", "", "Deployment", "web"),)),
    FileEntry("readme.yaml", "not-checked", "not-kubernetes"),
    FileEntry("secret.yaml", "checked", "", "", (DocumentEntry(1, 1, "checked", "", "", "Secret", "db"),)),
    FileEntry("svc/网关.yaml", "checked", "", "", (DocumentEntry(1, 1, "checked", "", "", "Service", "web"),)),
)


def redacted(path: str) -> tuple[Span, ...]:
    """The values of the Secret."""
    if path != "secret.yaml":
        return ()
    return (Span(5, 13, 5, 31), Span(6, 9, 7, 18))


def run(language: Literal["en", "zh"] = "en", **changes: Any) -> Run:
    """The run; `changes` replace its fields."""
    whole = Run(
        findings=(SYNTAX, TAGGED, PRIVILEGED, NOT_BASE64, SELECTS_NOTHING),
        suppressed=(),
        not_evaluated=(NotEvaluated("netpol-on-flannel", "KLA4301", ("cni",), ()),),
        ledger=LEDGER,
        context_files=3,
        rules={name: rule(name, language) for name in HEADS},
        targets=(),
        text_of=FILES.get,
        redacted=redacted,
        root="/repo",
        language=language,
        explicit_language=False,
        elapsed=0.61,
        resources=5,
        notifications=(),
        crashed=False,
    )
    return whole._replace(**changes)

"""What `kubelint-ack init` writes: a commented configuration, and files that run us in CI or as a hook."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kubelint_ack import __version__
from kubelint_ack.language import Language
from kubelint_ack.validation import load_schema
from kubelint_ack.words import say

_STARTER = """\
cluster:
  provider: ack
  clusterType: managed
  kubernetesVersion: "1.32"
  region: cn-hangzhou
  cni: terway
  terway: {mode: shared-eni, dataPath: datapathv2}
  kubeProxyMode: ipvs
  vpcCIDRs: [172.16.0.0/16]
  serviceCIDR: 10.32.0.0/16
  nodePools:
    - name: web
      labels: {group: web}
      taints: [{key: dedicated, value: web, effect: NoSchedule}]
      zones: [cn-hangzhou-i]
      arch: amd64
  nodePoolsComplete: true
  components: {csi-plugin: "1.33.4", alb-ingress-controller: "*"}
  storageClasses:
    - {name: alicloud-disk-essd, provisioner: diskplugin.csi.alibabacloud.com}
  ingressClasses:
    - {name: alb, controller: ingress.k8s.alibabacloud/alb, default: true}
  externals:
    - {kind: Secret, namespace: "*", name: "registry-*"}
environments:
  prod: {paths: [deploy/prod], complete: true}
  test: {paths: [deploy/test], cluster: {kubernetesVersion: "1.34"}}
complete: [ConfigMap, Service]
preset: [ack, security]
select: [service, KLA12]
extend-select: [run-as-non-root]
ignore: [image-latest-tag]
severity: warning
exclude: [vendor/, "*.generated.yaml"]
extend-exclude: [deploy/archive/]
context: [deploy/]
overrides:
  - files: [deploy/test/**]
    severity: {privileged-container: info}
  - namespaces: [kube-system]
    ignore: [security]
rules:
  privileged-container: {severity: error}
suppressions:
  require-reason: true
  honor: [kube-linter, checkov]
fail-on: error
format: text
output: {sarif: kubelint-ack.sarif}
lang: en
kubernetes-version: ["1.32", "1.34"]
workloads:
  - {kind: apps.example.com/WebApp, path: spec.template}
schemas: [crds/]
max-file-size: 10Mi
jobs: auto
cache: true
"""
_STARTER_KEY = re.compile(r"( *)([A-Za-z-]+):")


def init_text(language: Language) -> str:
    """A configuration to start from: every key, commented out, with what it means.

    Examples begin with `# ` and descriptions with `## `, so that taking one `#` away leaves valid YAML.
    """
    schema = load_schema("config.schema.json")
    profile = load_schema("profile.schema.json")
    lines = [f"# yaml-language-server: $schema={schema['$id']}"]
    lines += [f"## {line}" for line in say(language, "config.init").split("\n")]
    section = ""
    for line in _STARTER.splitlines():
        match = _STARTER_KEY.match(line)
        if match and not match[1]:
            section = match[2]
            lines += ["", f"## {_description(schema['properties'][section], language)}"]
        elif match and section == "cluster" and len(match[1]) == 2:
            lines.append(f"##   {_description(profile['properties'][match[2]], language)}")
        lines.append(f"# {line}")
    return "\n".join(lines) + "\n"


def _description(schema: Mapping[str, Any], language: Language) -> str:
    return str(schema["x-description-zh" if language == "zh" else "description"])


_GITHUB = """\
name: kubelint-ack
on:
  push:
    branches: [main]
  pull_request:
permissions:
  contents: read
jobs:
  kubelint-ack:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
        with:
          persist-credentials: false
      - uses: actions/setup-python@v6
        with:
          python-version: "3.13"
      - run: pip install kubelint-ack=={version}
      - run: kubelint-ack check --format github
"""
_GITLAB = """\
kubelint-ack:
  image: python:3.13-slim
  script:
    - pip install kubelint-ack=={version}
    - kubelint-ack check
"""
_PRE_COMMIT = """\
repos:
  - repo: local
    hooks:
      - id: kubelint-ack
        name: kubelint-ack (changed manifests)
        entry: kubelint-ack check --force-exclude
        language: python
        additional_dependencies: [kubelint-ack=={version}]
        types_or: [yaml, json]
        require_serial: true
      - id: kubelint-ack-all
        name: kubelint-ack (whole repository)
        entry: kubelint-ack check
        language: python
        additional_dependencies: [kubelint-ack=={version}]
        pass_filenames: false
        always_run: true
        require_serial: true
"""
_SNIPPETS = {
    "github": (".github/workflows/kubelint-ack.yml", _GITHUB),
    "gitlab": (".gitlab-ci.yml", _GITLAB),
    "pre-commit": (".pre-commit-config.yaml", _PRE_COMMIT),
}


def ci_snippet(host: str) -> tuple[str, str]:
    """File name and content that run us on `github`, `gitlab` or as a `pre-commit` hook. Raises KeyError."""
    name, text = _SNIPPETS[host]
    return name, text.format(version=__version__)

"""Checks of where pods may run: node selectors, node affinity and taints against the node pools of the profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from kubelint_ack.profile import NodePool, Profile, Taint
from kubelint_ack.records import FieldPath, Hit, Unknown
from kubelint_ack.values import Requirement, selector, selector_text, tolerates
from kubelint_ack.values import Selector as LabelSelector
from kubelint_ack.views import Workload, mapping, sequence, text


def is_sent_to_virtual_nodes(workload: Workload, profile: Profile) -> bool:
    """Whether a label sends the pods to virtual nodes, whatever their node selector says.

    The label may be the namespace's too; of that only the profile is asked.
    https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/comparison-and-introduction-of-virtual-node-scheduling-scheme-ack
    """
    own: list[Mapping[str, Any]] = [workload.pod_labels]
    own += [one.labels or {} for one in profile.namespaces or () if one.name == workload.namespace]
    return any(labels.get(key) == "true" for labels in own for key in _VIRTUAL_LABELS)


_VIRTUAL_LABELS = ("alibabacloud.com/eci", "alibabacloud.com/acs")

"""kubelint-ack: an offline linter for Kubernetes manifests that knows Alibaba Cloud ACK."""

__version__ = "0.1.0"

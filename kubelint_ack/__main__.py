"""`python -m kubelint_ack`."""

from kubelint_ack.cli import entry

entry()

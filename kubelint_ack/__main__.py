"""The start of the program, as `kubelint-ack` and as `python -m kubelint_ack`."""

import gc

# Loading modules makes no garbage: looking for it takes a fiftieth of a small run.
gc.disable()

from kubelint_ack.cli import entry  # noqa: E402

if __name__ == "__main__":
    entry()

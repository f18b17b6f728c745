"""Which language people want: from the environment, as gettext reads it."""

from __future__ import annotations

import os
from typing import Literal

Language = Literal["en", "zh"]


def environment_language() -> Language:
    """The language that the environment asks for: `KUBELINT_ACK_LANG`, `LANGUAGE`, `LC_ALL`, `LC_MESSAGES`, `LANG`.

    Anything that does not start with `zh` is English. https://www.gnu.org/software/gettext/manual/html_node/Locale-Environment-Variables.html
    """
    own = os.environ.get("KUBELINT_ACK_LANG")
    if own:
        return "zh" if own.lower().startswith("zh") else "en"
    locale = next((value for key in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(key))), "")
    if locale.partition(".")[0] in ("C", "POSIX", ""):
        return "en"
    preferred = os.environ.get("LANGUAGE", "").split(":")[0] or locale
    return "zh" if preferred.lower().startswith("zh") else "en"

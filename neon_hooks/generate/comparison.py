"""The second look: the lines that a schema change is reported in, without what the desired schema cannot say. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Owners stand in access lists; what these say is compared privilege by privilege.
# So are storage parameters, whose order is that of the statements that set them.
ACCESS_LIST = re.compile(r" (?:acl|with) \{.*?\}(?= |$)")
# Whether a materialized view is filled is up to REFRESH.
UNFILLED = " not populated"
# The version that a server offers is not part of a schema.
LEFT_OUT = ("extension ", "default acl ")


def comparable(lines: Iterable[str]) -> frozenset[str]:
    return frozenset(ACCESS_LIST.sub("", line).removesuffix(UNFILLED) for line in lines if not line.startswith(LEFT_OUT))

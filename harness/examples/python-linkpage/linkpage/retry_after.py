"""Reads Retry-After: delay-seconds or HTTP-date (RFC 9110 section 10.2.3), and nothing else."""

import re
from datetime import datetime, timezone

LONGEST_S = 3_600.0
# IMF-fixdate, and the two old forms that a recipient must still take.
_DATES = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")


def retry_after(values: list[str], now: float) -> float:
    """Seconds to wait from `now` (Unix time) on, or 0 where the header is absent, malformed, past or
    sent twice. Nobody is believed for more than an hour."""
    if len(values) != 1:
        return 0.0
    text = values[0].strip()
    if re.fullmatch(r"[0-9]{1,12}", text):
        return min(float(text), LONGEST_S)
    for form in _DATES:
        try:
            at = datetime.strptime(text, form).replace(tzinfo=timezone.utc)
        except ValueError:
            continue
        return min(max(0.0, at.timestamp() - now), LONGEST_S)
    return 0.0

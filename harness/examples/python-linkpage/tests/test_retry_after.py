import pytest

from linkpage.retry_after import retry_after

# Sun, 06 Nov 1994 08:49:37 GMT
NOW = 784_111_777.0 - 10


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ([], 0),
        (["7"], 7),
        ([" 7 "], 7),
        (["0"], 0),
        (["86400"], 3600),
        (["Sun, 06 Nov 1994 08:49:37 GMT"], 10),
        (["Sunday, 06-Nov-94 08:49:37 GMT"], 10),
        (["Sun Nov  6 08:49:37 1994"], 10),
        (["Sun, 06 Nov 1994 08:49:07 GMT"], 0),
        (["-5"], 0),
        (["1.5"], 0),
        (["soon"], 0),
        (["٧"], 0),
        (["7", "7"], 0),
    ],
)
def test_seconds_to_wait(values, seconds):
    assert retry_after(values, NOW) == seconds

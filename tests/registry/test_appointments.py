"""When a guardianship ends by itself."""

from datetime import UTC, date, datetime

import pytest

from registry.appointments import birthday


@pytest.mark.parametrize(
    ("born", "day"),
    [
        (date(2010, 11, 25), datetime(2029, 11, 25, tzinfo=UTC)),
        (date(2008, 2, 29), datetime(2027, 3, 1, tzinfo=UTC)),
        (date(2009, 12, 31), datetime(2028, 12, 31, tzinfo=UTC)),
    ],
)
def test_a_birthday_is_there_every_year(born: date, day: datetime) -> None:
    assert birthday(born, 19) == day

"""Arrays that we write ourselves say what the database reads."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usage import arrays, store

pytestmark = pytest.mark.django_db
REUSE = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
moments = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=st.just(UTC))  # noqa: DTZ001 - as asked
numbers = st.none() | st.decimals(0, 10**18, allow_nan=False, allow_infinity=False)


def read_back(kind: bytes, written: bytes) -> list[object]:
    with store.cursor() as cursor:
        return cursor.execute(b"select %(a)b::" + kind, {"a": written}).fetchall()[0][0]  # type: ignore[no-any-return]


@REUSE
@given(st.lists(texts), st.lists(moments), st.lists(st.binary(max_size=40)), st.lists(numbers))
def test_whatever_is_written_is_read(
    names: list[str], times: list[datetime], hashes: list[bytes], amounts: list[Decimal | None]
) -> None:
    assert read_back(b"text[]", arrays.texts(names)) == names
    assert read_back(b"timestamptz[]", arrays.moments(times)) == times
    assert read_back(b"bytea[]", arrays.digests(hashes)) == hashes
    assert read_back(b"text[]::numeric[]", arrays.numerals(amounts)) == amounts

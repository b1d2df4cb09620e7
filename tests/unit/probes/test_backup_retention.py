"""Which backups are kept, for any history."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from config.backups import Backups, Keep
from probes.backup_retention import expired, kept, most
from probes.cinder_backups import Backup

START = datetime(2026, 1, 1, 2, 17, tzinfo=UTC)
KEEPS = st.builds(Keep, daily=st.integers(1, 10), weekly=st.integers(0, 6))


def backup(
    hours: float, *, status: str = "available", incremental: bool = False, volume: str = "data", kind: str = "backup"
) -> Backup:
    return Backup(
        kind=kind,
        id=f"{volume}-{hours}-{status}",
        name=f"{volume}-{hours}",
        volume=volume,
        volume_id=f"id-of-{volume}",
        time=START + timedelta(hours=hours),
        size=1,
        status=status,
        incremental=incremental,
    )


HISTORIES = st.lists(
    st.builds(
        backup,
        st.integers(0, 24 * 120),
        status=st.sampled_from(["available", "available", "available", "error", "creating"]),
        incremental=st.booleans(),
        volume=st.sampled_from(["data", "jhome"]),
    ),
    max_size=60,
    unique_by=lambda each: each.time,
)


@given(HISTORIES, KEEPS)
def test_backups_of_any_history_expire_by_the_rules(history: list[Backup], keep: Keep) -> None:
    gone, staying = expired(history, keep), kept(history, keep)
    # The last good backup and unfinished ones never expire.
    for volume in ("data", "jhome"):
        good = [each for each in history if each.volume == volume and each.good]
        if good:
            assert max(good, key=lambda each: each.time) not in gone
    assert not any(each.unfinished for each in gone)
    # Pruning again deletes nothing.
    assert expired([each for each in history if each not in gone], keep) == []
    # An incremental backup that is kept keeps all back to a complete one.
    for each in staying:
        earlier = [other for other in history if other.good and other.volume == each.volume and other.time < each.time]
        if each.incremental and earlier:
            assert max(earlier, key=lambda other: other.time) in staying
    # The newest are deleted first.
    assert gone == sorted(gone, key=lambda each: each.time, reverse=True)


@given(st.integers(1, 10), st.integers(0, 6), st.booleans(), st.integers(1, 100))
def test_nightly_backups_leave_each_day_and_week_and_no_more_than_the_quota_counts(
    daily: int, weekly: int, incremental: bool, nights: int
) -> None:
    keep = Keep(daily=daily, weekly=weekly)
    limit = most(Backups(kind="backup", incremental=incremental, keep=keep))
    history: list[Backup] = []
    for night in range(nights):
        # As create makes them: complete at the beginning of each week.
        complete = not incremental or not history or (START + timedelta(days=night)).isocalendar().weekday == 1
        history.append(backup(24 * night, incremental=not complete))
        assert len(history) <= limit
        gone = expired(history, keep)
        history = [each for each in history if each not in gone]
    days = {each.time.date() for each in history}
    last = START + timedelta(days=nights - 1)
    assert {(last - timedelta(days=back)).date() for back in range(min(daily, nights))} <= days
    weeks = {(START + timedelta(days=night)).isocalendar()[:2] for night in range(nights)}
    assert len({each.time.isocalendar()[:2] for each in history}) >= min(weekly, len(weeks))


def test_nothing_expires_while_no_backups_are_made() -> None:
    history = [backup(24 * day) for day in range(3)]
    assert expired(history, Keep(daily=3, weekly=0)) == []


def test_a_failed_backup_expires_once_there_is_a_newer_good_one() -> None:
    failed = backup(0, status="error")
    assert expired([failed], Keep()) == []
    assert expired([failed, backup(24)], Keep()) == [failed]
    assert expired([backup(-24), failed], Keep()) == []

"""Staff are hired, changed and ended; nobody raises themselves; head office never locks itself out."""

from datetime import date, datetime
from threading import Barrier, Thread

import pytest
from django.db import connection

from changke.actions.staff import change_staff, end_staff, give_sign_in, hire_staff, take_back_staff
from changke.actions.stores import open_store
from changke.kernel.errors import ChangkeError
from changke.records.models import AuditEntry, Staff, User
from changke.rules.staff import SYSTEM, NewSignIn, NotAllowedError, Role, StaffCard, Viewer
from changke.rules.stores import StoreCard

CASHIER = Viewer(user_id=None, staff_id=None, name="zhao", role=Role.CASHIER, store_ids=frozenset())


def boss(code: str = "HQ01") -> StaffCard:
    return StaffCard(code=code, name="王总", role=Role.HEAD_OFFICE)


def acting(staff_id: int) -> Viewer:
    staff = Staff.objects.get(id=staff_id)
    return Viewer(user_id=staff.user_id, staff_id=staff_id, name=staff.name, role=Role(staff.role), store_ids=None)


@pytest.fixture
def head(db: None, now: datetime) -> int:
    return hire_staff(SYSTEM, card=boss(), sign_in=NewSignIn(username="boss"), now=now).staff_id


@pytest.fixture
def store(db: None, now: datetime) -> int:
    return open_store(SYSTEM, card=StoreCard(code="HZ01", name="湖滨店"), now=now)


def test_an_initial_password_works_once_it_is_changed(head: int, store: int, now: datetime) -> None:
    card = StaffCard(code="HZ01-C1", name="小李", role=Role.CASHIER, home_store_id=store)
    hired = hire_staff(acting(head), card=card, sign_in=NewSignIn(username="xiaoli"), now=now)
    user = User.objects.get(username="xiaoli")
    assert len(hired.initial_password) == 19 and user.check_password(hired.initial_password)
    assert user.must_change_password
    entry = AuditEntry.objects.get(subject_id=hired.staff_id, action="hire_staff")
    assert entry.after["username"] == "xiaoli" and hired.initial_password not in str(entry.after)
    assert hired.initial_password not in repr(hired)


@pytest.mark.parametrize(
    ("card", "sign_in", "field"),
    [
        (StaffCard(code="HQ01", name="x", role=Role.MARKETING), None, "code"),
        (StaffCard(code="S1", name="", role=Role.MARKETING), None, "name"),
        (StaffCard(code="S1", name="x", role=Role.CASHIER), None, "store_ids"),
        (StaffCard(code="S1", name="x", role=Role.CASHIER, home_store_id=999), None, "store_ids"),
        (StaffCard(code="S1", name="x", role=Role.MARKETING), NewSignIn(username="boss"), "username"),
        (StaffCard(code="S1", name="x", role=Role.MARKETING), NewSignIn(username="Boss"), "username"),
        (StaffCard(code="S1", name="x", role=Role.MARKETING), NewSignIn(username="li", password="short"), "password"),
    ],
)
def test_a_wrong_hire_changes_nothing(
    head: int, now: datetime, card: StaffCard, sign_in: NewSignIn | None, field: str
) -> None:
    with pytest.raises(ChangkeError) as caught:
        hire_staff(SYSTEM, card=card, sign_in=sign_in, now=now)
    assert caught.value.problems[0].field == field


def test_only_head_office_hires(db: None, now: datetime) -> None:
    with pytest.raises(NotAllowedError):
        hire_staff(CASHIER, card=boss(), sign_in=None, now=now)
    assert not Staff.objects.exists()


def test_nobody_changes_their_own_role(head: int, now: datetime) -> None:
    hire_staff(SYSTEM, card=boss("HQ02"), sign_in=NewSignIn(username="second"), now=now)
    with pytest.raises(ChangkeError, match="own role"):
        change_staff(acting(head), staff_id=head, card=StaffCard(code="HQ01", name="王总", role=Role.AUDITOR), now=now)
    change_staff(acting(head), staff_id=head, card=StaffCard(code="HQ01", name="王", role=Role.HEAD_OFFICE), now=now)
    staff = Staff.objects.get(id=head)
    assert (staff.role, staff.name) == ("head_office", "王")
    assert AuditEntry.objects.get(action="change_staff").after == {"name": "王"}


def test_scope_is_kept_and_audited(head: int, store: int, now: datetime) -> None:
    card = StaffCard(code="M1", name="店长", role=Role.STORE_MANAGER, home_store_id=store)
    manager = hire_staff(SYSTEM, card=card, sign_in=None, now=now).staff_id
    second = open_store(SYSTEM, card=StoreCard(code="HZ02", name="钱江店"), now=now)
    wider = StaffCard(
        code="M1", name="店长", role=Role.STORE_MANAGER, home_store_id=store, store_ids=frozenset({second})
    )
    change_staff(SYSTEM, staff_id=manager, card=wider, now=now)
    assert list(Staff.objects.get(id=manager).stores.values_list("id", flat=True)) == [second]
    assert AuditEntry.objects.get(action="change_staff").after == {"store_ids": [second]}


def test_the_last_of_head_office_stays(head: int, now: datetime) -> None:
    with pytest.raises(ChangkeError, match="last sign-in"):
        end_staff(SYSTEM, staff_id=head, ended_on=date(2026, 11, 22), now=now)
    with pytest.raises(ChangkeError, match="last sign-in"):
        change_staff(SYSTEM, staff_id=head, card=StaffCard(code="HQ01", name="王总", role=Role.AUDITOR), now=now)
    assert Staff.objects.get(id=head).ended_on is None


def test_who_leaves_cannot_sign_in_and_may_come_back(head: int, now: datetime) -> None:
    second = hire_staff(SYSTEM, card=boss("HQ02"), sign_in=NewSignIn(username="second"), now=now).staff_id
    with pytest.raises(ChangkeError, match="their own work"):
        end_staff(acting(second), staff_id=second, ended_on=date(2026, 11, 22), now=now)
    with pytest.raises(ChangkeError, match="between"):
        end_staff(acting(head), staff_id=second, ended_on=date(2026, 12, 24), now=now)
    end_staff(acting(head), staff_id=second, ended_on=date(2026, 11, 22), now=now)
    assert not User.objects.get(username="second").is_active
    take_back_staff(acting(head), staff_id=second, now=now)
    assert User.objects.get(username="second").is_active
    assert Staff.objects.get(id=second).ended_on is None


def test_a_sign_in_is_given_once(head: int, now: datetime) -> None:
    card = StaffCard(code="A1", name="审计", role=Role.AUDITOR)
    auditor = hire_staff(SYSTEM, card=card, sign_in=None, now=now).staff_id
    assert give_sign_in(SYSTEM, staff_id=auditor, sign_in=NewSignIn(username="audit"), now=now)
    with pytest.raises(ChangkeError, match="already"):
        give_sign_in(SYSTEM, staff_id=auditor, sign_in=NewSignIn(username="audit2"), now=now)
    assert User.objects.filter(username__startswith="audit").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_of_head_office_cannot_end_each_other_at_once(now: datetime) -> None:
    people = [
        hire_staff(SYSTEM, card=boss(code), sign_in=NewSignIn(username=code.lower()), now=now).staff_id
        for code in ("HQ01", "HQ02")
    ]
    viewers = [acting(person) for person in people]
    start, refused = Barrier(2), []

    def end(viewer: Viewer, staff_id: int) -> None:
        start.wait()
        try:
            end_staff(viewer, staff_id=staff_id, ended_on=date(2026, 11, 22), now=now)
        except ChangkeError as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [Thread(target=end, args=pair) for pair in zip(viewers, reversed(people), strict=True)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(refused) == 1
    assert Staff.objects.filter(ended_on=None).count() == 1

"""The company: set up once, changed by head office."""

from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from changke.actions.steps.audit import changed_fields, record_audit
from changke.kernel.checks import raise_problems
from changke.kernel.errors import ChangkeError, Problem, fail
from changke.records.models import Company
from changke.rules.company import CompanyCard, refuse_company
from changke.rules.staff import Permission, Viewer, require


@transaction.atomic
def set_up_company(actor: Viewer, *, card: CompanyCard, now: datetime) -> None:
    """Write the company's one row, exactly once: a second call is refused, also one at the same moment."""
    require(actor, permission=Permission.EDIT_SETTINGS)
    raise_problems(refuse_company(card))
    _, is_new = Company.objects.get_or_create(id=1, defaults=asdict(card))
    if not is_new:
        raise fail("company_exists", "This home already belongs to a company.", cure="Use another CHANGKE_HOME.")
    record_audit(actor, now=now, action="set_up_company", subject_kind="company", subject_id=1, after=asdict(card))


@transaction.atomic
def change_company(actor: Viewer, *, card: CompanyCard, now: datetime) -> None:
    """Change the company's data; currency and the mark of simulated data are fixed once it is set up."""
    require(actor, permission=Permission.EDIT_SETTINGS)
    raise_problems(refuse_company(card))
    company = Company.objects.select_for_update().get(id=1)
    before, after = changed_fields({key: getattr(company, key) for key in asdict(card)}, asdict(card))
    if fixed := after.keys() & {"currency", "is_simulated"}:
        raise ChangkeError(
            *(Problem(code="fixed", field=field, message="This cannot change any more.") for field in sorted(fixed))
        )
    if after:
        Company.objects.filter(id=1).update(**after)
        record_audit(
            actor, now=now, action="change_company", subject_kind="company", subject_id=1, before=before, after=after
        )

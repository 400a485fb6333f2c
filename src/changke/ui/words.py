"""Words for enums: what a user reads for each member. Every enum that is shown has its row here."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from changke.rules.attributes import AttributeKind
from changke.rules.birthdays import LeapRule
from changke.rules.duplicates import DuplicateReason
from changke.rules.groups import ValueLayer
from changke.rules.lifecycle import AtExpected, Combine, LifeClass, NewMeans, Stage, VisitCount
from changke.rules.members import (
    BirthCalendar,
    CardStatus,
    ConsentChannel,
    ConsentPurpose,
    Gender,
    MemberStatus,
    SourceChannel,
)
from changke.rules.rfm import FrequencyMeasure, MonetaryMeasure, Population, RfmMethod
from changke.rules.sales import SaleKind, TenderKind
from changke.rules.schedules import RunOrigin
from changke.rules.staff import Role
from changke.rules.stores import Ownership

WORDS: Final[dict[str, Mapping[str, Any]]] = {
    Role.__name__: {
        "head_office": _("Head office"),
        "marketing": _("Marketing"),
        "store_manager": _("Store manager"),
        "cashier": _("Cashier"),
        "service": _("Customer service"),
        "auditor": _("Auditor"),
    },
    MemberStatus.__name__: {
        "prospect": _("Prospect"),
        "provisional": _("Provisional"),
        "formal": _("Formal member"),
        "frozen": _("Frozen"),
        "closed": pgettext_lazy("member", "Closed"),
        "merged": _("Merged"),
        "erased": _("Erased"),
    },
    Gender.__name__: {"female": _("Female"), "male": _("Male"), "unknown": _("Unknown")},
    BirthCalendar.__name__: {"solar": _("Solar calendar"), "lunar": _("Lunar calendar")},
    AttributeKind.__name__: {
        "text": _("Text"),
        "number": _("Number"),
        "date": _("Date"),
        "choice": _("One choice"),
        "choices": _("Several choices"),
        "yes_no": _("Yes or no"),
    },
    DuplicateReason.__name__: {
        "same_phone": _("Same phone"),
        "same_email": _("Same e-mail"),
        "same_name_birthday": _("Same name and birthday"),
        "similar_name_last4": _("Similar name, same last four digits"),
    },
    LeapRule.__name__: {"february_28": _("On 28 February"), "march_1": _("On 1 March")},
    CardStatus.__name__: {
        "active": pgettext_lazy("card", "Valid"),
        "lost": pgettext_lazy("card", "Reported lost"),
        "replaced": pgettext_lazy("card", "Replaced"),
        "closed": pgettext_lazy("card", "Closed"),
    },
    ConsentChannel.__name__: {
        "sms": _("SMS"),
        "email": _("E-mail"),
        "wechat": _("WeChat"),
        "phone": _("Phone"),
        "post": _("Post"),
        "profiling": _("Profiling"),
        "terms": _("Terms of membership"),
    },
    ConsentPurpose.__name__: {
        "marketing": pgettext_lazy("purpose", "Marketing"),
        "service": pgettext_lazy("purpose", "Service"),
        "membership": pgettext_lazy("purpose", "Membership"),
    },
    SourceChannel.__name__: {
        "store": _("Store"),
        "paper_form": _("Paper form"),
        "website": _("Website"),
        "app": _("App"),
        "wechat": _("WeChat"),
        "email": _("E-mail"),
        "sms": _("SMS"),
        "social": _("Social media"),
        "qr": _("QR code"),
        "event": _("Event"),
        "partner": _("Partner"),
        "referral": _("Referral"),
        "import": _("Import"),
        "unknown": _("Unknown"),
    },
    SaleKind.__name__: {"sale": _("Sale"), "return": _("Return")},
    TenderKind.__name__: {
        "cash": _("Cash"),
        "card": _("Bank card"),
        "wechat_pay": _("WeChat Pay"),
        "alipay": _("Alipay"),
        "transfer": _("Bank transfer"),
        "voucher": _("Voucher"),
        "other": _("Other"),
    },
    Ownership.__name__: {"own": _("Own store"), "franchise": _("Franchise")},
    LifeClass.__name__: {
        "new": pgettext_lazy("life class", "New"),
        "returning": pgettext_lazy("life class", "Returning"),
        "active": pgettext_lazy("life class", "Active"),
        "sleeping": pgettext_lazy("life class", "Sleeping"),
        "lost": pgettext_lazy("life class", "Lost"),
        "unbought": pgettext_lazy("life class", "Not yet a buyer"),
    },
    Stage.__name__: {
        "introduction": pgettext_lazy("stage", "Introduction"),
        "growth": pgettext_lazy("stage", "Growth"),
        "maturity": pgettext_lazy("stage", "Maturity"),
        "dormancy": pgettext_lazy("stage", "Dormancy"),
        "loss": pgettext_lazy("stage", "Loss"),
        "unknown": pgettext_lazy("stage", "Unknown"),
    },
    ValueLayer.__name__: {
        "vip": pgettext_lazy("layer", "VIP"),
        "key": pgettext_lazy("layer", "Key"),
        "ordinary": pgettext_lazy("layer", "Ordinary"),
    },
    "JobState": {
        "running": pgettext_lazy("job", "Running"),
        "done": pgettext_lazy("job", "Done"),
        "failed": pgettext_lazy("job", "Failed"),
    },
    RunOrigin.__name__: {
        "manual": pgettext_lazy("run", "By hand"),
        "monthly": pgettext_lazy("run", "Monthly"),
        "quarterly": pgettext_lazy("run", "Quarterly"),
    },
    "Tier": {
        "regular": pgettext_lazy("tier", "Regular"),
        "silver": pgettext_lazy("tier", "Silver"),
        "gold": pgettext_lazy("tier", "Gold"),
        "diamond": pgettext_lazy("tier", "Diamond"),
    },
    RfmMethod.__name__: {
        "strict": _("Strict fifths"),
        "tie_safe": _("Equal values together"),
        "quantile": _("Quantiles (as the R package)"),
    },
    FrequencyMeasure.__name__: {"receipts": _("Receipts"), "visit_days": _("Days with a visit"), "items": _("Items")},
    MonetaryMeasure.__name__: {"net": _("Net of returns"), "gross": _("Gross")},
    Population.__name__: {
        "bought_in_period": _("Who bought in the period"),
        "ever": _("Who ever bought"),
        "all": _("All members"),
    },
    VisitCount.__name__: {"visit_days": _("Days with a visit"), "receipts": _("Receipts"), "items": _("Items")},
    AtExpected.__name__: {
        "active": pgettext_lazy("life class", "Active"),
        "returning": pgettext_lazy("life class", "Returning"),
    },
    NewMeans.__name__: {"one_in_window": _("One visit in the window"), "first_ever": _("First visit of all")},
    Combine.__name__: {"and": _("Both conditions"), "or": _("Either condition")},
    "CellRule": {
        "champions": _("Champions"),
        "keep_close": _("Keep close"),
        "win_back_first": _("Win back first"),
        "remind": _("Remind"),
        "grow": _("Help to grow"),
        "second_purchase": _("Second purchase"),
        "big_ticket_rare": _("Rare but large"),
        "fading": _("Fading"),
        "let_rest": _("Let rest"),
    },
}

WEEKDAYS: Final = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))


def label(member: Enum) -> Any:
    """Return the word for an enum member; its bare value where no row names it."""
    return word(str(member.value), kind=type(member).__name__)


def word(value: str, *, kind: str) -> Any:
    """Return the word for a stored value of an enum of that name; the bare value where no row names it."""
    return WORDS.get(kind, {}).get(value, value)

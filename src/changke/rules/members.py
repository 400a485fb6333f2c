"""What a member is: the words for status, gender, channels and purposes."""

from enum import StrEnum


class MemberStatus(StrEnum):
    PROSPECT = "prospect"  # neither bought nor joined
    PROVISIONAL = "provisional"  # joined, not yet confirmed
    FORMAL = "formal"
    FROZEN = "frozen"
    CLOSED = "closed"
    MERGED = "merged"  # lives on in another member; reversible
    ERASED = "erased"


class Gender(StrEnum):
    FEMALE = "female"
    MALE = "male"
    UNKNOWN = "unknown"


class BirthCalendar(StrEnum):
    SOLAR = "solar"
    LUNAR = "lunar"


class CardStatus(StrEnum):
    ACTIVE = "active"
    LOST = "lost"
    REPLACED = "replaced"
    CLOSED = "closed"


class ConsentChannel(StrEnum):
    SMS = "sms"
    EMAIL = "email"
    WECHAT = "wechat"
    PHONE = "phone"
    POST = "post"
    PROFILING = "profiling"
    TERMS = "terms"


class ConsentPurpose(StrEnum):
    MARKETING = "marketing"
    SERVICE = "service"
    MEMBERSHIP = "membership"


class SourceChannel(StrEnum):
    STORE = "store"
    PAPER_FORM = "paper_form"
    WEBSITE = "website"
    APP = "app"
    WECHAT = "wechat"
    EMAIL = "email"
    SMS = "sms"
    SOCIAL = "social"
    QR = "qr"
    EVENT = "event"
    PARTNER = "partner"
    REFERRAL = "referral"
    IMPORT = "import"
    UNKNOWN = "unknown"

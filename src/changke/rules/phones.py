"""Contacts: phone numbers in one form (E.164), and phones, e-mails and addresses masked for display."""

import re
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

HOME_COUNTRY: Final = "CN"
_CHINESE_MOBILE: Final = re.compile(r"\+861[3-9]\d{9}")  # the library's tables trail behind newly opened ranges
_FULL_WIDTH: Final = {ord("０") + digit: str(digit) for digit in range(10)} | {ord("＋"): "+"}


def parse_phone(text: str, *, country: str = HOME_COUNTRY) -> str | None:
    """Return a typed number as E.164 (138 0013 8000 -> +8613800138000), or None where it is no phone number."""
    try:
        number = phonenumbers.parse(text.translate(_FULL_WIDTH), country)
    except NumberParseException:
        return None
    spelled = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    is_known = phonenumbers.is_valid_number(number) or _CHINESE_MOBILE.fullmatch(spelled)
    return spelled if is_known and not number.extension else None


def format_phone(phone: str, *, country: str = HOME_COUNTRY) -> str:
    """Write an E.164 number as people at home read it: +8613800138000 -> 138 0013 8000, +44... -> +44 20 7946 0958."""
    if not phone:
        return ""
    number = phonenumbers.parse(phone, None)
    at_home = country in phonenumbers.region_codes_for_country_code(number.country_code or 0)
    return phonenumbers.format_number(
        number, PhoneNumberFormat.NATIONAL if at_home else PhoneNumberFormat.INTERNATIONAL
    )


def mask_phone(phone: str) -> str:
    """Hide an E.164 number: +8613800138000 -> 138****8000, any other country +44****0958."""
    if not phone:
        return ""
    if _CHINESE_MOBILE.fullmatch(phone):
        return f"{phone[3:6]}****{phone[-4:]}"
    return f"{phone[:3]}****{phone[-4:]}"


def mask_email(email: str) -> str:
    """Hide an e-mail address: anna.lee@example.com -> a***@example.com."""
    name, at, domain = email.partition("@")
    return f"{name[:1]}***{at}{domain}" if at else "***" * bool(email)


def mask_address(address: str) -> str:
    """Hide an address but for its first six characters (province and city of most Chinese ones)."""
    return f"{address[:6]}***" if address else ""

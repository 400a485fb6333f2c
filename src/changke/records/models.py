"""Every model of the app, for Django's registry."""

from changke.records.audit import AuditEntry
from changke.records.company import Company, Region, Setting
from changke.records.consents import Consent, ConsentText
from changke.records.events import Event, EventReader
from changke.records.imports import ImportedDay, ImportRun
from changke.records.insight import LakeRefresh, Opportunity, RfmRun
from changke.records.members import (
    AttributeDefinition,
    Card,
    DuplicatePair,
    Member,
    MemberCode,
    MemberKey,
    MemberMerge,
    MemberSecret,
    MemberTag,
    Tag,
)
from changke.records.products import Brand, Category, Product
from changke.records.sales import Sale, SaleLine, Source, Tender
from changke.records.segments import SavedView, Segment, SegmentSize
from changke.records.staff import Staff
from changke.records.stores import Store
from changke.records.uploads import Upload
from changke.records.users import User

__all__ = [
    "AttributeDefinition",
    "AuditEntry",
    "Brand",
    "Card",
    "Category",
    "Company",
    "Consent",
    "ConsentText",
    "DuplicatePair",
    "Event",
    "EventReader",
    "ImportRun",
    "ImportedDay",
    "LakeRefresh",
    "Member",
    "MemberCode",
    "MemberKey",
    "MemberMerge",
    "MemberSecret",
    "MemberTag",
    "Opportunity",
    "Product",
    "Region",
    "RfmRun",
    "Sale",
    "SaleLine",
    "SavedView",
    "Segment",
    "SegmentSize",
    "Setting",
    "Source",
    "Staff",
    "Store",
    "Tag",
    "Tender",
    "Upload",
    "User",
]

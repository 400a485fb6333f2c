"""Segments: one language to say who belongs, with its reading in plain Python, its sentence and its limits."""

from changke.rules.segments.catalogue import FIELDS, Field, FieldGroup, FieldKind, Unit
from changke.rules.segments.match import Receipt, ReceiptLine, SegmentInput, matches, pick_members
from changke.rules.segments.refuse import PROBLEMS, refuse_segment, refuse_tree
from changke.rules.segments.sentence import (
    MSGIDS,
    Clause,
    Joint,
    Phrase,
    Sentence,
    Term,
    TermKind,
    say,
    say_segment,
    spell,
)
from changke.rules.segments.tree import (
    AllOf,
    AnyOf,
    Attribute,
    BirthdayMonth,
    BirthdayWithin,
    Bought,
    Choice,
    Condition,
    Consent,
    DateBetween,
    DateWithin,
    Flag,
    InSegment,
    Not,
    Number,
    Pick,
    RandomShare,
    Segment,
    TagMode,
    Tags,
    Tree,
    Unknown,
    put_in,
    referred_segments,
    walk,
)

__all__ = [
    "FIELDS", "MSGIDS", "PROBLEMS", "AllOf", "AnyOf", "Attribute", "BirthdayMonth", "BirthdayWithin", "Bought",
    "Choice", "Clause", "Condition", "Consent", "DateBetween", "DateWithin", "Field", "FieldGroup", "FieldKind",
    "Flag", "InSegment", "Joint", "Not", "Number", "Phrase", "Pick", "RandomShare", "Receipt", "ReceiptLine",
    "Segment", "SegmentInput", "Sentence", "TagMode", "Tags", "Term", "TermKind", "Tree", "Unit", "Unknown",
    "matches", "pick_members", "put_in", "referred_segments", "refuse_segment", "refuse_tree", "say",
    "say_segment", "spell", "walk",
]  # fmt: skip

"""Members: the person, every code and card that leads to them, tags, and what users add to the profile."""

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Right

from changke.kernel.ids import new_public_id
from changke.records.fields import one_of
from changke.rules.attributes import AttributeKind
from changke.rules.members import BirthCalendar, CardStatus, Gender, MemberStatus, SourceChannel


class Member(models.Model):
    """One person, one member code. Phone and name are plain here and masked on display."""

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    code = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=120, blank=True)
    name_initials = models.CharField(max_length=60, blank=True)  # pinyin initials, lower case: 王小明 -> wxm
    gender = models.CharField(max_length=8, default=Gender.UNKNOWN)
    birth_calendar = models.CharField(max_length=5, default=BirthCalendar.SOLAR)
    birth_year = models.SmallIntegerField(null=True, blank=True)
    birth_month = models.SmallIntegerField(null=True, blank=True)
    birth_day = models.SmallIntegerField(null=True, blank=True)
    birth_in_leap_month = models.BooleanField(default=False)  # lunar calendar only
    next_birthday_on = models.DateField(null=True, blank=True)  # solar; worked out at save and after each birthday
    phone = models.CharField(max_length=16, blank=True)  # E.164
    phone_last4 = models.GeneratedField(
        expression=Right("phone", 4), output_field=models.CharField(max_length=4), db_persist=True
    )
    email = models.EmailField(blank=True)
    address = models.CharField(max_length=300, blank=True)
    region = models.ForeignKey("records.Region", null=True, blank=True, on_delete=models.PROTECT)
    home_store = models.ForeignKey("records.Store", null=True, blank=True, on_delete=models.PROTECT, db_index=False)
    recruiter = models.ForeignKey("records.Staff", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    source_channel = models.CharField(max_length=12, default=SourceChannel.UNKNOWN)
    preferred_channel = models.CharField(max_length=10, blank=True)
    joined_on = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=12, default=MemberStatus.FORMAL)
    valid_from = models.DateField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True)
    clerk_class = models.CharField(max_length=1, blank=True)  # the clerk's own judgement: A, B or C
    note = models.CharField(max_length=1000, blank=True)
    attributes = models.JSONField(default=dict)  # user-defined ones that are not sensitive: {key: text}
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged")
    first_sale_on = models.DateField(null=True, blank=True)
    last_sale_on = models.DateField(null=True, blank=True)  # kept current by each sale and return
    version = models.IntegerField(default=1)  # an edit names the version it saw
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "members"
        constraints = [
            one_of("status", MemberStatus, name="members_status"),
            one_of("gender", Gender, name="members_gender"),
            one_of("birth_calendar", BirthCalendar, name="members_birth_calendar"),
            one_of("source_channel", SourceChannel, name="members_source_channel"),
            models.CheckConstraint(condition=Q(clerk_class__in=["", "A", "B", "C"]), name="members_clerk_class"),
            models.CheckConstraint(
                condition=(Q(birth_month=None) & Q(birth_day=None))
                | (Q(birth_month__range=(1, 12)) & Q(birth_day__range=(1, 31))),
                name="members_birthday",
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="members_validity",
            ),
            models.CheckConstraint(
                condition=Q(status="merged", merged_into__isnull=False) | (~Q(status="merged") & Q(merged_into=None)),
                name="members_merged_into",
            ),
        ]
        indexes = [
            models.Index(fields=["phone"], name="members_phone", condition=~Q(phone="")),
            models.Index(fields=["phone_last4"], name="members_phone_last4", condition=~Q(phone="")),
            models.Index(OpClass(F("name"), name="varchar_pattern_ops"), name="members_name_prefix"),
            models.Index(OpClass(F("name_initials"), name="varchar_pattern_ops"), name="members_initials_prefix"),
            models.Index("home_store", OpClass(F("name"), name="varchar_pattern_ops"), name="members_store_name"),
            models.Index(
                "home_store", OpClass(F("name_initials"), name="varchar_pattern_ops"), name="members_store_initials"
            ),
            models.Index(fields=["email"], name="members_email", condition=~Q(email="")),
            models.Index(fields=["next_birthday_on"], name="members_next_birthday"),
            models.Index(fields=["status", "-id"], name="members_not_formal", condition=~Q(status="formal")),
            models.Index(fields=["-joined_on", "-id"], name="members_joined"),
            models.Index(fields=["-last_sale_on", "-id"], name="members_last_sale"),
        ]

    def __str__(self) -> str:
        return self.code


class MemberCode(models.Model):
    """A member's code in another system: it finds the member again, also after a merge."""

    source = models.ForeignKey("records.Source", on_delete=models.PROTECT, db_index=False)
    code = models.CharField(max_length=80)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="codes")

    class Meta:
        db_table = "member_codes"
        constraints = [models.UniqueConstraint(fields=["source", "code"], name="member_codes_code")]

    def __str__(self) -> str:
        return self.code


class Card(models.Model):
    """A card number. One number leads to one member at any moment; old numbers are kept."""

    number = models.CharField(max_length=40)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="cards")
    status = models.CharField(max_length=8, default=CardStatus.ACTIVE)
    issued_on = models.DateField()
    issued_store = models.ForeignKey("records.Store", null=True, on_delete=models.PROTECT, related_name="+")
    ended_on = models.DateField(null=True)
    ended_reason = models.CharField(max_length=200, blank=True)
    replaced_by = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="replaces")

    class Meta:
        db_table = "cards"
        constraints = [
            one_of("status", CardStatus, name="cards_status"),
            models.UniqueConstraint(fields=["number"], name="cards_number"),
            models.CheckConstraint(
                condition=Q(status="active", ended_on=None) | (~Q(status="active") & Q(ended_on__isnull=False)),
                name="cards_ended",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Tag(models.Model):
    name = models.CharField(max_length=60, unique=True)
    name_en = models.CharField(max_length=60, blank=True)

    class Meta:
        db_table = "tags"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class MemberTag(models.Model):
    pk = models.CompositePrimaryKey("member_id", "tag_id")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="tag_rows", db_index=False)
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="member_rows")

    class Meta:
        db_table = "member_tags"

    def __str__(self) -> str:
        return f"{self.member_id}/{self.tag_id}"


class AttributeDefinition(models.Model):
    """A profile field that a user added without code."""

    key = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80, blank=True)
    kind = models.CharField(max_length=8)
    choices = models.JSONField(default=list)
    is_required = models.BooleanField(default=False)
    is_visible_to_member = models.BooleanField(default=False)
    is_sensitive = models.BooleanField(default=False)  # encrypted under the member's key, never in lake or log
    position = models.SmallIntegerField(default=0)
    is_retired = models.BooleanField(default=False)

    class Meta:
        db_table = "attribute_definitions"
        ordering = ["position", "key"]
        constraints = [one_of("kind", AttributeKind, name="attribute_definitions_kind")]

    def __str__(self) -> str:
        return self.name


class MemberKey(models.Model):
    """The member's own data key, wrapped by the master key. Deleting the row makes the member's secrets unreadable."""

    member = models.OneToOneField(Member, primary_key=True, on_delete=models.CASCADE)
    master_key_id = models.CharField(max_length=20)
    wrapped_key = models.BinaryField()

    class Meta:
        db_table = "member_keys"

    def __str__(self) -> str:
        return str(self.member_id)


class MemberSecret(models.Model):
    """A sensitive attribute, encrypted (AES-256-GCM) under the member's key."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="secrets")
    definition = models.ForeignKey(AttributeDefinition, on_delete=models.PROTECT)
    ciphertext = models.BinaryField()

    class Meta:
        db_table = "member_secrets"
        constraints = [models.UniqueConstraint(fields=["member", "definition"], name="member_secrets_one")]

    def __str__(self) -> str:
        return f"{self.member_id}/{self.definition_id}"


class DuplicatePair(models.Model):
    """Two members who may be one person, why it looks so, and what was decided."""

    first = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=20)  # rules.duplicates.DuplicateReason
    state = models.CharField(max_length=9, default="open")  # open, merged, dismissed
    found_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey("records.User", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "duplicate_pairs"
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="duplicate_pairs_pair"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="duplicate_pairs_order"),
            one_of("state", ("open", "merged", "dismissed"), name="duplicate_pairs_state"),
        ]
        indexes = [models.Index(fields=["state", "-found_at"], name="duplicate_pairs_open")]

    def __str__(self) -> str:
        return f"{self.first_id}/{self.second_id}"


class MemberMerge(models.Model):
    """One merge, with all that it moved, so that it can be undone."""

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    survivor = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="merges_won")
    loser = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="merges_lost")
    merged_at = models.DateTimeField()
    merged_by = models.ForeignKey("records.User", null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    moved = models.JSONField()  # {"sales": [ids], "cards": [ids], "codes": [ids], "tags": [ids], "before": {...}}
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey("records.User", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "member_merges"
        constraints = [
            models.UniqueConstraint(fields=["loser"], condition=Q(undone_at=None), name="member_merges_one_live")
        ]

    def __str__(self) -> str:
        return f"{self.loser_id} -> {self.survivor_id}"

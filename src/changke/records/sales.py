"""Sales and returns as they were rung up: header, lines, tenders. Prices include tax.

Money and quantities are signed: a return is negative. A sale is known by its source and its number there.
"""

from django.db import models
from django.db.models import Q

from changke.records.fields import TransactionId, one_of
from changke.rules.sales import SaleKind, TenderKind


class Source(models.Model):
    """A system that sends sales: a till, an old ERP, a file."""

    id = models.SmallAutoField(primary_key=True)
    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)

    class Meta:
        db_table = "sources"

    def __str__(self) -> str:
        return self.name


class Sale(models.Model):
    source = models.ForeignKey(Source, on_delete=models.PROTECT, db_index=False)
    sale_no = models.CharField(max_length=80)
    kind = models.CharField(max_length=6)
    store = models.ForeignKey("records.Store", on_delete=models.PROTECT, db_index=False)
    staff = models.ForeignKey("records.Staff", null=True, on_delete=models.PROTECT, db_index=False)
    member = models.ForeignKey("records.Member", null=True, on_delete=models.PROTECT, db_index=False)
    sold_at = models.DateTimeField()
    business_day = models.DateField()
    original_sale = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, db_index=False, related_name="returns"
    )
    total_minor = models.BigIntegerField()
    quantity_milli = models.BigIntegerField()
    line_count = models.IntegerField()
    content_hash = models.BigIntegerField()
    xid = models.BigIntegerField(
        db_default=TransactionId(), editable=False
    )  # of the last change; see records/events.py

    class Meta:
        db_table = "sales"
        constraints = [
            models.UniqueConstraint(fields=["source", "sale_no"], name="sales_number"),
            one_of("kind", SaleKind, name="sales_kind"),
            models.CheckConstraint(
                condition=Q(kind="sale", total_minor__gte=0) | Q(kind="return", total_minor__lte=0), name="sales_sign"
            ),
            models.CheckConstraint(condition=Q(kind="return") | Q(original_sale=None), name="sales_original_of_return"),
        ]
        indexes = [
            models.Index(
                fields=["member", "-business_day"], name="sales_member_day", condition=Q(member__isnull=False)
            ),
            models.Index(fields=["store", "business_day"], name="sales_store_day"),
            models.Index(fields=["original_sale"], name="sales_original", condition=Q(original_sale__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.sale_no


class SaleLine(models.Model):
    pk = models.CompositePrimaryKey("sale_id", "line_no")
    sale = models.ForeignKey(Sale, on_delete=models.PROTECT, related_name="lines", db_index=False)
    line_no = models.IntegerField()
    product = models.ForeignKey("records.Product", on_delete=models.PROTECT)
    quantity_milli = models.BigIntegerField()
    unit_price = models.DecimalField(max_digits=18, decimal_places=6)
    total_minor = models.BigIntegerField()
    original_line_no = models.IntegerField(null=True)  # in the sale's original_sale

    class Meta:
        db_table = "sale_lines"

    def __str__(self) -> str:
        return f"{self.sale_id}/{self.line_no}"


class Tender(models.Model):
    pk = models.CompositePrimaryKey("sale_id", "tender_no")
    sale = models.ForeignKey(Sale, on_delete=models.PROTECT, related_name="tenders", db_index=False)
    tender_no = models.SmallIntegerField()
    kind = models.CharField(max_length=12)
    amount_minor = models.BigIntegerField()

    class Meta:
        db_table = "tenders"
        constraints = [one_of("kind", TenderKind, name="tenders_kind")]

    def __str__(self) -> str:
        return f"{self.sale_id}/{self.tender_no}"

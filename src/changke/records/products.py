"""Products, brands and the tree of categories."""

from django.db import models

from changke.kernel.ids import new_public_id


class Category(models.Model):
    """A node of the tree. `path` holds its names from the root, joined by U+001F, and is the natural key."""

    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    root = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")  # null = is one
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120, blank=True)
    path = models.CharField(max_length=800, unique=True)
    depth = models.SmallIntegerField()

    class Meta:
        db_table = "categories"
        ordering = ["path"]

    def __str__(self) -> str:
        return self.name


class Brand(models.Model):
    name = models.CharField(max_length=120, unique=True)
    name_en = models.CharField(max_length=120, blank=True)

    class Meta:
        db_table = "brands"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    code = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    name_en = models.CharField(max_length=200, blank=True)
    category = models.ForeignKey("records.Category", null=True, blank=True, on_delete=models.PROTECT)
    brand = models.ForeignKey("records.Brand", null=True, blank=True, on_delete=models.PROTECT)
    list_price_minor = models.BigIntegerField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    attributes = models.JSONField(default=dict)

    class Meta:
        db_table = "products"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name

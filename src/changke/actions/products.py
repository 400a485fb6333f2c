"""Products: names, category and brand are corrected by head office; new ones come with imports and sales."""

from datetime import datetime

from django.db import transaction

from changke.actions.steps.audit import changed_fields, record_audit
from changke.kernel.checks import raise_problems
from changke.kernel.errors import fail
from changke.records.models import Brand, Category, Product
from changke.rules.products import ProductCard, refuse_product
from changke.rules.staff import Permission, Viewer, require


@transaction.atomic
def change_product(actor: Viewer, *, product_id: int, card: ProductCard, now: datetime) -> None:
    """Change what is written about a product; a brand that is not known yet is added."""
    require(actor, permission=Permission.EDIT_SHOP)
    raise_problems(refuse_product(card))
    product = Product.objects.select_for_update().get(id=product_id)
    if card.category_id is not None and not Category.objects.filter(id=card.category_id).exists():
        raise fail("category_unknown", "There is no such category.", field="category_id")
    brand = Brand.objects.get_or_create(name=card.brand.strip())[0] if card.brand.strip() else None
    columns = {
        "name": card.name,
        "name_en": card.name_en,
        "category_id": card.category_id,
        "brand_id": brand.id if brand else None,
        "is_active": card.is_active,
    }
    before, after = changed_fields({key: getattr(product, key) for key in columns}, columns)
    if after:
        Product.objects.filter(id=product_id).update(**after)
        record_audit(
            actor,
            now=now,
            action="change_product",
            subject_kind="product",
            subject_id=product_id,
            before=before,
            after=after,
        )

"""Products, brands and the tree of categories."""

from dataclasses import dataclass

from django.db.models import Count, Q

from changke.kernel.texts import Named
from changke.records.models import Brand, Category, Product
from changke.rules.products import ProductCard
from changke.rules.staff import Permission, Viewer, require

STEP = "\x1f"  # joins the names of a category's path


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryRow:
    """A node of the tree in the order of its paths; `products` counts those directly in it."""

    id: int
    name: str
    name_en: str
    depth: int
    products: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRow:
    id: int
    public_id: str
    code: str
    card: ProductCard
    category: Named | None
    list_price_minor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFilter:
    text: str = ""
    category_id: int | None = None  # with everything below it
    brand_ids: tuple[int, ...] = ()
    states: tuple[str, ...] = ()  # "active", "retired"
    sort: str = "code"


SORTS = {
    "code": "code",
    "name": "name",
    "category": "category__path",
    "brand": "brand__name",
    "price": "list_price_minor",
}


def list_products(
    viewer: Viewer, *, chosen: ProductFilter, offset: int = 0, limit: int = 50
) -> tuple[tuple[ProductRow, ...], int]:
    """Return one page of the products that fit, and how many there are; at most three queries."""
    require(viewer, permission=Permission.SEE_SHOP)
    products = Product.objects.select_related("category", "brand")
    if text := chosen.text.strip():
        products = products.filter(Q(code__icontains=text) | Q(name__icontains=text) | Q(name_en__icontains=text))
    if chosen.category_id is not None:
        products = products.filter(category_id__in=_below(chosen.category_id))
    if chosen.brand_ids:
        products = products.filter(brand_id__in=chosen.brand_ids)
    if len(set(chosen.states)) == 1:
        products = products.filter(is_active="active" in chosen.states)
    key = SORTS.get(chosen.sort.removeprefix("-"), "code")
    ordered = products.order_by("-" * chosen.sort.startswith("-") + key, "id")
    return tuple(_row(product) for product in ordered[offset : offset + limit]), products.count()


def find_product(viewer: Viewer, *, public_id: str) -> ProductRow | None:
    """Return one product, or None."""
    require(viewer, permission=Permission.SEE_SHOP)
    product = Product.objects.select_related("category", "brand").filter(public_id=public_id).first()
    return _row(product) if product else None


def list_categories(viewer: Viewer) -> tuple[CategoryRow, ...]:
    """Return the tree from its roots down, each node before what lies below it."""
    require(viewer, permission=Permission.SEE_SHOP)
    rows = Category.objects.annotate(products=Count("product")).order_by("path")
    return tuple(
        CategoryRow(id=row.id, name=row.name, name_en=row.name_en, depth=row.depth, products=row.products)
        for row in rows
    )


def list_brands(viewer: Viewer) -> tuple[tuple[int, str], ...]:
    """Return (id, name) of every brand by name."""
    require(viewer, permission=Permission.SEE_SHOP)
    return tuple(Brand.objects.order_by("name").values_list("id", "name"))


def _below(category_id: int) -> list[int]:
    path = Category.objects.filter(id=category_id).values_list("path", flat=True).first()
    if path is None:
        return []
    return list(Category.objects.filter(Q(path=path) | Q(path__startswith=path + STEP)).values_list("id", flat=True))


def _row(product: Product) -> ProductRow:
    return ProductRow(
        id=product.id,
        public_id=product.public_id,
        code=product.code,
        card=ProductCard(
            name=product.name,
            name_en=product.name_en,
            category_id=product.category_id,
            brand=product.brand.name if product.brand else "",
            is_active=product.is_active,
        ),
        category=Named(name=node.name, name_en=node.name_en) if (node := product.category) else None,
        list_price_minor=product.list_price_minor,
    )

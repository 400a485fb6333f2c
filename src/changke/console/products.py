"""Products: the list with search, category and brand, and the correction of one product."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changke.actions.products import change_product
from changke.console.forms import accept, chosen_ids, page_number, posted
from changke.console.page import render_page
from changke.kernel.clock import utc_now
from changke.lobby.viewer import viewer_of
from changke.queries.products import (
    CategoryRow,
    ProductFilter,
    ProductRow,
    find_product,
    list_brands,
    list_categories,
    list_products,
)
from changke.rules.products import ProductCard
from changke.rules.staff import Permission, Viewer
from changke.ui.figures import Choice, Facet, Pages
from changke.ui.templatetags.ui import local_name

PAGE_ROWS: Final = 50
STATES: Final = {"active": gettext_lazy("On sale"), "retired": gettext_lazy("No longer on sale")}


class ProductForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    name_en = forms.CharField(label=gettext_lazy("English name"), max_length=200, required=False)
    category_id = forms.TypedChoiceField(label=gettext_lazy("Category"), coerce=int, empty_value=None, required=False)
    brand = forms.CharField(
        label=gettext_lazy("Brand"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("A brand that is not known yet is added."),
    )
    is_active = forms.BooleanField(label=gettext_lazy("On sale"), required=False)

    def __init__(self, *args: Any, viewer: Viewer, **more: Any) -> None:
        super().__init__(*args, **more)
        tree = [(str(row.id), _indented(row)) for row in list_categories(viewer)]
        self.fields["category_id"].choices = [("", "–"), *tree]  # type: ignore[attr-defined]
        self.fields["brand"].widget = Suggested(words=[name for _id, name in list_brands(viewer)])

    def card(self) -> ProductCard:
        return ProductCard(**self.cleaned_data)


class Suggested(forms.TextInput):
    """A text with known words to choose from."""

    template_name = "console/suggested.html"

    def __init__(self, *, words: list[str]) -> None:
        super().__init__()
        self.words = words

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["attrs"]["list"] = f"{name}-words"
        return context | {"words": self.words, "list_id": f"{name}-words"}


def show_products(request: HttpRequest) -> HttpResponse:
    """List the products."""
    viewer, get = viewer_of(request), request.GET
    category = chosen_ids(get.getlist("category")[:1])
    chosen = ProductFilter(
        text=get.get("q", ""),
        category_id=category[0] if category else None,
        brand_ids=chosen_ids(get.getlist("brand")),
        states=tuple(value for value in get.getlist("state") if value in STATES),
        sort=get.get("sort", "code"),
    )
    number = page_number(request)
    rows, total = list_products(viewer, chosen=chosen, offset=(number - 1) * PAGE_ROWS, limit=PAGE_ROWS)
    tree = list_categories(viewer)
    context = {
        "rows": rows,
        "pages": Pages(number=number, size=PAGE_ROWS, total=total),
        "is_filtered": bool(get),
        "tree": tree,
        "category_id": chosen.category_id,
        "keep": [("category", chosen.category_id)] if chosen.category_id is not None else [],
        "search": {"value": chosen.text, "label": _("Name or code")},
        "facets": _facets(viewer, chosen=chosen),
    }
    return render_page(request, "console/products/list.html", context, title=_("Products"))


def show_product(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show one product."""
    viewer, row = viewer_of(request), _find(request, public_id)
    context = {
        "row": row,
        "may_edit": viewer.may(Permission.EDIT_SHOP),
        "may_audit": viewer.may(Permission.SEE_AUDIT),
    }
    crumbs = ((_("Products"), reverse("products")),)
    return render_page(request, "console/products/page.html", context, title=local_name(row.card), crumbs=crumbs)


def edit_product(request: HttpRequest, public_id: str) -> HttpResponse:
    """Correct one product."""
    viewer, row = viewer_of(request), _find(request, public_id)
    card = row.card
    initial = {name: getattr(card, name) for name in ProductForm.base_fields}
    form = ProductForm(posted(request), viewer=viewer, initial=initial)
    if form.is_valid() and accept(
        form, act=lambda: change_product(viewer, product_id=row.id, card=form.card(), now=utc_now())
    ):
        messages.success(request, _("Saved."))
        return redirect("product", public_id=public_id)
    back = reverse("product", args=(public_id,))
    crumbs = ((_("Products"), reverse("products")), (local_name(card), back))
    return render_page(request, "console/form.html", {"form": form, "back": back}, title=_("Edit"), crumbs=crumbs)


def _find(request: HttpRequest, public_id: str) -> ProductRow:
    row = find_product(viewer_of(request), public_id=public_id)
    if row is None:
        raise Http404
    return row


def _indented(row: CategoryRow) -> str:
    return "  " * row.depth + local_name(row)


def _facets(viewer: Viewer, *, chosen: ProductFilter) -> list[Facet]:
    brands = [
        Choice(value=str(brand_id), label=name, is_chosen=brand_id in chosen.brand_ids)
        for brand_id, name in list_brands(viewer)
    ]
    states = [Choice(value=value, label=words, is_chosen=value in chosen.states) for value, words in STATES.items()]
    return [
        Facet(name="brand", label=_("Brand"), choices=brands),
        Facet(name="state", label=_("State"), choices=states),
    ]


urlpatterns = [
    path("products", show_products, name="products"),
    path("products/<slug:public_id>", show_product, name="product"),
    path("products/<slug:public_id>/edit", edit_product, name="product_edit"),
]

"""Every component once, with examples: what a page is built from, and what the browser tests look at."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _

from changke.console.page import render_page
from changke.console.specimens import EXAMPLE_CHARTS, ExampleForm
from changke.ui.figures import Choice, Facet, Figure, Pages, Progress, Tab


def show_components(request: HttpRequest) -> HttpResponse:
    """Show the components with made-up figures."""
    form = ExampleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        messages.success(request, _("Saved."))
    here = reverse("components")
    against = _("against the 30 days before")
    context = {
        "form": form,
        "figures": [
            Figure(
                label=_("Sales"),
                value=123_450_000,
                before=118_200_000,
                kind="money",
                against=against,
                spark=(5, 6, 5, 7, 8, 7, 9),
            ),
            Figure(
                label=_("Member share of sales"),
                value=321_500,
                before=308_000,
                kind="share",
                against=against,
                spark=(31, 30, 31, 32, 32),
            ),
            Figure(
                label=_("Sleeping members"),
                value=4_210,
                before=3_950,
                against=against,
                rise_is="bad",
                spark=(38, 39, 40, 42),
                href=here,
            ),
            Figure(label=_("New members"), value=312, against=against),
        ],
        "tabs": [Tab(label=_("Overview"), href=here, is_current=True), Tab(label=_("Lists"), href=here, count=1234)],
        "options": [Tab(label="R × F", href=here, is_current=True), Tab(label="R × M", href=here)],
        "facets": [
            Facet(
                name="life",
                label=_("Class"),
                choices=[
                    Choice(value="new", label=_("New"), count=12, is_chosen=True),
                    Choice(value="lost", label=_("Lost")),
                ],
            )
        ],
        "search": {"name": "q", "value": "", "label": _("Name, phone or card")},
        "pages": Pages(number=2, size=50, total=1234),
        "progress": Progress(label=_("Importing sales"), done=421_000, total=1_000_000, seconds_left=42),
        "charts": EXAMPLE_CHARTS,
    }
    return render_page(
        request, "console/components/page.html", context, title=_("Components"), lead=_("What pages are built from.")
    )


urlpatterns = [path("components", show_components, name="components")]

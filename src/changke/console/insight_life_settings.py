"""The settings that decide the life-cycle classes and stages, each with its shipped value."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changke.actions.settings import save_setting
from changke.console.forms import accept, enum_choices, posted
from changke.console.page import render_page
from changke.kernel.clock import utc_now
from changke.kernel.errors import fail
from changke.lobby.viewer import viewer_of
from changke.queries.settings import load_setting
from changke.rules.lifecycle import (
    SHIPPED_PRECEDENCE,
    AtExpected,
    Combine,
    LifecycleSettings,
    NewMeans,
    StageStarts,
    VisitCount,
)
from changke.rules.staff import Permission, require
from changke.ui.words import word

STAGES: Final = ("growth", "maturity", "dormancy", "loss")
SHIPPED: Final = LifecycleSettings()


class LifeForm(forms.Form):
    cycle_days = forms.IntegerField(
        label=gettext_lazy("Cycle C, in days"),
        min_value=1,
        max_value=3650,
        help_text=gettext_lazy("The usual time between two visits. Twice the cycle without a visit: asleep."),
    )
    expected_visits = forms.IntegerField(
        label=gettext_lazy("Visits expected in a window, F"),
        min_value=2,
        max_value=100,
        help_text=gettext_lazy("The window W is F cycles long."),
    )
    count = forms.ChoiceField(label=gettext_lazy("What counts as a visit"), choices=lambda: enum_choices(VisitCount))
    at_expected = forms.ChoiceField(
        label=gettext_lazy("Exactly F visits make a member"),
        choices=lambda: enum_choices(AtExpected),
        help_text=gettext_lazy("The sources define fewer and more than three, never exactly three."),
    )
    new_means = forms.ChoiceField(label=gettext_lazy("“New” means"), choices=lambda: enum_choices(NewMeans))
    lost_after_sends = forms.IntegerField(
        label=gettext_lazy("Lost after so many wake-ups in a row without an answer"), min_value=1, max_value=20
    )
    lost_after_days = forms.IntegerField(
        label=gettext_lazy("and after so many days since the first of them"), min_value=0, max_value=3650
    )
    combine = forms.ChoiceField(label=gettext_lazy("Lost needs"), choices=lambda: enum_choices(Combine))
    lost_without_sends_after_days = forms.IntegerField(
        label=gettext_lazy("Lost without any wake-up after so many days"),
        required=False,
        min_value=1,
        max_value=36500,
        help_text=gettext_lazy("Empty: silence alone makes nobody lost."),
    )
    growth = forms.IntegerField(label=gettext_lazy("Stage growth begins on day"), min_value=1, max_value=36500)
    maturity = forms.IntegerField(label=gettext_lazy("Stage maturity begins on day"), min_value=1, max_value=36500)
    dormancy = forms.IntegerField(label=gettext_lazy("Stage dormancy begins on day"), min_value=1, max_value=36500)
    loss = forms.IntegerField(label=gettext_lazy("Stage loss begins on day"), min_value=1, max_value=36500)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            told = _("Shipped: %(value)s.") % {"value": shipped_text(name)}
            field.help_text = f"{field.help_text} {told}".strip()

    def settings(self) -> LifecycleSettings:
        """Return the settings that were filled in; ChangkeError where they contradict each other."""
        filled = dict(self.cleaned_data)
        starts = {name: filled.pop(name) for name in STAGES}
        try:
            return LifecycleSettings(
                **{
                    **filled,
                    "count": VisitCount(filled["count"]),
                    "at_expected": AtExpected(filled["at_expected"]),
                    "new_means": NewMeans(filled["new_means"]),
                    "combine": Combine(filled["combine"]),
                },
                precedence=load_setting(LifecycleSettings).precedence,
                stage_starts=StageStarts(**starts),
            )
        except ValueError as error:
            raise fail(
                "stages_in_order", "Each stage begins later than the one before it.", field="maturity"
            ) from error


def shipped_text(name: str) -> str:
    """Return the shipped value of a field in words."""
    value = getattr(SHIPPED.stage_starts if name in STAGES else SHIPPED, name)
    if value is None:
        return _("none")
    kinds = {"count": "VisitCount", "at_expected": "AtExpected", "new_means": "NewMeans", "combine": "Combine"}
    return str(word(str(value), kind=kinds[name])) if name in kinds else str(value)


def show_settings(request: HttpRequest) -> HttpResponse:
    """Show and change the settings of the life cycle; they hold from the next refresh on."""
    viewer, saved = viewer_of(request), load_setting(LifecycleSettings)
    may_edit = viewer.may(Permission.EDIT_SETTINGS)
    initial = {name: getattr(saved.stage_starts if name in STAGES else saved, name) for name in LifeForm.base_fields}
    form = LifeForm(posted(request), initial=initial)
    if not may_edit:
        for field in form.fields.values():
            field.disabled = True
    if request.method == "POST":
        require(viewer, permission=Permission.EDIT_SETTINGS)
    if form.is_valid() and accept(form, act=lambda: save_setting(viewer, value=form.settings(), now=utc_now())):
        messages.success(request, _("Saved. The classes follow at the next refresh."))
        return redirect("insight_life_settings")
    order = [word(life, kind="LifeClass") for life in SHIPPED_PRECEDENCE]
    context = {"form": form, "back": reverse("insight_life"), "may_edit": may_edit, "order": order, "saved": saved}
    crumbs = ((_("Life cycle"), reverse("insight_life")),)
    return render_page(
        request, "console/insight/life_settings.html", context, title=_("Settings of the classes"), crumbs=crumbs
    )


urlpatterns = [path("insight/life-cycle/settings", show_settings, name="insight_life_settings")]

"""Saved views: a filter, order and choice of columns of a list, kept under a name by one person."""

from django.db import transaction

from changke.kernel.checks import raise_problems, refuse_blank
from changke.kernel.errors import fail
from changke.records.models import SavedView
from changke.rules.staff import NotAllowedError, Viewer

VIEWS_MAX = 30
LONGEST_QUERY = 2000


@transaction.atomic
def save_view(actor: Viewer, *, page: str, name: str, query: str) -> str:
    """Keep a view of a page under a name, over an older one of that name; returns its public id."""
    if actor.user_id is None:
        raise NotAllowedError("only a person keeps views")
    raise_problems(refuse_blank(name, field="name", longest=80))
    if len(query) > LONGEST_QUERY:
        raise fail("view_too_long", "This choice is too long to be kept.", field="name")
    own = SavedView.objects.filter(user_id=actor.user_id, page=page)
    if own.exclude(name=name.strip()).count() >= VIEWS_MAX:
        raise fail("too_many_views", "At most %(most)s views are kept.", field="name", most=VIEWS_MAX)
    view, _ = SavedView.objects.update_or_create(
        user_id=actor.user_id, page=page, name=name.strip(), defaults={"query": query}
    )
    return view.public_id


@transaction.atomic
def delete_view(actor: Viewer, *, public_id: str) -> None:
    """Forget one of the actor's own views."""
    SavedView.objects.filter(user_id=actor.user_id or 0, public_id=public_id).delete()

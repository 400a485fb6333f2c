"""Sign-ins. One table for staff and members, told apart by kind; what a sign-in may do is decided in lobby/."""

from typing import Any, ClassVar

from django.contrib import auth
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models

from changke.records.fields import one_of

KINDS = ("staff", "member")


class UserManager(BaseUserManager["User"]):
    def create_user(self, *, username: str, password: str | None, kind: str = "staff", email: str = "") -> "User":
        user = self.model(username=username, kind=kind, email=self.normalize_email(email))
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """One sign-in: its name, its password hash and whether it still works."""

    username = models.CharField(max_length=150, unique=True)
    email = models.EmailField(blank=True, db_index=True)
    kind = models.CharField(max_length=6, default="staff")
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=False)
    language = models.CharField(max_length=10, default="zh-hans")
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    is_superuser = False

    objects = UserManager()

    class Meta:
        db_table = "users"
        constraints = [one_of("kind", KINDS, name="users_kind")]

    def __str__(self) -> str:
        return self.username

    @property
    def is_staff(self) -> bool:
        """What Django's admin asks before it opens."""
        return self.kind == "staff" and self.is_active

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Ask every back end; the permission table answers for the staff's role."""
        return self.is_active and any(
            backend.has_perm(self, perm, obj) for backend in auth.get_backends() if hasattr(backend, "has_perm")
        )

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and any(
            backend.has_module_perms(self, app_label)
            for backend in auth.get_backends()
            if hasattr(backend, "has_module_perms")
        )

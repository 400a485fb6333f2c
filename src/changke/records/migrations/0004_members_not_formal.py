"""The few members who are not formal (to be approved, frozen, closed, prospects) are found without reading all."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("records", "0003_imports")]

    operations = [
        migrations.AddIndex(
            model_name="member",
            index=models.Index(
                condition=models.Q(("status", "formal"), _negated=True),
                fields=["status", "-id"],
                name="members_not_formal",
            ),
        ),
    ]

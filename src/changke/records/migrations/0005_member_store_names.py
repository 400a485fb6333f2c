"""A store's staff find by name among the members of their store: both indexes begin with the home store.

With the usual hundred steps of its histogram the planner takes a common beginning of a name for a rare one and reads
thousands of rows of other stores; a thousand steps tell it better.
"""

import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0004_members_not_formal"),
    ]

    operations = [
        migrations.AlterField(
            model_name="member",
            name="home_store",
            field=models.ForeignKey(
                blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to="records.store"
            ),
        ),
        migrations.AddIndex(
            model_name="member",
            index=models.Index(
                models.F("home_store"),
                django.contrib.postgres.indexes.OpClass(models.F("name"), name="varchar_pattern_ops"),
                name="members_store_name",
            ),
        ),
        migrations.AddIndex(
            model_name="member",
            index=models.Index(
                models.F("home_store"),
                django.contrib.postgres.indexes.OpClass(models.F("name_initials"), name="varchar_pattern_ops"),
                name="members_store_initials",
            ),
        ),
        migrations.RunSQL(
            "ALTER TABLE members ALTER name SET STATISTICS 1000, ALTER name_initials SET STATISTICS 1000",
            "ALTER TABLE members ALTER name SET STATISTICS -1, ALTER name_initials SET STATISTICS -1",
        ),
    ]

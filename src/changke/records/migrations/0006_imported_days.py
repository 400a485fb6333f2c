"""Days of purchase that an import has found and members do not show yet: written down with the sales, settled after."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("records", "0005_member_store_names")]

    operations = [
        migrations.CreateModel(
            name="ImportedDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("member_id", models.BigIntegerField()),
                ("first_on", models.DateField(null=True)),
                ("last_on", models.DateField(null=True)),
            ],
            options={"db_table": "imported_days"},
        ),
    ]

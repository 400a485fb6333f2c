"""Imports on record, and two functions for the first load of a shop's history.

`changke_begin_first_load` takes the keys and indexes off the empty tables of sales and says whether it did (false: they
hold rows), `changke_end_first_load` puts them back and checks every row: building an index once is several times faster
than keeping it current for each row. Both run as the owner, in one transaction: rolled back, nothing has happened. What
is to be put back lies in `bulk_rebuilds`, which nobody else can write, and no transaction commits before it is empty.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import changke.kernel.ids
import changke.rules.imports.plan

TABLES = "ARRAY['sales', 'sale_lines', 'tenders']::regclass[]"

REBUILDS = """
CREATE TABLE bulk_rebuilds (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, step smallint NOT NULL, ddl text NOT NULL);

CREATE FUNCTION changke_guard_rebuilds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> (SELECT tableowner FROM pg_tables WHERE schemaname = TG_TABLE_SCHEMA AND tablename = TG_TABLE_NAME)
    THEN
        RAISE EXCEPTION 'only the functions of the first load write here' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER bulk_rebuilds_guard BEFORE INSERT OR UPDATE OR DELETE ON bulk_rebuilds
    FOR EACH ROW EXECUTE FUNCTION changke_guard_rebuilds();

CREATE FUNCTION changke_refuse_open_load() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM bulk_rebuilds) THEN
        RAISE EXCEPTION 'the first load was not ended';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER bulk_rebuilds_done AFTER INSERT ON bulk_rebuilds DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION changke_refuse_open_load();
"""

BEGIN = f"""
CREATE FUNCTION changke_begin_first_load() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public AS $$
DECLARE
    loaded CONSTANT regclass[] := {TABLES};
    part record;
BEGIN
    IF EXISTS (SELECT FROM sales) THEN
        RETURN false;
    END IF;
    LOCK TABLE sales, sale_lines, tenders IN ACCESS EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM sales) THEN
        RAISE EXCEPTION 'sales were written meanwhile' USING ERRCODE = 'serialization_failure';
    END IF;
    INSERT INTO bulk_rebuilds (step, ddl)
    SELECT CASE contype WHEN 'f' THEN 3 ELSE 1 END,
           format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint
    WHERE contype IN ('p', 'u', 'f') AND (conrelid = ANY (loaded) OR (contype = 'f' AND confrelid = ANY (loaded)));
    INSERT INTO bulk_rebuilds (step, ddl)
    SELECT 2, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = ANY (loaded) AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'));
    FOR part IN
        SELECT conrelid::regclass AS owner, conname FROM pg_constraint
        WHERE contype IN ('p', 'u', 'f') AND (conrelid = ANY (loaded) OR (contype = 'f' AND confrelid = ANY (loaded)))
        ORDER BY contype <> 'f'
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', part.owner, part.conname);
    END LOOP;
    FOR part IN SELECT indexrelid::regclass AS index FROM pg_index WHERE indrelid = ANY (loaded)
    LOOP
        EXECUTE format('DROP INDEX %s', part.index);
    END LOOP;
    RETURN true;
END $$;
"""

END = """
CREATE FUNCTION changke_end_first_load() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public AS $$
DECLARE
    part record;
BEGIN
    FOR part IN SELECT ddl FROM bulk_rebuilds ORDER BY step, id
    LOOP
        EXECUTE part.ddl;
    END LOOP;
    DELETE FROM bulk_rebuilds;
END $$;

CREATE FUNCTION changke_analyse_imported() RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public AS $$
    ANALYZE sales, sale_lines, members, member_codes, products;
$$;
"""

UNDO = """
DROP FUNCTION changke_analyse_imported(), changke_end_first_load(), changke_begin_first_load();
DROP TABLE bulk_rebuilds;
DROP FUNCTION changke_refuse_open_load(), changke_guard_rebuilds();
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0002_history_guards")]

    operations = [
        migrations.CreateModel(
            name="ImportRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    models.CharField(
                        default=changke.kernel.ids.new_public_id, editable=False, max_length=20, unique=True
                    ),
                ),
                ("mode", models.CharField(max_length=9)),
                ("profile", models.CharField(max_length=40)),
                ("source", models.CharField(blank=True, max_length=40)),
                ("files", models.JSONField()),
                ("plan", models.JSONField()),
                ("tables", models.JSONField(default=list)),
                ("state", models.CharField(default=changke.rules.imports.plan.ImportState["WAITING"], max_length=9)),
                ("stage", models.CharField(blank=True, max_length=10)),
                ("done", models.BigIntegerField(default=0)),
                ("total", models.BigIntegerField(default=0)),
                ("is_cancel_asked", models.BooleanField(default=False)),
                ("counts", models.JSONField(default=dict)),
                ("merged", models.JSONField(default=dict)),
                ("problems", models.JSONField(default=list)),
                ("asked_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("actor", models.CharField(max_length=150)),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "report",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="records.upload"
                    ),
                ),
            ],
            options={
                "db_table": "import_runs",
                "indexes": [models.Index(fields=["-asked_at", "-id"], name="import_runs_newest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["merge", "rehearsal"])), name="import_runs_mode"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "running", "done", "failed", "cancelled"])),
                        name="import_runs_state",
                    ),
                ],
            },
        ),
        migrations.RunSQL(REBUILDS + BEGIN + END, UNDO),
    ]

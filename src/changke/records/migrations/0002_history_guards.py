"""History is append-only: triggers refuse UPDATE and DELETE, whoever asks; TRUNCATE is a right of the owner alone.

`changke_guard_history` raises for audit entries, events and consents; config/database.py finds the tables by this
trigger and takes the right to try from the role of the web processes. A changed sale carries the id of the
transaction that changed it, so that the lake finds it.
"""

from django.db import migrations

HISTORY = ("audit_entries", "events", "consents")

GUARD = """
CREATE FUNCTION changke_guard_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'history of % is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""

TRIGGERS = "".join(
    f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION changke_guard_history();\n"
    for table in HISTORY
)

UNDO = (
    "".join(f"DROP TRIGGER {table}_append_only ON {table};\n" for table in HISTORY)
    + "DROP FUNCTION changke_guard_history();"
)


STAMP = """
CREATE FUNCTION changke_stamp_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.xid := (pg_current_xact_id()::text)::bigint;
    RETURN NEW;
END $$;
CREATE TRIGGER sales_stamp BEFORE UPDATE ON sales FOR EACH ROW EXECUTE FUNCTION changke_stamp_transaction();
"""
UNSTAMP = "DROP TRIGGER sales_stamp ON sales; DROP FUNCTION changke_stamp_transaction();"


class Migration(migrations.Migration):
    dependencies = [("records", "0001_initial")]

    operations = [
        migrations.RunSQL(GUARD + TRIGGERS, UNDO),
        migrations.RunSQL(STAMP, UNSTAMP),
    ]

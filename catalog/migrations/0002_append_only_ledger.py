from django.db import migrations


class Migration(migrations.Migration):
    """Rows of the ledger are only ever added: nobody updates or deletes one."""

    dependencies = [("catalog", "0001_initial")]

    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
            END $$;
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON catalog_stockmovement
                FOR EACH ROW EXECUTE FUNCTION refuse_change();
            """,
            "DROP TRIGGER append_only ON catalog_stockmovement; DROP FUNCTION refuse_change();",
        )
    ]

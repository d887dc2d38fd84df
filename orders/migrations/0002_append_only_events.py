from django.db import migrations


class Migration(migrations.Migration):
    """Events are only ever added: nobody updates or deletes one."""

    dependencies = [("orders", "0001_initial"), ("catalog", "0002_append_only_ledger")]

    operations = [
        migrations.RunSQL(
            """
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON orders_orderevent
                FOR EACH ROW EXECUTE FUNCTION refuse_change();
            """,
            "DROP TRIGGER append_only ON orders_orderevent;",
        )
    ]

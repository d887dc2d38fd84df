from django.db import migrations


class Migration(migrations.Migration):
    """Changes are only ever added. The history of a product that was there before begins with how it is found."""

    dependencies = [("catalog", "0005_product_history")]

    operations = [
        migrations.RunSQL(
            """
            INSERT INTO catalog_productchange (product_id, version, kind, changes, done_by, note, request_id)
            SELECT id, version, 'found',
                   jsonb_build_object(
                       'sku', jsonb_build_array(null, sku),
                       'name', jsonb_build_array(null, name),
                       'description', jsonb_build_array(null, description),
                       'price', jsonb_build_array(null, price::text),
                       'image_url', jsonb_build_array(null, image_url),
                       'is_active', jsonb_build_array(null, is_active),
                       'low_stock_at', jsonb_build_array(null, low_stock_at),
                       'group_id', jsonb_build_array(null, group_id),
                       'options', jsonb_build_array(null, options)),
                   'command:migrate', '', ''
              FROM catalog_product;
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON catalog_productchange
                FOR EACH ROW EXECUTE FUNCTION refuse_change();
            """,
            "DROP TRIGGER append_only ON catalog_productchange;",
        )
    ]

-- What must be true of the books, one query each: it returns a row (what, detail) for everything that is not.
-- A query begins at its "-- name:" line. All run in one read-only snapshot, so live orders do not disturb them.

-- name: stock_is_never_negative
SELECT 'product ' || product_id, format('available %s, committed %s', available, committed)
  FROM catalog_stock
 WHERE available < 0 OR committed < 0;

-- name: every_product_has_a_stock_row
SELECT 'product ' || product.id, 'has no stock row'
  FROM catalog_product product LEFT JOIN catalog_stock stock ON stock.product_id = product.id
 WHERE stock.product_id IS NULL;

-- name: counters_equal_the_ledger
SELECT 'product ' || stock.product_id,
       format('counters %s and %s, ledger %s and %s', stock.available, stock.committed,
              coalesce(ledger.available, 0), coalesce(ledger.committed, 0))
  FROM catalog_stock stock
  LEFT JOIN (SELECT product_id, sum(available_change) AS available, sum(committed_change) AS committed
               FROM catalog_stockmovement GROUP BY product_id) ledger ON ledger.product_id = stock.product_id
 WHERE stock.available <> coalesce(ledger.available, 0) OR stock.committed <> coalesce(ledger.committed, 0);

-- name: ledger_has_a_running_balance
SELECT 'movement ' || id, format('says %s are available after it, the rows up to it add up to %s', available_after, balance)
  FROM (SELECT id, available_after,
               sum(available_change) OVER (PARTITION BY product_id ORDER BY id) AS balance
          FROM catalog_stockmovement) running
 WHERE available_after <> balance;

-- name: every_version_of_a_product_is_in_its_history
SELECT 'product ' || product.id, format('is version %s, its history has %s rows up to version %s', product.version, rows, last)
  FROM catalog_product product
  LEFT JOIN (SELECT product_id, count(*) AS rows, min(version) AS first, max(version) AS last
               FROM catalog_productchange GROUP BY product_id) history ON history.product_id = product.id
 WHERE product.version IS DISTINCT FROM last OR rows <> last - first + 1;

-- name: a_product_is_what_its_last_change_made_of_it
SELECT 'product ' || product.id, format('%s is "%s", its history says "%s"', field.key, left(to_jsonb(product) ->> field.key, 80), left(field.value ->> 1, 80))
  FROM catalog_product product
  JOIN catalog_productchange last ON last.product_id = product.id AND last.version = product.version
 CROSS JOIN LATERAL jsonb_each(last.changes) field
 WHERE to_jsonb(product) ->> field.key IS DISTINCT FROM field.value ->> 1;

-- name: every_line_took_its_stock_once
SELECT 'order ' || coalesce(line.order_id::text, taken.order_uuid::text),
       format('product %s: ordered %s, taken %s', coalesce(line.product_id, taken.product_id),
              coalesce(line.quantity, 0), coalesce(taken.quantity, 0))
  FROM (SELECT item.order_id, buyer.uuid AS order_uuid, item.product_id, item.quantity
          FROM orders_orderitem item JOIN orders_order buyer ON buyer.id = item.order_id) line
  FULL JOIN (SELECT order_uuid, product_id, -sum(available_change) AS quantity
               FROM catalog_stockmovement WHERE kind = 'ordered' GROUP BY order_uuid, product_id) taken
    ON taken.order_uuid = line.order_uuid AND taken.product_id = line.product_id
 WHERE line.quantity IS DISTINCT FROM taken.quantity;

-- name: cancelled_units_come_back_at_most_once
SELECT 'order ' || line.order_id,
       format('product %s: cancelled %s, given back %s', line.product_id, line.cancelled_quantity, back.quantity)
  FROM (SELECT item.*, buyer.uuid AS order_uuid
          FROM orders_orderitem item JOIN orders_order buyer ON buyer.id = item.order_id) line
  JOIN (SELECT order_uuid, product_id, sum(available_change) AS quantity
          FROM catalog_stockmovement WHERE kind IN ('cancelled', 'returned', 'retaken') GROUP BY order_uuid, product_id) back
    ON back.order_uuid = line.order_uuid AND back.product_id = line.product_id
 WHERE back.quantity > line.cancelled_quantity;

-- name: cancelled_units_come_back_when_the_event_says_so
SELECT 'order ' || coalesce(event.order_id::text, back.order_uuid::text),
       format('product %s: %s units were to come back, %s did', coalesce(event.product_id, back.product_id),
              coalesce(event.quantity, 0), coalesce(back.quantity, 0))
  FROM (SELECT logged.order_id, buyer.uuid AS order_uuid, unit.key::bigint AS product_id, sum(unit.quantity) AS quantity
          FROM orders_orderevent logged
          JOIN orders_order buyer ON buyer.id = logged.order_id
         CROSS JOIN LATERAL (SELECT key, value::bigint AS quantity FROM jsonb_each_text(logged.data -> 'quantities')
                              WHERE (logged.data ->> 'restock')::boolean
                              UNION ALL
                             SELECT key, -value::bigint FROM jsonb_each_text(logged.data -> 'retaken')) unit
         GROUP BY logged.order_id, buyer.uuid, unit.key
        HAVING sum(unit.quantity) <> 0) event
  FULL JOIN (SELECT order_uuid, product_id, sum(available_change) AS quantity
               FROM catalog_stockmovement WHERE kind IN ('cancelled', 'returned', 'retaken')
              GROUP BY order_uuid, product_id HAVING sum(available_change) <> 0) back
    ON back.order_uuid = event.order_uuid AND back.product_id = event.product_id
 WHERE event.quantity IS DISTINCT FROM back.quantity;

-- name: every_cancelled_unit_has_its_event
SELECT 'order ' || line.order_id,
       format('product %s: %s units are cancelled, the events say %s', line.product_id, line.cancelled_quantity, coalesce(event.quantity, 0))
  FROM orders_orderitem line
  LEFT JOIN (SELECT logged.order_id, unit.key::bigint AS product_id, sum(unit.quantity) AS quantity
               FROM orders_orderevent logged
              CROSS JOIN LATERAL (SELECT key, value::bigint AS quantity FROM jsonb_each_text(logged.data -> 'quantities')
                                   UNION ALL
                                  SELECT key, -value::bigint FROM jsonb_each_text(logged.data -> 'retaken')) unit
              GROUP BY logged.order_id, unit.key) event
    ON event.order_id = line.order_id AND event.product_id = line.product_id
 WHERE line.cancelled_quantity <> coalesce(event.quantity, 0);

-- name: committed_is_what_waits_on_the_shelf
SELECT 'order ' || coalesce(waiting.order_id::text, held.order_uuid::text),
       format('product %s: %s wait, %s are committed', coalesce(waiting.product_id, held.product_id),
              coalesce(waiting.quantity, 0), coalesce(held.quantity, 0))
  FROM (SELECT item.order_id, buyer.uuid AS order_uuid, item.product_id, item.quantity - item.cancelled_quantity AS quantity
          FROM orders_orderitem item JOIN orders_order buyer ON buyer.id = item.order_id
         WHERE item.quantity > item.cancelled_quantity
           AND (buyer.status = 'pending'
                OR buyer.status = 'completed' AND buyer.ship_to IS NOT NULL AND buyer.shipped_at IS NULL)) waiting
  FULL JOIN (SELECT order_uuid, product_id, sum(committed_change) AS quantity
               FROM catalog_stockmovement WHERE order_uuid IS NOT NULL
              GROUP BY order_uuid, product_id HAVING sum(committed_change) <> 0) held
    ON held.order_uuid = waiting.order_uuid AND held.product_id = waiting.product_id
 WHERE waiting.quantity IS DISTINCT FROM held.quantity;

-- name: numbers_are_in_range
SELECT 'product ' || id, 'price ' || price
  FROM catalog_product WHERE price <= 0 OR price = 'NaN'
 UNION ALL
SELECT 'order ' || order_id, format('product %s: quantity %s, cancelled %s, price %s', product_id, quantity, cancelled_quantity, price_at_time)
  FROM orders_orderitem
 WHERE quantity < 1 OR cancelled_quantity NOT BETWEEN 0 AND quantity OR price_at_time <= 0 OR price_at_time = 'NaN';

-- name: subtotal_is_quantity_times_price
SELECT 'order ' || order_id, format('product %s: %s x %s is not %s', product_id, quantity, price_at_time, subtotal)
  FROM orders_orderitem WHERE subtotal <> quantity * price_at_time;

-- name: total_is_the_sum_of_its_lines
SELECT 'order ' || buyer.id, format('total %s, lines %s', buyer.total_price, sum(item.subtotal))
  FROM orders_order buyer JOIN orders_orderitem item ON item.order_id = buyer.id
 GROUP BY buyer.id HAVING buyer.total_price <> sum(item.subtotal);

-- name: current_total_is_what_was_not_cancelled
SELECT 'order ' || buyer.id,
       format('current total %s, lines %s', buyer.current_total, sum((item.quantity - item.cancelled_quantity) * item.price_at_time))
  FROM orders_order buyer JOIN orders_orderitem item ON item.order_id = buyer.id
 GROUP BY buyer.id
HAVING buyer.current_total <> sum((item.quantity - item.cancelled_quantity) * item.price_at_time);

-- name: no_order_is_empty
SELECT 'order ' || buyer.id, 'has no lines'
  FROM orders_order buyer WHERE NOT EXISTS (SELECT FROM orders_orderitem item WHERE item.order_id = buyer.id);

-- name: one_line_per_product
SELECT 'order ' || order_id, format('product %s stands in %s lines', product_id, count(*))
  FROM orders_orderitem GROUP BY order_id, product_id HAVING count(*) > 1;

-- name: one_order_per_key
SELECT 'orders ' || string_agg(id::text, ', ' ORDER BY id), 'share a key of ' || placed_by
  FROM orders_order WHERE idempotency_key IS NOT NULL
 GROUP BY placed_by, idempotency_key HAVING count(*) > 1;

-- name: nothing_is_orphaned
SELECT 'item ' || item.id, 'its order or product is gone'
  FROM orders_orderitem item
  LEFT JOIN orders_order buyer ON buyer.id = item.order_id
  LEFT JOIN catalog_product product ON product.id = item.product_id
 WHERE buyer.id IS NULL OR product.id IS NULL
 UNION ALL
SELECT 'event ' || event.id, 'its order is gone'
  FROM orders_orderevent event LEFT JOIN orders_order buyer ON buyer.id = event.order_id WHERE buyer.id IS NULL
 UNION ALL
SELECT 'movement ' || moved.id, 'its product or order is gone'
  FROM catalog_stockmovement moved
  LEFT JOIN catalog_product product ON product.id = moved.product_id
  LEFT JOIN orders_order buyer ON buyer.uuid = moved.order_uuid
 WHERE product.id IS NULL OR moved.order_uuid IS NOT NULL AND buyer.id IS NULL
 UNION ALL
SELECT 'stock ' || stock.product_id, 'its product is gone'
  FROM catalog_stock stock LEFT JOIN catalog_product product ON product.id = stock.product_id WHERE product.id IS NULL;

-- name: every_order_was_placed_once
SELECT 'order ' || buyer.id, format('has %s events of being placed', count(event.id))
  FROM orders_order buyer LEFT JOIN orders_orderevent event ON event.order_id = buyer.id AND event.kind = 'placed'
 GROUP BY buyer.id HAVING count(event.id) <> 1;

-- name: status_is_that_of_the_last_event
SELECT 'order ' || buyer.id, format('is %s, its last event says %s', buyer.status, last.new_status)
  FROM orders_order buyer
  JOIN LATERAL (SELECT new_status FROM orders_orderevent event
                 WHERE event.order_id = buyer.id ORDER BY event.id DESC LIMIT 1) last ON true
 WHERE buyer.status <> last.new_status;

-- name: every_move_is_legal
SELECT 'order ' || order_id, format('event %s: %s from "%s" to "%s" after "%s"', id, kind, old_status, new_status, before)
  FROM (SELECT *, lag(new_status, 1, '') OVER events AS before,
               bool_or(kind = 'hold_expired') OVER events AS was_swept
          FROM orders_orderevent WINDOW events AS (PARTITION BY order_id ORDER BY id)) event
 WHERE old_status <> before
    OR kind = 'completed' AND old_status = 'cancelled' AND NOT was_swept
    OR (kind, old_status, new_status) NOT IN (
       ('placed', '', 'pending'), ('placed', '', 'completed'),
       ('completed', 'pending', 'completed'), ('completed', 'cancelled', 'completed'),
       ('cancelled', 'pending', 'cancelled'), ('cancelled', 'completed', 'cancelled'),
       ('hold_expired', 'pending', 'cancelled'), ('hold_extended', 'pending', 'pending'),
       ('shipped', 'completed', 'completed'),
       ('items_cancelled', 'pending', 'pending'), ('items_cancelled', 'completed', 'completed'),
       ('note_added', 'pending', 'pending'), ('note_added', 'completed', 'completed'),
       ('note_added', 'cancelled', 'cancelled'));

-- name: cancelled_means_every_unit
SELECT 'order ' || buyer.id, format('is %s with %s units left', buyer.status, sum(item.quantity - item.cancelled_quantity))
  FROM orders_order buyer JOIN orders_orderitem item ON item.order_id = buyer.id
 GROUP BY buyer.id
HAVING (buyer.status = 'cancelled') <> (sum(item.quantity - item.cancelled_quantity) = 0);

-- name: shipped_means_an_event
SELECT 'order ' || buyer.id, format('shipped at %s, %s events of it', coalesce(buyer.shipped_at::text, 'no time'), count(event.id))
  FROM orders_order buyer LEFT JOIN orders_orderevent event ON event.order_id = buyer.id AND event.kind = 'shipped'
 GROUP BY buyer.id HAVING count(event.id) <> (buyer.shipped_at IS NOT NULL)::int;

-- name: the_schema_still_guards
SELECT 'constraint ' || conname, 'is not validated'
  FROM pg_constraint WHERE NOT convalidated AND connamespace = current_schema()::regnamespace
 UNION ALL
SELECT 'index ' || indexrelid::regclass, 'is not valid'
  FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
 WHERE NOT indisvalid AND relnamespace = current_schema()::regnamespace
 UNION ALL
SELECT 'constraint ' || guard, 'is gone'
  FROM unnest(ARRAY[
       'product_sku_is_unique', 'product_sku_is_given', 'product_name_is_given', 'product_price_in_range',
       'product_variant_once', 'group_handle_is_unique', 'group_handle_is_given',
       'import_line_once', 'import_times_fit_state',
       'stock_available_not_negative', 'stock_committed_not_negative',
       'movement_taken_once', 'movement_key_used_once', 'movement_done_by_is_given', 'movement_after_not_negative',
       'movement_changes_fit_kind', 'movement_changes_are_one',
       'product_change_once', 'product_change_done_by_is_given',
       'order_key_used_once', 'order_key_has_fingerprint', 'order_placed_by_a_client', 'order_currency_is_a_code',
       'order_totals_in_range', 'order_times_fit_status', 'order_shipped_to_somewhere',
       'item_product_once', 'item_quantity_in_range', 'item_cancelled_in_range', 'item_price_in_range',
       'item_subtotal_is_product', 'event_placed_once', 'event_done_by_is_given', 'event_is_a_legal_move']) AS guard
 WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conname = guard)
   AND NOT EXISTS (SELECT FROM pg_class WHERE relname = guard AND relkind = 'i')
 UNION ALL
SELECT 'table ' || ledger, 'rows can be changed: its append_only trigger is missing, off or hollow'
  FROM unnest(ARRAY['catalog_stockmovement', 'catalog_productchange', 'catalog_importrow', 'orders_orderevent']) AS ledger
 WHERE NOT EXISTS (SELECT FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
                    WHERE tgrelid = ledger::regclass AND tgname = 'append_only' AND tgenabled IN ('O', 'A')
                      AND prosrc LIKE '%RAISE EXCEPTION%');

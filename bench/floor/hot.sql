-- An order of one line, everybody's of the same product, in the nine plain statements that it takes.
\set m random(1, 3)
BEGIN;
SELECT price, gen_random_uuid() AS uuid
  FROM catalog_product p JOIN catalog_stock s ON s.product_id = p.id WHERE is_active AND p.id IN (1) \gset
INSERT INTO orders_order (uuid, status, total_price, current_total, currency, customer_email, customer_name, reference,
       metadata, placed_by, fingerprint, cancel_reason, version, completed_at)
VALUES (:uuid::uuid, 'completed', :m * :price::numeric, :m * :price::numeric, 'USD', '', '', '', '{}', 'open', '', '', 1,
       now()) RETURNING id AS order_id \gset
INSERT INTO orders_orderitem (order_id, product_id, sku, product_name, quantity, cancelled_quantity, price_at_time, subtotal)
VALUES (:order_id, 1, 'A', 'A', :m, 0, :price::numeric, :m * :price::numeric);
SELECT product_id, available FROM catalog_stock WHERE product_id IN (1) ORDER BY product_id FOR NO KEY UPDATE;
UPDATE catalog_stock SET available = available - :m WHERE product_id = 1 AND available >= :m;
INSERT INTO catalog_stockmovement (product_id, kind, available_change, committed_change, available_after, order_uuid,
       done_by, fingerprint, note, request_id)
SELECT product_id, 'ordered', -:m::bigint, 0, available, :uuid::uuid, 'open', '', '', ''
  FROM catalog_stock WHERE product_id = 1;
INSERT INTO orders_orderevent (order_id, kind, old_status, new_status, done_by, request_id, data)
VALUES (:order_id, 'placed', '', 'completed', 'open', '', '{}');
COMMIT;

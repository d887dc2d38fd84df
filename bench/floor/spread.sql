-- An order of three lines, in the nine plain statements that it takes; the books balance afterwards.
\set a random(1, 333)
\set b random(334, 667)
\set c random(668, 1000)
\set m random(1, 3)
\set n random(1, 3)
\set o random(1, 3)
BEGIN;
SELECT max(price) FILTER (WHERE p.id = :a) AS price_a, max(price) FILTER (WHERE p.id = :b) AS price_b,
       max(price) FILTER (WHERE p.id = :c) AS price_c, gen_random_uuid() AS uuid
  FROM catalog_product p JOIN catalog_stock s ON s.product_id = p.id WHERE is_active AND p.id IN (:a, :b, :c) \gset
INSERT INTO orders_order (uuid, status, total_price, current_total, currency, customer_email, customer_name, reference,
       metadata, placed_by, fingerprint, cancel_reason, version, completed_at)
VALUES (:uuid::uuid, 'completed', :m * :price_a::numeric + :n * :price_b::numeric + :o * :price_c::numeric,
       :m * :price_a::numeric + :n * :price_b::numeric + :o * :price_c::numeric, 'USD', '', '', '', '{}', 'open', '', '',
       1, now()) RETURNING id AS order_id \gset
INSERT INTO orders_orderitem (order_id, product_id, sku, product_name, quantity, cancelled_quantity, price_at_time, subtotal)
VALUES (:order_id, :a, 'A', 'A', :m, 0, :price_a::numeric, :m * :price_a::numeric),
       (:order_id, :b, 'B', 'B', :n, 0, :price_b::numeric, :n * :price_b::numeric),
       (:order_id, :c, 'C', 'C', :o, 0, :price_c::numeric, :o * :price_c::numeric);
SELECT product_id, available FROM catalog_stock WHERE product_id IN (:a, :b, :c)
 ORDER BY product_id FOR NO KEY UPDATE;
UPDATE catalog_stock AS stock SET available = available - quantity
  FROM (VALUES (:a::bigint, :m::bigint), (:b::bigint, :n::bigint), (:c::bigint, :o::bigint)) AS line (product_id, quantity)
 WHERE stock.product_id = line.product_id AND available >= quantity;
INSERT INTO catalog_stockmovement (product_id, kind, available_change, committed_change, available_after, order_uuid,
       done_by, fingerprint, note, request_id)
SELECT product_id, 'ordered', -quantity, 0, available, :uuid::uuid, 'open', '', '', ''
  FROM (VALUES (:a::bigint, :m::bigint), (:b::bigint, :n::bigint), (:c::bigint, :o::bigint)) AS line (product_id, quantity)
  JOIN catalog_stock USING (product_id);
INSERT INTO orders_orderevent (order_id, kind, old_status, new_status, done_by, request_id, data)
VALUES (:order_id, 'placed', '', 'completed', 'open', '', '{}');
COMMIT;

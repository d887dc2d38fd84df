-- A shop of so many products and orders: nothing of the filling is measured.
-- Words are skewed as in real texts: the first of 5,000 stands in most products, the last in a few hundred.
CREATE TEMP TABLE word AS
SELECT number, string_agg(syllables[1 + (number / power(10, place)::int) %% 10], '' ORDER BY place) AS word
  FROM generate_series(0, 4999) AS number, generate_series(0, 3) AS place,
       (SELECT '{ba,ke,li,mo,nu,pa,re,si,to,vu}'::text[] AS syllables) AS alphabet
 GROUP BY number;
SELECT setseed(0.5);

CREATE TEMP TABLE sentence AS
SELECT sentence.number, initcap(string_agg(word, ' ') FILTER (WHERE place <= 3)) AS name,
       string_agg(word, ' ') FILTER (WHERE place > 3) AS description
  FROM (SELECT number, place, floor(5000 * power(random(), 4))::int AS drawn
          FROM generate_series(0, 49999) AS number, generate_series(1, 11) AS place) AS sentence
  JOIN word ON word.number = drawn
 GROUP BY sentence.number;

INSERT INTO catalog_product (id, uuid, sku, name, description, price, image_url, is_active, options, version, created_at, updated_at)
SELECT id, gen_random_uuid(), 'BENCH-' || id, name.name,
       text.description
       || CASE WHEN id %% 333333 = 7 THEN ' quetzal' ELSE '' END
       || CASE WHEN id %% 3 = 0 THEN CASE WHEN id <= %(products)s / 2 THEN ' brass' ELSE ' teak' END ELSE '' END
       || CASE WHEN price >= 980 THEN ' velvet' ELSE '' END,
       price, '', id %% 50 <> 0, '[]', 1, time, time
  FROM (SELECT id, round((1 + 999 * random())::numeric, 2) AS price, now() - id * interval '7 s' AS time
          FROM generate_series(1, %(products)s) AS id) AS made
  JOIN sentence AS name ON name.number = id::bigint * 7919 %% 50000
  JOIN sentence AS text ON text.number = id %% 49999;

INSERT INTO catalog_stock (product_id, available, committed)
SELECT id, CASE WHEN id %% 97 = 0 THEN 0 ELSE 100 END, 0 FROM generate_series(1, %(products)s) AS id;

INSERT INTO orders_order (id, uuid, status, total_price, current_total, currency, customer_email, customer_name, reference,
                          metadata, placed_by, fingerprint, cancel_reason, version, created_at, completed_at, updated_at)
SELECT id, gen_random_uuid(), 'completed', 10, 10, 'USD', 'buyer' || id %% 20000 || '@example.com', 'Buyer ' || id %% 20000,
       'web-' || id, '{}', CASE WHEN id %% 60000 = 7 THEN %(client)s ELSE 'app:large' END, '', '', 1, time, time, time
  FROM (SELECT id, now() - (%(orders)s - id) * interval '30 s' AS time FROM generate_series(1, %(orders)s) AS id) AS made;

-- Every order takes the first product, whose ledger is therefore long, and another one.
INSERT INTO orders_orderitem (order_id, product_id, sku, product_name, quantity, cancelled_quantity, price_at_time, subtotal)
SELECT id, product, 'BENCH-' || product, 'Sold', 1, 0, 5, 5
  FROM generate_series(1, %(orders)s) AS id, LATERAL (VALUES (1), (2 + id %% (%(products)s - 1))) AS line (product);

INSERT INTO catalog_stockmovement (product_id, kind, available_change, committed_change, available_after, order_uuid,
                                   done_by, fingerprint, note, request_id, created_at)
SELECT 1, 'ordered', -1, 0, 1000000000 - id, uuid, placed_by, '', '', '', created_at FROM orders_order ORDER BY id;

INSERT INTO orders_orderevent (order_id, kind, old_status, new_status, done_by, request_id, data, created_at)
SELECT id, 'placed', '', 'completed', placed_by, '', '{}', created_at FROM orders_order;

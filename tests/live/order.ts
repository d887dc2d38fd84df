// A program on a client by openapi-typescript and openapi-fetch: order.js ADDRESS CLIENT_ID SECRET
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./shop.js";

type Order = components["schemas"]["Order"];
type NewOrder = components["schemas"]["NewOrderRequest"];

const [address, client_id, client_secret] = process.argv.slice(2) as [string, string, string];
const shop = createClient<paths>({ baseUrl: address });

const granted = await shop.POST("/o/token/", {
  body: { grant_type: "client_credentials", client_id, client_secret },
  headers: { "Content-Type": "application/x-www-form-urlencoded" },
});
assert(granted.data);
shop.use({
  onRequest: ({ request }) => request.headers.set("Authorization", `Bearer ${granted.data.access_token}`),
});

const created = await shop.POST("/api/v1/products", {
  body: { sku: "TYPESCRIPT-LAMP", name: "Lamp", price: "19.99", stock: 5 },
});
assert(created.data);
const lamp = created.data;

function order(body: NewOrder, key: string) {
  return shop.POST("/api/v1/orders", { params: { header: { "Idempotency-Key": key } }, body });
}

const two: NewOrder = { items: [{ product: lamp.sku, quantity: 2 }], expected_total: "39.98" };
const placed = await order(two, "typescript-1");
const replayed = await order(two, "typescript-1");
assert.deepEqual([placed.response.status, replayed.response.status], [201, 200]);
assert.equal(replayed.response.headers.get("Idempotent-Replayed"), "true");

const refused = await order({ items: [{ product: lamp.id, quantity: 10 }] }, "typescript-2");
assert(refused.error && "code" in refused.error && refused.error.code === "insufficient_stock");
const { code, status, shortages, corrected } = refused.error;
assert(shortages?.length === 1 && shortages[0] && corrected);
const { wanted, available } = shortages[0];
const rest = await order(corrected, "typescript-3");

const found = await shop.GET("/api/v1/orders", { params: { query: { product: lamp.sku } } });
assert(found.data);

console.log(
  JSON.stringify({
    placed: (placed.data as Order).id,
    replayed: (replayed.data as Order).id,
    refused: { code, status, wanted, available },
    corrected: (rest.data as Order).id,
    found: found.data.results.map((each) => each.id),
  }),
);

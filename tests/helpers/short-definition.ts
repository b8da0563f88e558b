const CONTRACT = `
apiVersion: v3.1.0
kind: DataContract
id: books
version: 1.0.0
status: draft
schema:
  - name: transactions
    properties:
      - { name: customer_id, physicalName: Customer, required: true }
`;

/** Both files of a small definition. @param schedule YAML below the key; absent: no such section */
export function shortDefinition({ pipeline, schedule }: { pipeline: string; schedule?: string }): {
  pipeline: string;
  contract: string;
} {
  return {
    contract: CONTRACT,
    pipeline: `
pipeline: ${pipeline}
version: 1
title: Books
description: Orders of a bookshop
currency: GBP
source:
  kind: file
  path: exports/*.parquet
  columns: { customer_id: Customer, order_id: Order, ordered_at: At, quantity: Pieces, unit_price: Price }
features:
  aggregate:
    - { name: orders, unit: orders, why: how often, sql: count(distinct order_id) }
    - { name: spendCents, unit: cents, why: how much, sql: sum(amount) * 100 }
  cluster:
    - { feature: orders }
naming:
  stage: { feature: orders, bands: [{ word: New, below: 2 }, { word: Regular, atLeast: 2 }] }
  value: { feature: spendCents, bands: [{ word: low-value, below: 1000 }] }
${schedule === undefined ? '' : `schedule: ${schedule}`}`,
  };
}

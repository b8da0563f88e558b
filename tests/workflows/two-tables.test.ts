import { expect, test } from 'vitest';
import { fakeStages } from '../helpers/fake-stages.ts';
import { runWith } from '../helpers/workflow-runs.ts';

test('the artifacts of a second table are told by their digests, and its rows by their counts', () => {
  const healthy = fakeStages();
  const table = { table: 'customers' as const, rowsRead: 3, rowsAccepted: 2, rowsQuarantined: 1 };
  const tables = [{ ...table, quarantinedBy: [{ rule: 'duplicate-customer', rows: 1 }] }];
  return runWith(
    {
      extractCustomers: async (input) => {
        const extract = await healthy.extractCustomers(input);
        return {
          ...extract,
          customers: { artifact: { ...extract.artifact, sha256: 'c'.repeat(64) }, rowsRead: 3 },
        };
      },
      validateExtract: async (input) => {
        const found = await healthy.validateExtract(input);
        const quarantine = { ...found.quarantine, sha256: 'd'.repeat(64) };
        return { ...found, counts: { ...found.counts, tables }, customers: { quarantine } };
      },
    },
    async (runs) => {
      const summary = await (await runs.start()).result();
      expect(summary).toMatchObject({ outcome: 'published', counts: { tables } });
      const [extract, validation] = summary.stages;
      expect(extract!.digests['customers.artifact']).toBe('c'.repeat(64));
      expect(validation!.digests['customers.quarantine']).toBe('d'.repeat(64));
      expect(Object.keys(validation!.digests)).toEqual(expect.arrayContaining(['report', 'quarantine']));
      expect(extract!.artifact!.sha256).not.toBe('c'.repeat(64));
    },
  );
}, 120_000);

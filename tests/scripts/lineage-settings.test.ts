import { expect, test } from 'vitest';
import { readConfig } from '../../scripts/config.ts';
import { lineageOf } from '../../scripts/lineage-settings.ts';

const lineage = (env: Record<string, string>) => readConfig(env).lineage;

test('without an address, or where OpenLineage is switched off, nothing is told', () => {
  expect(lineage({})).toBeNull();
  expect(lineage({ OPENLINEAGE_NAMESPACE: 'shops' })).toBeNull();
  expect(lineage({ OPENLINEAGE_URL: 'http://marquez:5000', OPENLINEAGE_DISABLED: 'true' })).toBeNull();
});

test('the address is a base, and the endpoint comes behind it', () => {
  expect(lineage({ OPENLINEAGE_URL: 'http://marquez:5000' })).toEqual({
    ...{ url: 'http://marquez:5000/api/v1/lineage', apiKey: undefined, namespace: 'strata' },
  });
  const more = { OPENLINEAGE_ENDPOINT: '/lineage', OPENLINEAGE_API_KEY: 'k', OPENLINEAGE_NAMESPACE: 'shops' };
  expect(lineage({ OPENLINEAGE_URL: 'https://host/base/', ...more })).toEqual({
    ...{ url: 'https://host/base/lineage', apiKey: 'k', namespace: 'shops' },
  });
});

test('what is no address is refused by its name alone', () => {
  const read = () => lineage({ OPENLINEAGE_URL: 'user:hunter2@marquez' });
  expect(read).toThrow(/OPENLINEAGE_URL must look like https:\/\/host:5000/);
  expect(read).not.toThrow(/hunter2/);
});

test('databases are named by host, port and name, without who connects', () => {
  const settings = lineage({ OPENLINEAGE_URL: 'http://marquez:5000' });
  const addresses: Record<string, string> = { SHOP: 'postgresql://reader:hunter2@shop:6000/orders' };
  const { places } = lineageOf(settings, {
    databaseUrl: 'postgres://strata:hunter2@db/strata',
    secret: (name) => addresses[name],
  })!;
  expect(places.store).toEqual({ namespace: 'postgres://db:5432', database: 'strata' });
  expect(places.sourceAt('SHOP')).toEqual({ namespace: 'postgres://shop:6000', database: 'orders' });
  expect(places.sourceAt('OTHER')).toBeNull();
});

test.each([
  ['postgres:///strata?host=/run/postgresql', 'postgres://%2Frun%2Fpostgresql:5432'],
  ['postgres:///strata?host=db.example&port=6000&password=hunter2', 'postgres://db.example:6000'],
])('a store at %s is named by its host', (databaseUrl, namespace) => {
  const env = { OPENLINEAGE_URL: 'http://marquez:5000', STRATA_DATABASE_URL: databaseUrl };
  const { places } = lineageOf(lineage(env), { databaseUrl, secret: () => undefined })!;
  expect(places.store).toEqual({ namespace, database: 'strata' });
});

test('a database whose name is not percent-encoded is named by nobody, and stops nothing', () => {
  const settings = lineage({ OPENLINEAGE_URL: 'http://marquez:5000' });
  const source = 'postgres://reader@shop/50%';
  const { places } = lineageOf(settings, { databaseUrl: 'postgres://db/strata', secret: () => source })!;
  expect(places.sourceAt('SHOP')).toBeNull();
  const env = { OPENLINEAGE_URL: 'http://marquez:5000', STRATA_DATABASE_URL: 'postgres://db/100%zz' };
  expect(() => lineage(env)).toThrow(/STRATA_DATABASE_URL must name .* a percent-encoded database/);
});

test('a store that nobody could name is refused at the start, where lineage is told', () => {
  const env = { STRATA_DATABASE_URL: 'postgres:///strata' };
  expect(lineage(env)).toBeNull();
  expect(() => lineage({ ...env, OPENLINEAGE_URL: 'http://marquez:5000' })).toThrow(
    /STRATA_DATABASE_URL must name a host, or \?host=, and a percent-encoded database where/,
  );
});

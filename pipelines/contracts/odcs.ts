import { z } from 'zod';

// contract.yaml as the Open Data Contract Standard 3.1 (Bitol, Linux Foundation) has it. What the standard
// allows and a run has no use for is let through unread; a key that the standard does not know is refused,
// since a mistyped one would be a check that never runs.

/** For people and other tools. */
const unread = z.unknown().optional();
const stableId = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/, 'needs letters, digits, dashes and underscores')
  .optional();

const customProperties = z
  .array(
    z.strictObject({
      id: stableId,
      property: z.string(),
      value: z.unknown(),
      description: z.string().optional(),
    }),
  )
  .optional();

const number = z.number();
const range = z
  .tuple([number, number])
  .refine(([low, high]) => low < high, { error: 'needs two numbers, the smaller one first' })
  .optional();

/** One check of a table or a column. */
const qualitySchema = z.strictObject({
  id: stableId,
  name: z.string().min(1).optional(),
  description: z.string().optional(),
  type: z.enum(['text', 'library', 'sql', 'custom']).optional(),
  metric: z.enum(['nullValues', 'missingValues', 'invalidValues', 'duplicateValues', 'rowCount']).optional(),
  arguments: z
    .strictObject({
      missingValues: z.array(z.unknown()).optional(),
      validValues: z.array(z.unknown()).optional(),
      pattern: z.string().optional(),
      properties: z.array(z.string()).optional(),
    })
    .optional(),
  query: z.string().optional(),
  engine: z.string().optional(),
  implementation: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
  mustBe: number.optional(),
  mustNotBe: number.optional(),
  mustBeGreaterThan: number.optional(),
  mustBeGreaterOrEqualTo: number.optional(),
  mustBeLessThan: number.optional(),
  mustBeLessOrEqualTo: number.optional(),
  mustBeBetween: range,
  mustNotBeBetween: range,
  unit: z.string().optional(),
  severity: z.string().optional(),
  dimension: z
    .enum(['accuracy', 'completeness', 'conformity', 'consistency', 'coverage', 'timeliness', 'uniqueness'])
    .optional(),
  method: z.string().optional(),
  businessImpact: z.string().optional(),
  scheduler: z.string().optional(),
  schedule: z.string().optional(),
  customProperties,
  tags: unread,
  authoritativeDefinitions: unread,
});

const reference = z.union([z.string(), z.array(z.string()).min(1)]);
const relationship = {
  type: z.literal('foreignKey').optional(),
  to: reference,
  customProperties,
};

const element = {
  id: stableId,
  name: z.string(),
  physicalName: z.string().optional(),
  physicalType: z.string().optional(),
  description: z.string().optional(),
  businessName: z.string().optional(),
  authoritativeDefinitions: unread,
  tags: unread,
  customProperties,
  quality: z.array(qualitySchema).optional(),
};

const propertySchema = z.strictObject({
  ...element,
  logicalType: z
    .enum(['string', 'date', 'timestamp', 'time', 'number', 'integer', 'object', 'array', 'boolean'])
    .optional(),
  logicalTypeOptions: z.record(z.string(), z.unknown()).optional(),
  required: z.boolean().optional(),
  unique: z.boolean().optional(),
  primaryKey: z.boolean().optional(),
  primaryKeyPosition: z.int().optional(),
  relationships: z.array(z.strictObject(relationship)).optional(),
  partitioned: unread,
  partitionKeyPosition: unread,
  classification: unread,
  encryptedName: unread,
  transformSourceObjects: unread,
  transformLogic: unread,
  transformDescription: unread,
  examples: unread,
  criticalDataElement: unread,
  items: unread,
  properties: unread,
});

const table = z.strictObject({
  ...element,
  name: z.enum(['transactions', 'customers'], { error: 'needs transactions or customers' }),
  logicalType: z.literal('object').optional(),
  dataGranularityDescription: z.string().optional(),
  properties: z.array(propertySchema).min(1),
  relationships: z.array(z.strictObject({ ...relationship, from: reference })).optional(),
});

export const odcsSchema = z.strictObject({
  apiVersion: z.literal('v3.1.0', { error: 'needs v3.1.0, the version of the Open Data Contract Standard' }),
  kind: z.literal('DataContract'),
  id: z.string().min(1),
  version: z.string({ error: 'needs a text such as 1.0.0' }).min(1),
  status: z.string().min(1),
  name: z.string().optional(),
  description: z
    .strictObject({
      usage: z.string().optional(),
      purpose: z.string().optional(),
      limitations: z.string().optional(),
      authoritativeDefinitions: unread,
      customProperties,
    })
    .optional(),
  schema: z.array(table).min(1),
  slaProperties: z
    .array(
      z.strictObject({
        id: stableId,
        property: z.string(),
        value: z.union([z.string(), z.number(), z.boolean(), z.null()]),
        valueExt: unread,
        unit: z.string().optional(),
        element: z.string().optional(),
        driver: z.string().optional(),
        description: z.string().optional(),
        scheduler: z.string().optional(),
        schedule: z.string().optional(),
      }),
    )
    .optional(),
  customProperties,
  tenant: unread,
  tags: unread,
  servers: unread,
  dataProduct: unread,
  domain: unread,
  support: unread,
  price: unread,
  team: unread,
  roles: unread,
  slaDefaultElement: z.string().optional(),
  authoritativeDefinitions: unread,
  contractCreatedTs: unread,
});

export type Odcs = z.infer<typeof odcsSchema>;
export type OdcsTable = z.infer<typeof table>;
export type OdcsProperty = z.infer<typeof propertySchema>;
export type OdcsQuality = z.infer<typeof qualitySchema>;
export type OdcsCustomProperties = z.infer<typeof customProperties>;

/** A fault of a file: what was needed at the path; who reports it adds what stands there. */
export interface Fault {
  path: (string | number)[];
  message: string;
}

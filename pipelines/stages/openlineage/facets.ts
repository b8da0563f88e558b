// The parts of OpenLineage that are used here, by hand from its specification (Apache-2.0):
// https://github.com/OpenLineage/OpenLineage/tree/main/spec

const SPEC = 'https://openlineage.io/spec';
const PRODUCER = 'urn:strata';
/** What every event says of itself. */
export const OF_EVENT = {
  producer: PRODUCER,
  schemaURL: `${SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent`,
};

/** Name of a facet -> file of its schema. */
const SCHEMAS = {
  nominalTime: '1-0-1/NominalTimeRunFacet',
  errorMessage: '1-0-0/ErrorMessageRunFacet',
  processing_engine: '1-0-0/ProcessingEngineRunFacet',
  tags: '2-0-3/TagsRunFacet',
  jobType: '2-0-2/JobTypeJobFacet',
  schema: '1-0-0/SchemaDatasetFacet',
  dataSource: '1-0-1/DatasourceDatasetFacet',
  columnLineage: '1-0-1/ColumnLineageDatasetFacet',
  dataQualityAssertions: '1-0-0/DataQualityAssertionsDatasetFacet',
  outputStatistics: '1-0-1/OutputStatisticsOutputDatasetFacet',
} as const;

export type FacetName = keyof typeof SCHEMAS;
export type Facet = { _producer: string; _schemaURL: string } & Record<string, unknown>;
export type Facets = Partial<Record<FacetName, Facet>>;

export function facet(name: FacetName, content: Record<string, unknown>): Facet {
  const schema = SCHEMAS[name];
  const [, definition] = schema.split('/');
  return {
    _producer: PRODUCER,
    _schemaURL: `${SPEC}/facets/${schema}.json#/$defs/${definition}`,
    ...content,
  };
}

export interface Dataset {
  namespace: string;
  name: string;
  facets?: Facets;
  inputFacets?: Facets;
  outputFacets?: Facets;
}

export type EventType = 'START' | 'COMPLETE' | 'FAIL' | 'ABORT';

export interface RunEvent {
  eventType: EventType;
  /** ISO time in UTC. */
  eventTime: string;
  producer: string;
  schemaURL: string;
  run: { runId: string; facets: Facets };
  job: { namespace: string; name: string; facets: Facets };
  inputs: Dataset[];
  outputs: Dataset[];
}

import type { Definition } from '../../contracts/definition.ts';
import { isErrorCode } from '../../contracts/errors.ts';
import type { Outcome, Run, RunSummary } from '../../contracts/run.ts';
import { sourced } from './columns.ts';
import { type Found, inputsOf, outputsOf, type Places } from './datasets.ts';
import { type Dataset, type EventType, facet, OF_EVENT, type RunEvent } from './facets.ts';

/** What an event is told of. */
export interface ToldRun {
  run: Pick<Run, 'runId' | 'kind' | 'pipeline' | 'asOf' | 'extract' | 'workflow'>;
  /** Null: it is not there any more, and no data is named. */
  definition: Definition | null;
  places: Places;
  /** ISO time in UTC. */
  at: string;
  /** Digest of the code that makes numbers. */
  codeVersion: string;
}

/** How a run that is over ends for OpenLineage: readers have what it says, or they do not. */
const ENDS: Readonly<Record<Exclude<Outcome, 'held'>, EventType>> = {
  published: 'COMPLETE',
  rejected: 'FAIL',
  failed: 'FAIL',
  cancelled: 'ABORT',
};

/** The run's id is that of its workflow execution, a UUID that Temporal has made once. */
export function startedEvent(told: ToldRun): RunEvent {
  return { ...common(told), eventType: 'START' };
}

/**
 * @param ended.outcome as the record has it: a run that was published stays published, whatever went wrong after
 * @param ended.found null where it is not known: its workflow ended before it could say
 */
export function endedEvent(
  told: ToldRun,
  ended: Pick<RunSummary, 'verdict' | 'reasons'> & {
    outcome: Exclude<Outcome, 'held'>;
    found: Found | null;
  },
): RunEvent {
  const { run, definition, places } = told;
  const { outcome, verdict, found } = ended;
  const event = common(told);
  const tags = { outcome, ...(verdict && { verdict }) };
  const inputs = event.inputs.map((input, i) =>
    i === 0 && definition && found ? checked(input, definition, found.counts) : input,
  );
  return {
    ...event,
    eventType: ENDS[outcome],
    run: {
      ...event.run,
      facets: {
        ...event.run.facets,
        tags: facet('tags', { tags: tagsOf({ ...ownTags(run), ...tags }) }),
        ...(outcome !== 'published' && {
          errorMessage: facet('errorMessage', {
            message: wordsOf(ended),
            programmingLanguage: 'TypeScript',
          }),
        }),
      },
    },
    inputs,
    outputs: outcome === 'published' && definition ? outputsOf(run, definition, { found, places }) : [],
  };
}

/**
 * Words that are ours: of a refused extract, and of errors of the catalogue. Those of a driver may quote a row, those of
 * a person who cancelled or rejected may name a customer.
 */
function wordsOf({ outcome, verdict, reasons }: Pick<RunSummary, 'verdict' | 'reasons' | 'outcome'>): string {
  const isOfData = outcome === 'rejected' && (verdict === null || verdict === 'refused');
  if (isOfData) return reasons.join('; ') || outcome;
  return (outcome === 'failed' && reasons.flatMap(codedWords).join('; ')) || outcome;
}

/** `… (EXTRACT_EMPTY)`, as a run that failed says it. */
function codedWords(reason: string): string[] {
  const code = /\(([A-Z_]+)\)$/.exec(reason)?.[1];
  if (!isErrorCode(code)) return [];
  return [code === 'VALUE_REFUSED' ? code : reason];
}

function common({ run, definition, places, at, codeVersion }: ToldRun): RunEvent {
  const { runId } = run.workflow;
  return {
    ...OF_EVENT,
    eventType: 'START',
    eventTime: at,
    run: {
      runId,
      facets: {
        ...(run.asOf !== null && {
          nominalTime: facet('nominalTime', { nominalStartTime: `${run.asOf}T00:00:00.000Z` }),
        }),
        processing_engine: facet('processing_engine', { name: 'Strata', version: codeVersion.slice(0, 12) }),
        tags: facet('tags', { tags: tagsOf(ownTags(run)) }),
      },
    },
    job: {
      namespace: places.namespace,
      name: run.pipeline,
      facets: {
        jobType: facet('jobType', { processingType: 'BATCH', integration: 'STRATA', jobType: 'JOB' }),
      },
    },
    inputs: definition ? inputsOf(run, definition, places) : [],
    outputs: [],
  };
}

/**
 * The contract's rules on the transactions. A row is counted for the first rule that it breaks: of the others it is not
 * known whether they were met, unless no row was refused.
 */
function checked(input: Dataset, { contract, source }: Definition, counts: RunSummary['counts']): Dataset {
  if (counts.rowsRead === 0) return input;
  const broken = new Set(counts.quarantinedBy.filter(({ rows }) => rows > 0).map(({ rule }) => rule));
  const assertions = contract.rules
    .filter(({ name, severity }) => severity === 'reject' && (broken.size === 0 || broken.has(name)))
    .map(({ name, about }) => {
      const [column, ...others] = about?.columns.flatMap((role) => sourced(source, role)) ?? [];
      const isOfOne = column !== undefined && others.length === 0;
      return { assertion: name, success: !broken.has(name), ...(isOfOne && { column: column.column }) };
    });
  return {
    ...input,
    inputFacets: { dataQualityAssertions: facet('dataQualityAssertions', { assertions }) },
  };
}

const ownTags = ({ runId, kind }: ToldRun['run']) => ({ run: runId, kind });

const tagsOf = (tags: Record<string, string>) =>
  Object.entries(tags).map(([key, value]) => ({ key, value, source: 'STRATA' }));

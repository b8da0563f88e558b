import { z } from 'zod';
import { extractLocation, SEGMENT_COUNT, SEGMENTS } from './input.ts';
import { inputFaults } from './input-faults.ts';
import type { BeforePublished, Outcome, ReviewPolicy, Run, Verdict } from './run.ts';

// Runs over past as-of dates, in order: what builds the history that identity, movements and alerts live on.

export const INTERVALS = ['day', 'week', 'month'] as const;
export type Interval = (typeof INTERVALS)[number];

/** When a backfill ends before its last date. */
export const STOPS = ['never', 'failed', 'unpublished'] as const;
export type Stop = (typeof STOPS)[number];

/** What a person may send to start a backfill: one JSON object, every field optional. */
export interface BackfillInput {
  /** Name of a folder in `pipelines/definitions`; default `shop`. */
  pipeline?: string;
  /** ISO date, the first as-of date. Default: the first one after what is published; where nothing is, the twelfth before `to`. */
  from?: string;
  /** ISO date, up to which. Default: as far as the data is known to go, else today; an extract that no run has read needs it. */
  to?: string;
  /** @default month */
  every?: Interval;
  /** A file to read in place of the definition's source, as the worker sees it. */
  extract?: string;
  /** In place of the definition's seed. */
  seed?: number;
  /** So many segments in every run, as a person decided. */
  k?: number;
  /** Whether runs wait for a person. @default never */
  review?: ReviewPolicy;
  /** `failed`: when a run fails or is cancelled; `unpublished`: also when one is rejected. @default never */
  stopOn?: Stop;
  /** Also dates that have a published run of the same definition, seed, k and extract. @default false */
  again?: boolean;
}

const backfillInput = z
  .strictObject({
    pipeline: z.string().min(1).max(40).optional(),
    from: z.iso.date().optional(),
    to: z.iso.date().optional(),
    every: z.enum(INTERVALS).default('month'),
    extract: extractLocation.optional(),
    seed: z.int().min(0).max(0xffff_ffff).optional(),
    k: z.int(SEGMENT_COUNT).min(SEGMENTS.least, SEGMENT_COUNT).max(SEGMENTS.most, SEGMENT_COUNT).optional(),
    review: z.enum(['never', 'when-unstable', 'always']).default('never'),
    stopOn: z.enum(STOPS).default('never'),
    again: z.boolean().default(false),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from <= to, {
    error: 'needs from <= to',
    path: ['to'],
  });

export type CheckedBackfillInput = z.infer<typeof backfillInput>;

/** @throws PipelineError INPUT_INVALID naming each field, what was expected, and the fields there are */
export function parseBackfillInput(input: unknown): CheckedBackfillInput {
  const result = backfillInput.safeParse(input ?? {});
  if (result.success) return result.data;
  const { error } = result;
  throw inputFaults('backfill input', { sent: input, error, fields: Object.keys(backfillInput.shape) });
}

/** What a backfill will do; decided once, and handed on when its history grows long. */
export interface BackfillPlan {
  pipeline: string;
  every: Interval;
  /** As-of dates, rising. */
  dates: string[];
  /** Those of them that are not run again, with the run that was published. */
  done: { asOf: string; runId: string }[];
  /** What every run is told beside its date. */
  given: {
    extract?: string;
    seed?: number;
    k?: number;
    review: ReviewPolicy;
    beforePublished: BeforePublished;
  };
  stopOn: Stop;
  /** Why there is nothing to do; empty where there is. */
  reasons: string[];
}

/** One as-of date of a backfill that is over. */
export interface BackfilledDate {
  asOf: string;
  /** `skipped`: had been published before. */
  outcome: Exclude<Outcome, 'held'> | 'skipped';
  /** Null where no run came so far as to be registered. */
  runId: string | null;
  verdict: Verdict | null;
  customers: number;
  k: number | null;
  /** Of the customers in common with the publication before; null without one. */
  movedShare: number | null;
  /** That its stages worked. */
  seconds: number;
  /** Why it was not published; absent where it was. */
  reason?: string;
}

/** What an execution hands on to the one that goes on with the backfill. */
export interface BackfillSoFar {
  plan: BackfillPlan;
  /** One for each of the plan's first dates. */
  rows: BackfilledDate[];
}

/** The workflow's result. */
export interface BackfillSummary {
  pipeline: string;
  every: Interval;
  /** `stopped`: before its last date, as `stopOn` says. */
  outcome: 'completed' | 'stopped';
  reasons: string[];
  review: ReviewPolicy;
  dates: BackfilledDate[];
  /** As-of dates that were not come to. */
  left: string[];
  workflow: Run['workflow'];
}

/** Answer of the backfill's `progress` query. */
export interface BackfillProgress {
  pipeline: string | null;
  outcome: 'running' | BackfillSummary['outcome'] | 'failed' | 'cancelled';
  reasons: string[];
  dates: number;
  /** As-of date whose run is going on, and that run's workflow. */
  current: { asOf: string; workflowId: string } | null;
  done: BackfilledDate[];
  unknownSignals: string[];
}

/** The activity of a backfill; its runs have their own. */
export interface BackfillStages {
  /** Checks the input, asks what is published, and lays down the dates. */
  planBackfill(input: { input: BackfillInput; startedAt: string }): Promise<BackfillPlan>;
}

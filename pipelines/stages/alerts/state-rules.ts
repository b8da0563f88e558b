import type { AlertRuleOf } from '../../contracts/alert-settings.ts';
import type { MeasuredSegment } from '../../contracts/alerts.ts';
import { counted } from '../figures.ts';
import { behind } from './drift-rules.ts';
import type { Asked, Found } from './find.ts';
import { customersOf, spendOf, totalOf } from './flows.ts';

// Rules that look at what is, not at what chance would make of it: a limit, a state, an event.

const NAMES_TOLD = 5;

export function findQuestionable(rule: AlertRuleOf<'questionable-names'>, { run }: Asked): Found[] {
  const questionable = run.segments.filter(({ isQuestionable }) => isQuestionable);
  const share = questionable.length / run.segments.length;
  if (!(questionable.length > 0 && share >= rule.atLeast)) return [];
  const names = questionable.slice(0, NAMES_TOLD).map(({ name }) => `“${name}”`);
  const more = questionable.length > NAMES_TOLD ? ` and ${questionable.length - NAMES_TOLD} more` : '';
  return [
    {
      ...state(''),
      magnitude: share,
      title: `${questionable.length} of ${run.segments.length} names do not hold any more: ${names.join(', ')}${more}`,
      customers: totalOf(questionable),
      features: behind(run),
    },
  ];
}

export function findEvents(rule: AlertRuleOf<'segment-events'>, { run }: Asked): Found[] {
  const isMeant = ({ segmentId }: MeasuredSegment) => rule.segments?.includes(segmentId) ?? true;
  const now = new Set(run.segments.map(({ segmentId }) => segmentId));
  const current = run.segments
    .filter(({ event }) => event !== 'survived')
    .map((segment) => ({ segment, event: segment.event as 'born' | 'split' | 'merged' }));
  const retired = run.previousSegments
    .filter(({ segmentId }) => !now.has(segmentId))
    .map((segment) => ({ segment, event: 'retired' as const }));
  return [...current, ...retired]
    .filter(({ segment, event }) => rule.events.includes(event) && isMeant(segment))
    .map(({ segment, event }): Found => {
      const { segmentId, name, customers, typical } = segment;
      const moves = run.movements.filter(({ from, to }) => (event === 'retired' ? from : to) === segmentId);
      return {
        ...state(`${event}:${segmentId}`),
        magnitude: 1,
        title: `“${name}” ${EVENT_WORDS[event]}: ${counted(customers, 'customer')}`,
        customers,
        // Of one that merged and goes on under its id most have not moved.
        spendCents: customersOf(moves) === customers ? spendOf(moves) : null,
        features: typical.slice(0, 3),
      };
    });
}

const EVENT_WORDS = {
  born: 'is a new segment',
  retired: 'is retired',
  split: 'came of a split',
  merged: 'came of a merger',
} as const;

export function findVerdict(rule: AlertRuleOf<'verdict'>, { run }: Asked): Found[] {
  const { verdict } = run;
  if (verdict !== 'drifted' && verdict !== 'unstable') return [];
  if (!rule.verdicts.includes(verdict)) return [];
  const moved = run.movements.filter(({ from, to }) => from !== null && to !== null);
  return [
    {
      // Drift goes on from run to run; each time that the segments were replaced is news of its own.
      ...state(verdict === 'unstable' ? `unstable:${run.runId}` : ''),
      magnitude: 1,
      title:
        verdict === 'unstable'
          ? 'the published segments are not the ones people knew: the model changed'
          : 'the customers changed: segments or figures shifted in a major way',
      details: ['the run’s reasons and its stability report say by how much'],
      customers: moved.reduce((sum, { customers }) => sum + customers, 0),
      spendCents: spendOf(moved),
      features: behind(run),
    },
  ];
}

export function findLowStability(rule: AlertRuleOf<'stability'>, { run }: Asked): Found[] {
  const value =
    run.metrics.find(({ metric, subject }) => metric === rule.metric && subject === '')?.value ?? null;
  if (value === null || value >= rule.below) return [];
  return [
    {
      ...state(''),
      magnitude: rule.below - value,
      title: `${rule.metric} is ${value.toFixed(2)}, told below ${rule.below}`,
      customers: totalOf(run.segments),
      features: behind(run),
    },
  ];
}

/** Chance is not asked. */
function state(subject: string): Omit<Found, 'magnitude' | 'title' | 'customers'> {
  return { subject, details: [], spendCents: null, features: [], pValue: null };
}

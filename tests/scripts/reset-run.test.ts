import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ASSIGN_STAGES, STAGES } from '../../pipelines/contracts/run.ts';
import { type Events, eventBefore, eventBeforeAll, reachedStages } from '../../scripts/reset-run.ts';

/** As `temporal workflow show` prints it: numbers of events are texts there, 64-bit integers from the server. */
function eventsOf(name: string): Events {
  const file = new URL(`../histories/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { events: Events }).events;
}

describe('the point that a run is taken back to', () => {
  test.each([
    ['published', STAGES],
    ['assigned', ASSIGN_STAGES],
    ['parted', STAGES],
    ['assigned-parted', ASSIGN_STAGES],
  ] as const)(
    'of a %s run is there for each of its stages, the later the stage the later',
    (name, stages) => {
      const events = eventsOf(name);
      const points = stages.map((stage) => Number(eventBefore(events, stage)));
      expect(points).toEqual(points.toSorted((left, right) => left - right));
      expect(new Set(points).size).toBe(stages.length);
      for (const point of points)
        expect(events[point - 1]).toHaveProperty('workflowTaskCompletedEventAttributes');
      expect(Number(eventBeforeAll(events))).toBeLessThan(points[0]!);
      expect(reachedStages(events, stages)).toEqual([...stages]);
    },
  );

  test('of a stage in parts is before its first activity, which cuts it', () => {
    const events = eventsOf('parted');
    const cut = events.find(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'planParts',
    )!.activityTaskScheduledEventAttributes!;
    expect(eventBefore(events, 'features')).toBe(cut.workflowTaskCompletedEventId);
    const isPart = (event: Events[number]) =>
      event.activityTaskScheduledEventAttributes?.activityType?.name === 'aggregatePart';
    const rename = structuredClone(events.find(isPart)!);
    rename.activityTaskScheduledEventAttributes!.activityType!.name = 'renameSegment';
    const inTheMiddle = events.flatMap((event) => (isPart(event) ? [event, rename] : [event]));
    expect(eventBefore(inTheMiddle, 'features')).toBe(cut.workflowTaskCompletedEventId);
  });

  test('is not there for a stage that was not reached', () => {
    const events = eventsOf('rejected');
    expect(reachedStages(events, STAGES)).toEqual(['extract', 'validate']);
    expect(eventBefore(events, 'cluster')).toBeNull();
  });

  test('is the later one of a stage that was done twice', () => {
    const events = eventsOf('published');
    const cluster = events.find(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'fitClusters',
    )!;
    const again = structuredClone(cluster);
    again.activityTaskScheduledEventAttributes!.workflowTaskCompletedEventId = '99' as never;
    expect(Number(eventBefore([...events, again], 'cluster'))).toBe(99);
  });

  test('is not there in a run that no worker has begun', () => {
    expect(eventBeforeAll(eventsOf('published').slice(0, 2))).toBeNull();
  });
});

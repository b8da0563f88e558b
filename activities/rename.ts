import { parseRename, type RenameStages } from '../pipelines/contracts/rename.ts';
import type { ActivityContext } from './context.ts';

/**
 * A person's name for a segment -> in force for readers, whatever the run it was sent to comes to. In two steps: once
 * it is in force the segment is not found by its old name any more, and the version in force is another.
 */
export function createRenameActivities({ repositories }: ActivityContext): RenameStages {
  const { names } = repositories;
  return {
    async findRenamed({ run, rename }) {
      const wish = parseRename(rename);
      const { segmentId, version } = await names.find({ segment: wish.segment, pipeline: run.pipeline });
      return { ...wish, segment: segmentId, seen: wish.seen ?? version };
    },

    async renameSegment({ run, rename }) {
      const { segment, name, because, by, seen } = parseRename(rename);
      const found = await names.find({ segment, pipeline: run.pipeline });
      const { segmentId, pipeline } = found;
      const changed = await names.set({
        ...{ segmentId, name, by },
        reason: because,
        seen: seen ?? found.version,
      });
      const { name: given, previous } = changed;
      return {
        segmentId,
        pipeline,
        name: given.name,
        version: given.version,
        by: given.givenBy ?? by,
        because: given.reason,
        since: given.since,
        previousName: previous?.name ?? null,
      };
    },
  };
}

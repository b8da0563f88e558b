import { parseRename, type RenameStages } from '../pipelines/contracts/rename.ts';
import type { ActivityContext } from './context.ts';

/** A person's name for a segment -> in force for readers, whatever the run it was sent to comes to. */
export function createRenameActivities({ repositories }: ActivityContext): RenameStages {
  const { names } = repositories;
  return {
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

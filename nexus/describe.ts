import { parseDescribeInput } from '../pipelines/contracts/describe-input.ts';
import { DEFAULT_PIPELINE } from '../pipelines/contracts/same-start.ts';
import type { DescribedPipeline } from '../pipelines/contracts/segmentation-service.ts';
import { loadDefinition } from '../store/definitions.ts';
import type { ServiceContext } from './context.ts';

/**
 * What readers see of a pipeline now. Of customers nothing but how many they are.
 *
 * @throws PipelineError INPUT_INVALID, PIPELINE_UNKNOWN, POSTGRES_UNREACHABLE
 */
export async function describePipeline(
  sent: unknown,
  { repositories, definitionFolders }: Pick<ServiceContext, 'repositories' | 'definitionFolders'>,
): Promise<DescribedPipeline> {
  const { pipeline = DEFAULT_PIPELINE } = parseDescribeInput(sent);
  const publication = await repositories.publications.current(pipeline);
  if (publication === null) {
    // A name mistyped is the likelier mistake: it is answered with those that there are.
    await loadDefinition(definitionFolders, pipeline);
    return { pipeline, published: null };
  }
  const { runId, asOf, publishedAt } = publication;
  const segments = publication.segments.map(({ segmentId, name, description, customers, share }) => ({
    ...{ segmentId, name, description, customers, share },
  }));
  const customers = segments.reduce((sum, segment) => sum + segment.customers, 0);
  return { pipeline, published: { runId, asOf, publishedAt, customers, segments } };
}

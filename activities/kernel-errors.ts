import { KernelFailure, KernelMemoryError } from '../numeric/kernels/errors.mjs';
import type { Matrix } from '../numeric/matrix.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';

/**
 * Does work on the kernel pool; what goes wrong with the kernels themselves gets its code.
 *
 * @throws PipelineError TOO_MANY_CUSTOMERS when the matrix is larger than the kernels can address, KERNEL_FAILED
 *   when a thread died or had no memory; whatever else the work throws
 */
export async function withKernelCodes<T>(
  { rows, columns }: Pick<Matrix, 'rows' | 'columns'>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof KernelMemoryError) {
      const { mostRows } = error;
      throw new PipelineError(
        'TOO_MANY_CUSTOMERS',
        `clustering by ${columns} features needs at most ${mostRows} customers, found ${rows}: set ` +
          'clustering.coresetRows, cluster fewer features, or split the extract',
        { customers: rows, features: columns, mostCustomers: mostRows },
        { cause: error },
      );
    }
    if (error instanceof KernelFailure)
      throw new PipelineError('KERNEL_FAILED', error.message, {}, { cause: error });
    throw error;
  }
}

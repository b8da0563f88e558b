export { assignCustomers } from './assign-customers.ts';
export { compareAlgorithms } from './compare-algorithms.ts';
export { preserveHistory } from './preserve-history.ts';
export { segmentCustomers } from './segment-customers.ts';

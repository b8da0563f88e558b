/** What a person's shell may say of workers. Those that tests start would heed it: one of a version gets no work, ports clash. */
const VARIABLES_OF_WORKERS = [
  'STRATA_DEPLOYMENT',
  'STRATA_BUILD_ID',
  'STRATA_SHUTDOWN_SECONDS',
  'STRATA_METRICS_PORT',
  'STRATA_METRICS_HOST',
  'STRATA_LOG_FORMAT',
];

export function forgetVariablesOfWorkers(): void {
  for (const name of VARIABLES_OF_WORKERS) delete process.env[name];
}

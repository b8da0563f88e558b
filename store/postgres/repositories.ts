import type { Knex } from 'knex';
import { createAlertsRepository } from './alerts.ts';
import { createBackfillsRepository } from './backfills.ts';
import { createCleanUp } from './clean-up.ts';
import { createEvolutionRepository } from './evolution.ts';
import { createMembershipsRepository } from './memberships.ts';
import { createMissedRunsRepository } from './missed-runs.ts';
import { createNamesRepository } from './names.ts';
import { createOutboxRepository } from './outbox.ts';
import { createPastRepository } from './past.ts';
import { createPublicationsRepository } from './publications.ts';
import { createReleasesRepository } from './releases.ts';
import { createRunsRepository } from './runs.ts';
import { createSegmentationsRepository } from './segmentations.ts';
import { createStabilityRepository } from './stability.ts';
import { createStagesRepository } from './stages.ts';

export type Repositories = ReturnType<typeof createRepositories>;

/** All that is kept in PostgreSQL, one repository per family of tables. */
export const createRepositories = (knex: Knex) => ({
  runs: createRunsRepository(knex),
  stages: createStagesRepository(knex),
  segmentations: createSegmentationsRepository(knex),
  memberships: createMembershipsRepository(knex),
  names: createNamesRepository(knex),
  publications: createPublicationsRepository(knex),
  stability: createStabilityRepository(knex),
  evolution: createEvolutionRepository(knex),
  past: createPastRepository(knex),
  releases: createReleasesRepository(knex),
  outbox: createOutboxRepository(knex),
  backfills: createBackfillsRepository(knex),
  alerts: createAlertsRepository(knex),
  missedRuns: createMissedRunsRepository(knex),
  cleanUp: createCleanUp(knex),
});

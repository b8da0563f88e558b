import type { Knex } from 'knex';
import * as runs from './0001_runs.ts';
import * as segments from './0002_segments.ts';
import * as memberships from './0003_memberships.ts';
import * as publications from './0004_publications.ts';
import * as stability from './0005_stability.ts';
import * as publishedViews from './0006_published_views.ts';
import * as quarantineReleases from './0007_quarantine_releases.ts';
import * as moveCauses from './0008_move_causes.ts';
import * as manualNames from './0009_manual_names.ts';
import * as alerts from './0010_alerts.ts';
import * as assignedModels from './0011_assigned_models.ts';
import * as missedRuns from './0012_missed_runs.ts';
import * as openRuns from './0013_open_runs.ts';
import * as givenUpMessages from './0014_given_up_messages.ts';

export interface Migration {
  /** Name in the migrations table; never changes once released. */
  name: string;
  up(knex: Knex): Promise<void>;
  down(knex: Knex): Promise<void>;
}

/** In order. A list, not a folder that is scanned: a stray file never becomes a migration. */
export const migrations: readonly Migration[] = [
  { name: '0001_runs', ...runs },
  { name: '0002_segments', ...segments },
  { name: '0003_memberships', ...memberships },
  { name: '0004_publications', ...publications },
  { name: '0005_stability', ...stability },
  { name: '0006_published_views', ...publishedViews },
  { name: '0007_quarantine_releases', ...quarantineReleases },
  { name: '0008_move_causes', ...moveCauses },
  { name: '0009_manual_names', ...manualNames },
  { name: '0010_alerts', ...alerts },
  { name: '0011_assigned_models', ...assignedModels },
  { name: '0012_missed_runs', ...missedRuns },
  { name: '0013_open_runs', ...openRuns },
  { name: '0014_given_up_messages', ...givenUpMessages },
];

import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { Config } from '../config.ts';
import type { AskedRun } from '../find-run.ts';
import { drawRun } from './draw.ts';
import type { RunFacts } from './facts.ts';
import { followView } from './follow.ts';
import { createTeller } from './lines.ts';
import { placesOf } from './places.ts';
import { quietLog } from './quiet-log.ts';
import { createRunReader, type RunReader } from './reader.ts';
import { openScreen } from './screen.ts';
import { type Sight, withSight } from './sight.ts';
import { findTarget } from './target.ts';
import { type RunView, viewOf } from './view.ts';

const REDRAW_MS = 500;
/** Longer than a question to a run takes that has no worker to answer it. */
const SILENT_AFTER_MS = 15_000;

export interface Shown {
  run: RunView;
  places: Record<string, string>;
}

/** Prints a run as it is, or how it goes on until it has ended or is held. */
export async function showRun(
  config: Config,
  asked: AskedRun & { follow: boolean },
  signal: AbortSignal,
): Promise<Shown> {
  const { log, divert } = quietLog(config.logLevel);
  return withSight({ config, log, signal }, async (sight) => {
    const reader = createRunReader(sight, await findTarget(sight, asked));
    const draw = (facts: RunFacts) =>
      drawRun(viewOf(facts, Date.now()), {
        places: placesOf(facts, config, sight),
        nowMs: Date.now(),
        // Not known of what is no terminal; another one after it was drawn larger.
        ...(process.stdout.columns && { width: process.stdout.columns }),
      });
    let facts = await reader.read();
    if (asked.follow && isGoing(facts)) {
      requireTemporal(sight, facts);
      const following = { sight, reader, first: facts, signal };
      facts = process.stdout.isTTY
        ? await followOnTerminal(following, { draw, divert })
        : await followInLines(following);
    }
    console.log(draw(facts).join('\n'));
    return { run: viewOf(facts, Date.now()), places: placesOf(facts, config, sight) };
  });
}

function isGoing(facts: RunFacts): boolean {
  const { isOver, state } = viewOf(facts, Date.now());
  return !isOver && state !== 'held';
}

interface Following {
  sight: Sight;
  reader: RunReader;
  first: RunFacts;
  signal: AbortSignal;
}

interface Drawing {
  draw(facts: RunFacts): string[];
  divert: ReturnType<typeof quietLog>['divert'];
}

/** Drawn anew in its place, also between two answers: time goes on. */
async function followOnTerminal(following: Following, { draw, divert }: Drawing): Promise<RunFacts> {
  const screen = openScreen(process.stdout);
  divert(screen.print);
  let seen = following.first;
  let seenAt = performance.now();
  const redraw = () => {
    const silentMs = performance.now() - seenAt;
    const note = `Temporal has not answered for ${Math.round(silentMs / 1_000)} s`;
    const facts = silentMs > SILENT_AFTER_MS ? { ...seen, notes: [...seen.notes, note] } : seen;
    screen.draw(draw(facts));
  };
  const timer = setInterval(redraw, REDRAW_MS);
  try {
    return await followView({
      ...following,
      onLook(facts) {
        seen = facts;
        seenAt = performance.now();
        redraw();
      },
    });
  } finally {
    clearInterval(timer);
    divert(null);
    // Whoever ends the following keeps what was seen last.
    screen.end({ stays: following.signal.aborted });
  }
}

async function followInLines(following: Following): Promise<RunFacts> {
  const teller = createTeller((line) => console.log(line));
  const onLook = (facts: RunFacts) => teller.tell(viewOf(facts, Date.now()), Date.now());
  const last = await followView({ ...following, onLook });
  onLook(last);
  console.log('');
  return last;
}

function requireTemporal({ temporal, notes }: Sight, { runId, workflow }: RunFacts): void {
  if (temporal !== null) return;
  const why = notes.length > 0 ? notes.join('; ') : 'no Temporal server of this home is running';
  throw new PipelineError(
    'TEMPORAL_UNREACHABLE',
    `${runId ?? workflow.id} has not ended, and to follow it needs Temporal: ${why}; npm start brings it back, and the run goes on`,
  );
}

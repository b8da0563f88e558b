import { Command } from 'commander';
import { afterEach, expect, test, vi } from 'vitest';
import { errorText } from '../../scripts/error-text.ts';
import { refuseKeptByNpm, tellOfNpm } from '../../scripts/npm-options.ts';
import { segmentCount } from '../../scripts/option-values.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const start = () =>
  new Command('npm start --')
    .option('--once', 'o')
    .option('--k <number>', 'k')
    .option('--json <file>', 'j')
    .option('--as-of <date>', 'd')
    .allowExcessArguments(false)
    .exitOverride();

// What npm 11 leaves in the environment for `npm start --once --as-of 2026-01-01`.
test.each([
  [{ npm_config_once: 'true', npm_config_as_of: 'true' }, /--once and --as-of: .* --once --as-of <date>/],
  [{ npm_config_once: 'true' }, /here --once: type npm start -- --once …/],
])('options that npm kept are refused with the way to type them: %j', (env, message) => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  expect(() => refuseKeptByNpm(start(), 'npm start --')).toThrow(message);
});

test('what npm has options of its own for is left alone', () => {
  vi.stubEnv('npm_config_json', 'true');
  expect(() => refuseKeptByNpm(start(), 'npm start --')).not.toThrow();
});

test('one argument too many is answered with the two dashes, of subcommands too', () => {
  let told = '';
  const command = new Command('npm run strata --').addCommand(start().name('compare')).exitOverride();
  tellOfNpm(command, 'npm run strata --');
  command.commands[0]!.configureOutput({
    writeErr: (text) => {
      told += text;
    },
  });
  expect(() => command.parse(['compare', 'crm'], { from: 'user' })).toThrow();
  expect(told).toMatch(/too many arguments[\s\S]*type npm run strata -- compare …/);
});

test('a number of segments that there cannot be is refused with the limits', () => {
  expect(segmentCount('64')).toBe(64);
  for (const text of ['1', '65', 'five', '4.5']) {
    let fault: unknown;
    try {
      segmentCount(text);
    } catch (error) {
      fault = error;
    }
    expect(errorText(fault)).toBe(`--k needs a whole number from 2 to 64, found ${text} (INPUT_INVALID)`);
  }
});

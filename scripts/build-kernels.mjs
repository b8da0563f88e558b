// Compiles numeric/kernels/assembly to WebAssembly. Plain JavaScript: set-up runs it before any loader is
// there. The stamp beside the result holds the digest of all that went in, so an unchanged build is skipped.

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const SOURCES = new URL('../numeric/kernels/assembly/', import.meta.url);
const BUILD = new URL('../numeric/kernels/build/', import.meta.url);
const WASM = 'kernels.wasm';
const STAMP = 'kernels.stamp';

// Relaxed SIMD stays off: it may fuse a multiply and an add, and results would differ between machines.
const FLAGS = [
  '-O3',
  ...['--runtime', 'stub'],
  ...['--enable', 'simd', '--enable', 'threads'],
  ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
  ...['--use', 'abort='],
];

/**
 * Builds the kernels unless the build on disk was made of the same sources, flags and compiler.
 *
 * Safe to run twice at once: each run writes a file of its own and renames it into place.
 *
 * @param {{ log?: (line: string) => void }} [options]
 * @returns {Promise<{ built: boolean, path: string }>}
 */
export async function buildKernels({ log = () => {} } = {}) {
  const path = fileURLToPath(new URL(WASM, BUILD));
  const digest = await digestOfInputs();
  if (await isBuildOf(digest)) return { built: false, path };

  await mkdir(BUILD, { recursive: true });
  const compiled = await compile();
  await replaceFile(new URL(WASM, BUILD), compiled);
  await replaceFile(new URL(STAMP, BUILD), `${digest} ${sha256(compiled)}`);
  log(`built ${WASM} (${compiled.length} bytes)`);
  return { built: true, path };
}

/** Whether the build on disk is of today's sources, flags and compiler. */
export async function areKernelsBuilt() {
  return isBuildOf(await digestOfInputs());
}

/** @param {string} digest of what goes into a build */
async function isBuildOf(digest) {
  const stamp = await readFile(new URL(STAMP, BUILD), 'utf8').catch(() => '');
  const wasm = await readFile(new URL(WASM, BUILD)).catch(() => null);
  return wasm !== null && stamp === `${digest} ${sha256(wasm)}`;
}

async function digestOfInputs() {
  const hash = createHash('sha256').update(JSON.stringify(FLAGS));
  const compiler = new URL('../node_modules/assemblyscript/package.json', import.meta.url);
  hash.update(JSON.parse(await readFile(compiler, 'utf8')).version);
  const names = (await readdir(SOURCES)).filter((name) => name.endsWith('.ts')).sort();
  for (const name of names) hash.update(`\n${name}\n`).update(await readFile(new URL(name, SOURCES)));
  return hash.digest('hex');
}

async function compile() {
  const { default: asc } = await import('assemblyscript/asc');
  /** @type {Uint8Array | undefined} */
  let binary;
  const where = ['index.ts', '--baseDir', fileURLToPath(SOURCES), '--outFile', WASM];
  const { error, stderr } = await asc.main([...where, ...FLAGS], {
    writeFile: (/** @type {string} */ _name, /** @type {string | Uint8Array} */ contents) => {
      if (typeof contents !== 'string') binary = contents;
    },
  });
  if (error !== null || binary === undefined) {
    throw new Error(`the kernels do not compile: ${stderr.toString()}`, { cause: error });
  }
  return binary;
}

/**
 * @param {URL} target
 * @param {string | Uint8Array} contents
 */
async function replaceFile(target, contents) {
  const temporary = new URL(`${target.href}.${randomUUID()}`);
  await writeFile(temporary, contents);
  await rename(temporary, target).catch(async (cause) => {
    await rm(temporary, { force: true });
    throw cause;
  });
}

/** @param {string | Uint8Array} bytes */
function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { built } = await buildKernels({ log: console.log });
  if (!built) console.log('kernels are up to date');
}

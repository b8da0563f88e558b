import { execFile } from 'node:child_process';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** A browser to open pages in; null, and said so, where there is none. */
export async function browserOnPath(): Promise<string | null> {
  const folders = (process.env.PATH ?? '').split(delimiter);
  for (const path of folders.flatMap((folder) => BROWSERS.map((name) => join(folder, name)))) {
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  console.warn(`no browser of ${BROWSERS.join(', ')} on PATH: the page is not opened in one`);
  return null;
}

/** The page's DOM, and what the browser had to complain of. */
export async function openPage(
  browser: string,
  html: string,
): Promise<{ dom: string; complaints: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'strata-page-'));
  try {
    const file = join(folder, 'page.html');
    await writeFile(file, html);
    const options = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run'];
    const { stdout, stderr } = await promisify(execFile)(
      browser,
      [
        ...options,
        ...['--disable-background-networking', `--user-data-dir=${join(folder, 'profile')}`],
        ...['--enable-logging=stderr', '--v=0', '--dump-dom', pathToFileURL(file).href],
      ],
      { maxBuffer: 2 ** 26, timeout: 60_000 },
    );
    return { dom: stdout, complaints: stderr.split('\n').filter((line) => line.includes('CONSOLE')) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The room that a page has on a screen of some width, and how much of it the page takes. */
export async function widthsOf(
  browser: string,
  html: string,
  width: number,
): Promise<{ room: number; taken: number; complaints: string[] }> {
  // A frame is as wide as it is told to be, whatever the smallest window of the browser is; a script of the
  // frame's parent measures, which the page itself would not let run.
  const framed = `<!doctype html><iframe id="page" style="width:${width}px;height:900px;border:0" srcdoc="${html
    .replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, '')
    .replaceAll('&', '&amp;')
    .replaceAll('"', '&quot;')}"></iframe>
<script>addEventListener('load', () => { const inner = document.getElementById('page').contentDocument;
for (const details of inner.querySelectorAll('details')) details.open = true;
document.body.dataset.room = inner.documentElement.clientWidth; document.body.dataset.taken = inner.documentElement.scrollWidth; });</script>`;
  const { dom, complaints } = await openPage(browser, framed);
  const widthOf = (name: string) => Number(new RegExp(`data-${name}="(\\d+)"`).exec(dom)?.[1]);
  return { room: widthOf('room'), taken: widthOf('taken'), complaints };
}

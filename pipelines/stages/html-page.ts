import { escapeHtml } from './profile/plots.ts';

/**
 * A page without scripts and without anything to load, which its policy keeps a browser to.
 *
 * @param page.title plain text; `style` CSS; `main` HTML
 */
export function htmlPage({ title, style, main }: { title: string; style: string; main: string }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${main}
</main>
</body>
</html>
`;
}

/** Samples of a page of metrics: by name with labels, as Prometheus reads them. */
export function parseSamples(page: string): Record<string, number> {
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1).replace('Inf', 'Infinity'))];
    }),
  );
}

export async function samplesOf(registry: { metrics(): Promise<string> }): Promise<Record<string, number>> {
  return parseSamples(await registry.metrics());
}

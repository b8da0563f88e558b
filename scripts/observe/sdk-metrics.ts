import { type BufferedMetricUpdate, MetricsBuffer } from '@temporalio/worker';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Of those that the SDK puts on its metrics; a label that it may add one day is left out until it is added here. */
const LABELS = [
  ...['namespace', 'task_queue', 'workflow_type', 'activity_type', 'operation', 'status_code'],
  ...['poller_type', 'worker_type', 'failure_reason', 'eager'],
] as const;

/** Whoever starts a workflow or an activity names its type: only known ones become labels. */
const TYPED_BY_CALLERS = ['workflow_type', 'activity_type'] as const;

const BUCKETS_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1_800, 3_600];
const DRAIN_EVERY_MS = 1_000;
/** The SDK drops what comes after, and then cannot read what refers to it. */
const MOST_KEPT = 100_000;

type Update = Pick<BufferedMetricUpdate, 'value' | 'attributes'> & {
  metric: Pick<BufferedMetricUpdate['metric'], 'name' | 'kind' | 'unit' | 'description'>;
};

export interface SdkMetrics {
  /** For the SDK's runtime. */
  buffer: MetricsBuffer;
  /** Takes over what has come in since. */
  drain(): void;
  /** Types of workflows and activities that the worker knows. */
  know(types: readonly string[]): void;
  close(): void;
}

/**
 * The metrics of Temporal's SDK among ours: its native part hands over each change, in place of a server of its own on
 * a second port.
 */
export function createSdkMetrics(registry: Registry): SdkMetrics {
  const knownTypes = new Set<string>();
  const buffer = new MetricsBuffer({ useSecondsForDurations: true, maxBufferSize: MOST_KEPT });
  const apply = applying(registry, knownTypes);
  const drain = () => {
    // Until it is known which types there are, the buffer keeps them.
    if (knownTypes.size === 0) return;
    try {
      for (const update of buffer.retrieveUpdates()) apply(update);
    } catch {
      // What cannot be told is left out: the work is what counts.
    }
  };
  const timer = setInterval(drain, DRAIN_EVERY_MS).unref();
  return {
    buffer,
    drain,
    know(types) {
      for (const type of types) knownTypes.add(type);
    },
    close: () => clearInterval(timer),
  };
}

export function applying(registry: Registry, knownTypes: ReadonlySet<string>): (update: Update) => void {
  const sinks = new Map<string, (value: number, labels: Record<string, string>) => void>();
  return ({ metric, value, attributes }) => {
    let sink = sinks.get(metric.name);
    if (sink === undefined) {
      sink = sinkOf(registry, metric);
      sinks.set(metric.name, sink);
    }
    sink(value, labelsOf(attributes, knownTypes));
  };
}

function sinkOf(registry: Registry, metric: Update['metric']) {
  const { kind, unit, description } = metric;
  const isTime = kind === 'histogram' && /^(s|seconds|duration)$/.test(unit ?? '');
  const name = `${metric.name}${kind === 'counter' ? '_total' : isTime ? '_seconds' : ''}`;
  const options = {
    ...{ name, help: description || metric.name, labelNames: [...LABELS], registers: [registry] },
  };
  switch (kind) {
    case 'counter': {
      const counter = new Counter(options);
      return (value: number, labels: Record<string, string>) => counter.inc(labels, value);
    }
    case 'histogram': {
      const histogram = new Histogram({ ...options, buckets: BUCKETS_SECONDS });
      return (value: number, labels: Record<string, string>) => histogram.observe(labels, value);
    }
    default: {
      const gauge = new Gauge(options);
      if (kind === 'gauge')
        return (value: number, labels: Record<string, string>) => gauge.set(labels, value);
      return (value: number, labels: Record<string, string>) => gauge.inc(labels, value);
    }
  }
}

function labelsOf(attributes: Update['attributes'], knownTypes: ReadonlySet<string>): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const name of LABELS) {
    const value = attributes[name];
    if (value === undefined) continue;
    const isStranger = TYPED_BY_CALLERS.some((typed) => typed === name) && !knownTypes.has(String(value));
    labels[name] = isStranger ? 'other' : String(value);
  }
  return labels;
}

import { yeoJohnson } from '../../numeric/statistics/yeo-johnson.ts';
import { PipelineError } from '../contracts/errors.ts';
import { type DerivedFeature, derivedFor } from './derive-tree.ts';
import { deriveOne, whenMissingOf } from './features.ts';
import type { Model } from './model.ts';
import type { FittedColumn } from './transform.ts';

// What one customer's figures become before they are compared with the centres, made ready once so that a
// call compiles nothing and makes no arrays. Value by value it is twice as fast as applyTransforms, which
// makes an array per step; tests hold it to the same bits.

/** @returns shape (d,); the same array at every call */
export type FeatureReader = (features: Readonly<Record<string, number>>) => Float32Array;

interface Slot {
  name: string;
  /** One value: the customer's. */
  value: Float64Array;
  derived: DerivedFeature | undefined;
  inputs: Slot[];
  whenMissing: number;
  isKnown: boolean;
}

/** @throws PipelineError FEATURE_INVALID when an expression of the model cannot be read */
export function createFeatureReader(model: Model): FeatureReader {
  const slots = slotsOf(model);
  const columns = Object.fromEntries(slots.map(({ name, value }) => [name, value]));
  const clustered = model.transforms.map((column) => ({
    column,
    slot: slots.find(({ name }) => name === column.feature)!,
  }));
  const row = new Float32Array(clustered.length);
  return (features) => {
    for (const slot of slots) fill(slot, features, columns);
    for (let j = 0; j < clustered.length; j++) {
      const { column, slot } = clustered[j]!;
      if (!slot.isKnown) throw missing(slot, features);
      row[j] = transformed(slot.value[0]!, column);
    }
    return row;
  };
}

/** In an order in which every feature comes after those it is derived from. */
function slotsOf(model: Model): Slot[] {
  checkExpressions(model);
  const derived = derivedFor(model);
  const names = new Set([
    ...derived.flatMap(({ inputs }) => inputs),
    ...derived.map(({ name }) => name),
    ...model.transforms.map(({ feature }) => feature),
  ]);
  const plain = [...names].filter((name) => !derived.some((feature) => feature.name === name));
  const rules = nullRulesOf(model);
  const newSlot = (name: string, feature: Slot['derived'], inputs: Slot[]): Slot => ({
    name,
    value: new Float64Array(1),
    derived: feature,
    inputs,
    whenMissing: rules[name] ?? 0,
    isKnown: false,
  });
  const slots = plain.map((name) => newSlot(name, undefined, []));
  for (const feature of derived) {
    const inputs = feature.inputs.map((input) => slots.find(({ name }) => name === input)!);
    slots.push(newSlot(feature.name, feature, inputs));
  }
  return slots;
}

/** What stands for a value that is missing, by feature; those not named: 0. */
export function nullRulesOf({ features }: Model): Record<string, number> {
  return whenMissingOf([...features.aggregate, ...features.derive]);
}

/** The checks of the features stage: one customer's figures only, no text, no chance. */
function checkExpressions({ features }: Model): void {
  const about = { unit: '', why: '' };
  deriveOne(
    Object.fromEntries(features.aggregate.map(({ name }) => [name, 0])),
    features.derive.map((feature) => ({ ...feature, ...about })),
  );
}

function fill(
  slot: Slot,
  features: Readonly<Record<string, number>>,
  columns: Record<string, Float64Array>,
): void {
  const given = features[slot.name];
  if (typeof given === 'number') {
    slot.value[0] = finiteOr(given, slot.whenMissing);
    slot.isKnown = true;
    return;
  }
  slot.isKnown = slot.derived !== undefined && areKnown(slot.inputs);
  if (slot.isKnown) {
    const value = slot.derived!.at(0, columns);
    slot.value[0] = value == null ? slot.whenMissing : finiteOr(Number(value), slot.whenMissing);
  }
}

function areKnown(slots: readonly Slot[]): boolean {
  for (const slot of slots) if (!slot.isKnown) return false;
  return true;
}

/**
 * One value under its column's fitted steps.
 *
 * @throws PipelineError FEATURE_INVALID when log1p meets a value of -1 or less
 */
export function transformed(value: number, { feature, steps }: FittedColumn): number {
  let x = value;
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i]!;
    switch (step.kind) {
      case 'log1p':
        if (x <= -1) throw refused(feature);
        x = Math.log1p(x);
        break;
      case 'winsorise':
        x = Math.min(step.upper, Math.max(step.lower, x));
        break;
      case 'standard':
      case 'robust':
        x = (x - step.center) / step.scale;
        break;
      case 'yeo-johnson':
        x = yeoJohnson(x, step.lambda);
    }
  }
  return x;
}

function refused(feature: string): PipelineError {
  const message = `feature ${feature}, transform log1p: log1p needs values above -1, found one that is not`;
  return new PipelineError('FEATURE_INVALID', message, { feature, transform: 'log1p' });
}

function missing({ name, inputs }: Slot, features: Readonly<Record<string, number>>): PipelineError {
  const ways = inputs.length > 0 ? `${name}, or ${inputs.map((slot) => slot.name).join(' and ')}` : name;
  const found = Object.keys(features).join(', ') || 'none';
  return new PipelineError('FEATURE_INVALID', `the model needs feature ${ways}, found ${found}`, {
    feature: name,
  });
}

function finiteOr(value: number, otherwise: number): number {
  return Number.isFinite(value) ? value : otherwise;
}

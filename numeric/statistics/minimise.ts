const GOLDEN = (3 - Math.sqrt(5)) / 2;
const MAX_STEPS = 200;

/**
 * Where a function of one variable is smallest between two bounds.
 *
 * @param f with one minimum in between; other functions give one of theirs
 * @param tolerance wanted precision of the place
 *
 * Source: Brent (1973), Algorithms for minimization without derivatives, chapter 5: parabolas where they
 * behave, golden sections where not. About 20 evaluations.
 */
export function minimise(
  f: (x: number) => number,
  { from, to, tolerance = 1e-8 }: { from: number; to: number; tolerance?: number },
): number {
  let low = from;
  let high = to;
  let x = low + GOLDEN * (high - low);
  let [w, v] = [x, x];
  let fx = f(x);
  let [fw, fv] = [fx, fx];
  let step = 0;
  let stepBefore = 0;
  for (let n = 0; n < MAX_STEPS; n++) {
    const middle = (low + high) / 2;
    const least = tolerance * Math.abs(x) + 1e-10;
    if (Math.abs(x - middle) <= 2 * least - (high - low) / 2) break;
    const parabolic = Math.abs(stepBefore) > least ? vertex({ x, w, v, fx, fw, fv }) : Number.NaN;
    const isUsable =
      Math.abs(parabolic) < Math.abs(stepBefore / 2) && x + parabolic > low && x + parabolic < high;
    stepBefore = isUsable ? step : x >= middle ? low - x : high - x;
    step = isUsable ? parabolic : GOLDEN * stepBefore;
    const u = x + (Math.abs(step) >= least ? step : Math.sign(step) * least);
    const fu = f(u);
    if (fu <= fx) {
      if (u >= x) low = x;
      else high = x;
      [v, fv, w, fw, x, fx] = [w, fw, x, fx, u, fu];
      continue;
    }
    if (u < x) low = u;
    else high = u;
    if (fu <= fw || w === x) [v, fv, w, fw] = [w, fw, u, fu];
    else if (fu <= fv || v === x || v === w) [v, fv] = [u, fu];
  }
  return x;
}

/** Step from x to the vertex of the parabola through three points; not finite when they lie on a line. */
function vertex({ x, w, v, fx, fw, fv }: Record<'x' | 'w' | 'v' | 'fx' | 'fw' | 'fv', number>): number {
  const r = (x - w) * (fx - fv);
  const q = (x - v) * (fx - fw);
  return -((x - v) * q - (x - w) * r) / (2 * (q - r));
}

// Medians and how far the rounds lie apart.

/** { median, low, high, n }: low and high are the quartiles. */
export function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75), n: sorted.length };
}

/** Between two values: linear. `sorted` ascending. */
export function quantile(sorted, q) {
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  return below + (above - below) * (at - Math.floor(at));
}

export const median = (values) => spread(values).median;

/** Of each round's pair: what happened to the machine in one round happened to both. */
export const ratio = (a, b) => spread(a.map((value, i) => value / b[i]));

/**
 * The contestants in turn, round after round, so that a noisy minute hits all of them. A first round that does not
 * count warms the file cache and the server. contestants: { name: async () => ({ metric: number }) }. Returns { name: {
 * metric: number[] } }.
 */
export async function alternate(rounds, contestants, told = () => undefined) {
  const results = Object.fromEntries(Object.keys(contestants).map((name) => [name, {}]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, run] of Object.entries(contestants)) {
      const measured = await run();
      told(name, round, measured);
      if (round === 0) continue;
      for (const [metric, value] of Object.entries(measured))
        if (typeof value === 'number') (results[name][metric] ??= []).push(value);
    }
  }
  return results;
}

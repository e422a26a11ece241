const factors = [1, 2, 2.5, 5, 10];

/** Round values strictly within (`min`, `max`), evenly apart, at most `most` of them. */
export function roundValues(min: number, max: number, most: number): number[] {
  if (!(max > min) || most < 1) return [];
  const rough = (max - min) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = (factors.find((factor) => factor * power >= rough) ?? 10) * power;
  const values: number[] = [];
  for (let count = Math.floor(min / step) + 1; count * step < max; count += 1)
    values.push(Number((count * step).toPrecision(12)));
  return values;
}

/** The largest of …, 1, 2, 5, 10, 20, … that `value` reaches; 0 for what isn't positive. */
export function roundBelow(value: number): number {
  if (!(value > 0)) return 0;
  const power = 10 ** Math.floor(Math.log10(value));
  const lead = value / power;
  return (lead >= 5 ? 5 : lead >= 2 ? 2 : 1) * power;
}

/** The `points` of an SVG polyline through `values`, oldest first, in a box of `width` by `height`. */
export function sparkPath(values: readonly number[], width: number, height: number): string {
  if (values.length < 2) return "";
  const low = Math.min(...values);
  const range = Math.max(...values) - low;
  const step = width / (values.length - 1);
  return values
    .map((value, index) => {
      const y = range === 0 ? height / 2 : height - ((value - low) / range) * height;
      return `${(index * step).toFixed(1)},${y.toFixed(1)}`;
    })
    .join(" ");
}

/** The `points` of the polygon between such a line and the floor of its box. */
export function sparkArea(path: string, width: number, height: number): string {
  return path === "" ? "" : `0,${height} ${path} ${width},${height}`;
}

/** A course of values; x ascends. */
export interface Points {
  x: number[];
  y: number[];
}

/** The first index at which sorted `values` are at least `limit`. */
export function lowerBound(values: number[], limit: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * What a drawing of `columns` pixel columns from `min` to `max` needs of the points: the lowest and the highest of each
 * column, and a neighbour on either side. It looks the same as all of them. `scale`: identity or logarithm.
 */
export function downsample(
  { x, y }: Points,
  [min, max]: [number, number],
  columns: number,
  scale: (x: number) => number,
): Points {
  const begin = Math.max(0, lowerBound(x, min) - 1);
  const end = Math.min(x.length, lowerBound(x, max) + 2);
  if (end - begin <= 2 * columns) return { x: x.slice(begin, end), y: y.slice(begin, end) };

  const result: Points = { x: [], y: [] };
  const keep = (i: number) => {
    result.x.push(x[i]!);
    result.y.push(y[i]!);
  };
  const [left, width] = [scale(min), scale(max) - scale(min)];
  const columnOf = (i: number) => Math.floor(((scale(x[i]!) - left) / width) * columns);
  for (let i = begin; i < end;) {
    const column = columnOf(i);
    let [lowest, highest] = [i, i];
    for (; i < end && columnOf(i) === column; ++i) {
      if (y[i]! < y[lowest]!) lowest = i;
      if (y[i]! > y[highest]!) highest = i;
    }
    keep(Math.min(lowest, highest));
    if (lowest !== highest) keep(Math.max(lowest, highest));
  }
  return result;
}

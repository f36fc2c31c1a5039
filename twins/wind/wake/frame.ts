/**
 * A layout seen along the wind: x′ downwind, y′ to the left of it. A direction is where the wind comes from, clockwise from north
 * (x is east, y north), so that 270° blows to +x and leaves the layout as it is.
 *
 *   x′ = −x sin φ − y cos φ,   y′ = x cos φ − y sin φ
 */
export function rotateIntoWind(
  xM: Float64Array,
  yM: Float64Array,
  directionDeg: number,
  downwindM: Float64Array,
  crosswindM: Float64Array,
): void {
  const sin = Math.sin((directionDeg * Math.PI) / 180);
  const cos = Math.cos((directionDeg * Math.PI) / 180);
  for (let i = 0; i < xM.length; i++) {
    const x = xM[i] - xM[0]; // from the first turbine, so that map coordinates of millions of metres lose no digits
    const y = yM[i] - yM[0];
    downwindM[i] = -x * sin - y * cos;
    crosswindM[i] = x * cos - y * sin;
  }
}

/** Sorts rows from upwind to downwind, equal ones by their number; fast for an order that is nearly right, as it is after a small turn. */
export function sortDownwind(order: Uint32Array, downwindM: Float64Array): void {
  for (let i = 1; i < order.length; i++) {
    const row = order[i];
    const x = downwindM[row];
    let j = i;
    for (; j > 0; j--) {
      const before = order[j - 1];
      if (downwindM[before] < x || (downwindM[before] === x && before < row)) break;
      order[j] = before;
    }
    order[j] = row;
  }
}

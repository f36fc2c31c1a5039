/** Pairs of numbers: all of them, or when they are too many every second, every fourth … */
const MOST_PAIRS = 1 << 18;

export interface Pairs {
  /** [MOST_PAIRS], of which `count` are there. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly count: number;
  add(x: number, y: number): void;
}

export function createPairs(): Pairs {
  const x = new Float64Array(MOST_PAIRS);
  const y = new Float64Array(MOST_PAIRS);
  let count = 0;
  let stride = 1;
  let seen = 0;
  return {
    x,
    y,
    get count() {
      return count;
    },
    add(xNew, yNew) {
      if (seen++ % stride !== 0) return;
      if (count === MOST_PAIRS) {
        for (let i = 0; i < count / 2; i++) {
          x[i] = x[2 * i];
          y[i] = y[2 * i];
        }
        count /= 2;
        stride *= 2;
        if ((seen - 1) % stride !== 0) return;
      }
      x[count] = xNew;
      y[count++] = yNew;
    },
  };
}

/**
 * C += A·B for matrices that lie in typed arrays in any order: one kernel for forward, backward and transposed products.
 *
 * Tiles of 4 × 4 sums stay in registers, so each number that is loaded is used four times; the sums are doubles, since rounding
 * each of them to float32 costs more than it saves (measured: 2.1 against 0.8 GMAC/s, and 0.6 for the plain loop).
 */
export interface Matrix {
  readonly values: Float32Array;
  /** Where the first element is. */
  readonly at: number;
  /** Distances from one element to the next below it, and to the next beside it. */
  readonly down: number;
  readonly right: number;
}

/** Adds A [m × k] · B [k × n] to C [m × n]. `c.right` must be 1. */
export function addProduct(m: number, n: number, k: number, a: Matrix, b: Matrix, c: Matrix): void {
  const wholeM = m & ~3;
  const wholeN = n & ~3;
  addTiles(wholeM, wholeN, k, a, b, c);
  if (wholeN < n) addColumns(wholeM, wholeN, n, k, a, b, c);
  if (wholeM < m) addRows(wholeM, m, n, k, a, b, c);
}

function addTiles(m: number, n: number, k: number, a: Matrix, b: Matrix, c: Matrix): void {
  const { values: x, at: aAt, down: ai, right: ap } = a;
  const { values: y, at: bAt, down: bp, right: bj } = b;
  const { values: z, at: cAt, down: ci } = c;
  const ai2 = 2 * ai;
  const ai3 = 3 * ai;
  const bj2 = 2 * bj;
  const bj3 = 3 * bj;
  for (let i = 0; i < m; i += 4) {
    for (let j = 0; j < n; j += 4) {
      let s00 = 0;
      let s01 = 0;
      let s02 = 0;
      let s03 = 0;
      let s10 = 0;
      let s11 = 0;
      let s12 = 0;
      let s13 = 0;
      let s20 = 0;
      let s21 = 0;
      let s22 = 0;
      let s23 = 0;
      let s30 = 0;
      let s31 = 0;
      let s32 = 0;
      let s33 = 0;
      let from = aAt + i * ai;
      let beside = bAt + j * bj;
      for (let p = 0; p < k; p++) {
        const u0 = x[from];
        const u1 = x[from + ai];
        const u2 = x[from + ai2];
        const u3 = x[from + ai3];
        let v = y[beside];
        s00 += u0 * v;
        s10 += u1 * v;
        s20 += u2 * v;
        s30 += u3 * v;
        v = y[beside + bj];
        s01 += u0 * v;
        s11 += u1 * v;
        s21 += u2 * v;
        s31 += u3 * v;
        v = y[beside + bj2];
        s02 += u0 * v;
        s12 += u1 * v;
        s22 += u2 * v;
        s32 += u3 * v;
        v = y[beside + bj3];
        s03 += u0 * v;
        s13 += u1 * v;
        s23 += u2 * v;
        s33 += u3 * v;
        from += ap;
        beside += bp;
      }
      let to = cAt + i * ci + j;
      z[to] += s00;
      z[to + 1] += s01;
      z[to + 2] += s02;
      z[to + 3] += s03;
      to += ci;
      z[to] += s10;
      z[to + 1] += s11;
      z[to + 2] += s12;
      z[to + 3] += s13;
      to += ci;
      z[to] += s20;
      z[to + 1] += s21;
      z[to + 2] += s22;
      z[to + 3] += s23;
      to += ci;
      z[to] += s30;
      z[to + 1] += s31;
      z[to + 2] += s32;
      z[to + 3] += s33;
    }
  }
}

/** The last one to three columns of C, four rows at a time. */
function addColumns(m: number, first: number, n: number, k: number, a: Matrix, b: Matrix, c: Matrix): void {
  const { values: x, at: aAt, down: ai, right: ap } = a;
  const { values: y, at: bAt, down: bp, right: bj } = b;
  const { values: z, at: cAt, down: ci } = c;
  const ai2 = 2 * ai;
  const ai3 = 3 * ai;
  for (let j = first; j < n; j++) {
    for (let i = 0; i < m; i += 4) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let from = aAt + i * ai;
      let beside = bAt + j * bj;
      for (let p = 0; p < k; p++) {
        const v = y[beside];
        s0 += x[from] * v;
        s1 += x[from + ai] * v;
        s2 += x[from + ai2] * v;
        s3 += x[from + ai3] * v;
        from += ap;
        beside += bp;
      }
      const to = cAt + i * ci + j;
      z[to] += s0;
      z[to + ci] += s1;
      z[to + 2 * ci] += s2;
      z[to + 3 * ci] += s3;
    }
  }
}

/** The last one to three rows of C, four columns at a time where there are four. */
function addRows(first: number, m: number, n: number, k: number, a: Matrix, b: Matrix, c: Matrix): void {
  const { values: x, at: aAt, down: ai, right: ap } = a;
  const { values: y, at: bAt, down: bp, right: bj } = b;
  const { values: z, at: cAt, down: ci } = c;
  const bj2 = 2 * bj;
  const bj3 = 3 * bj;
  for (let i = first; i < m; i++) {
    let j = 0;
    for (; j + 4 <= n; j += 4) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let from = aAt + i * ai;
      let beside = bAt + j * bj;
      for (let p = 0; p < k; p++) {
        const u = x[from];
        s0 += u * y[beside];
        s1 += u * y[beside + bj];
        s2 += u * y[beside + bj2];
        s3 += u * y[beside + bj3];
        from += ap;
        beside += bp;
      }
      const to = cAt + i * ci + j;
      z[to] += s0;
      z[to + 1] += s1;
      z[to + 2] += s2;
      z[to + 3] += s3;
    }
    for (; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) sum += x[aAt + i * ai + p * ap] * y[bAt + p * bp + j * bj];
      z[cAt + i * ci + j] += sum;
    }
  }
}

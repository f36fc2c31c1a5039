import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cosineOfTurn, minusLogOfRest, nearest, sinesAndCosines } from '../../twins/elementary.ts';
import { createRng, fillNormals, keyColumns } from '../../twins/rng.ts';
import { packageRoot } from '../kit/package-root.ts';

const elementary = suite('elementary functions');

const WORD = 2 ** 32;
const EPSILON = 2 ** -52;
/** [k, −ln(1 − k/2³²), cos(2πk/2³²)] and [angle, sin, cos], each rounded to the nearest double. */
const { words, angles } = JSON.parse(readFileSync(join(packageRoot(), 'test/twins/elementary.json'), 'utf8')) as {
  readonly words: readonly [number, number, number][];
  readonly angles: readonly [number, number, number][];
};
/** Whether a value is right to two ulp. @param slack beside a zero, where what is left of many quarters has fewer digits than an angle */
const isRight = (value: number, wanted: number, slack = 0) => Math.abs(value - wanted) <= Math.max(2 * EPSILON * Math.abs(wanted), slack);
const both = (of: readonly number[]) => {
  const [sines, cosines] = [new Float64Array(of.length), new Float64Array(of.length)];
  sinesAndCosines(Float64Array.from(of), sines, cosines);
  return { sines, cosines };
};

elementary('logarithm and cosine of a word are right to two ulp, at the edges too', () => {
  for (const [k, log, cosine] of words) {
    for (const word of [k, k | 0]) {
      assert.ok(isRight(minusLogOfRest(word), log), `log of ${word}: ${minusLogOfRest(word)}, not ${log}`);
      assert.ok(isRight(cosineOfTurn(word), cosine), `cosine of ${word}: ${cosineOfTurn(word)}, not ${cosine}`);
    }
  }

  assert.is(minusLogOfRest(0), 0);
  assert.is(cosineOfTurn(0), 1);
  assert.is(cosineOfTurn(2 ** 30), 0);
  assert.is(cosineOfTurn(2 ** 31), -1);
});

elementary('sine and cosine of an angle are right to two ulp, up to 1e8 rad', () => {
  const { sines, cosines } = both(angles.map(([angle]) => angle));

  for (const [i, [angle, sine, cosine]] of angles.entries()) {
    const slack = 2 ** -80 * Math.abs(angle);
    assert.ok(isRight(sines[i], sine, slack), `sine of ${angle}: ${sines[i]}, not ${sine}`);
    assert.ok(isRight(cosines[i], cosine, slack), `cosine of ${angle}: ${cosines[i]}, not ${cosine}`);
  }
});

elementary('they are what Math says, everywhere', () => {
  for (let i = 0; i < 300_000; i++) {
    const k = Math.imul(i, 0x9e3779b1) >>> 0;
    const share = k / WORD;
    assert.ok(Math.abs(minusLogOfRest(k) + Math.log(1 - share)) <= 2 * EPSILON * Math.abs(Math.log(1 - share)), `log of ${k}`);
    assert.ok(Math.abs(cosineOfTurn(k) - Math.cos(2 * Math.PI * share)) <= 4 * EPSILON, `cosine of ${k}`); // 2π share is rounded to 4
  }
  const many = Array.from({ length: 300_000 }, (_, i) => ((Math.imul(i, 0x9e3779b1) | 0) / WORD) * 10 ** ((i % 11) - 2));
  const { sines, cosines } = both(many);
  for (const [i, angle] of many.entries()) {
    assert.ok(Math.abs(sines[i] - Math.sin(angle)) <= EPSILON, `sine of ${angle}`);
    assert.ok(Math.abs(cosines[i] - Math.cos(angle)) <= EPSILON, `cosine of ${angle}`);
  }
});

elementary('beyond their reach Math’s own answer, and what is no number has no sine', () => {
  const far = [1.1e8, -1e15, 2 ** 60, -Number.MAX_VALUE];
  const { sines, cosines } = both([...far, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0]);

  assert.equal([...sines.slice(0, 4)], far.map(Math.sin));
  assert.equal([...cosines.slice(0, 4)], far.map(Math.cos));
  for (const i of [4, 5, 6]) assert.ok(Number.isNaN(sines[i]) && Number.isNaN(cosines[i]));
  assert.equal([...sines.slice(7), ...cosines.slice(7)], [0, -0, 1, 1]);
});

elementary('the nearest whole number is what Math.round says, but never −0', () => {
  for (const x of [
    0,
    -0,
    0.2,
    -0.2,
    0.5,
    -0.5,
    1.5,
    -1.5,
    2.5,
    -2.5,
    0.5000000000000001,
    -0.5000000000000001,
    1e15 + 0.5,
    1e300,
    Number.NaN,
  ])
    assert.is(Object.is(nearest(x), Math.round(x) + 0), true, `${x}: ${nearest(x)}`);
  for (let i = 0; i < 100_000; i++) {
    const x = (Math.imul(i, 0x9e3779b1) | 0) / 1_000;
    assert.is(nearest(x), Math.round(x) + 0);
  }
});

elementary('a column of normals is the draws of its streams, and they are those of Box and Muller', () => {
  const streams = Array.from({ length: 50 }, (_, i) => createRng(i).fork('a'));
  const column = new Float64Array(streams.length);
  const keys = keyColumns(streams);

  for (const step of [0, 1, 7_199, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 3]) {
    fillNormals(column, keys, step);
    assert.equal(
      [...column],
      streams.map((stream) => stream.normal(step)),
    );
  }
  const first = [0, 1, 2, 3].map((step) => createRng(1).fork('T-1').normal(step).toFixed(12)); // of Math.log and Math.cos
  assert.equal(first, ['0.669078966308', '1.464640912471', '0.870359987333', '1.450179192084']);
});

elementary.run();

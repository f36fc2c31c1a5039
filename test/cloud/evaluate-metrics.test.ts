import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CareEvent, careScore, earlinessOf, fHalf, isCritical } from '../../cloud/studio/evaluate/care.ts';
import { quantile } from '../../cloud/studio/evaluate/figures.ts';
import { averagePrecision, precisionCurve } from '../../cloud/studio/evaluate/precision.ts';

const metrics = suite('evaluation metrics');

const sorted = (...scores: number[]) => Float32Array.from(scores).sort();
const close = (got: number | null, wanted: number, within = 1e-12) =>
  assert.ok(got !== null && Math.abs(got - wanted) <= within, `${got}, not ${wanted}`);

/** Physics reference §5.1: id, label, WS (earliness), F, accuracy, detected. */
const published: readonly CareEvent[] = [
  { kind: 'anomaly', earliness: 0.5, coverage: 0.869565, accuracy: 0.9, isDetected: true },
  { kind: 'anomaly', earliness: 0.8, coverage: 0.625, accuracy: 0.5, isDetected: true },
  { kind: 'normal', earliness: 0, coverage: 0, accuracy: 0.8, isDetected: true },
  { kind: 'normal', earliness: 0, coverage: 0, accuracy: 0.5, isDetected: true },
];
const subset = (events: readonly CareEvent[], ...ids: number[]) => ids.map((id) => events[id - 1]);

metrics('CARE gives the three published figures', () => {
  close(careScore(published), 0.650567632850241, 1e-7); // F is published with six digits
  close(careScore(subset(published, 1, 3)), 0.705024154589372, 1e-7);
  close(careScore(subset(published, 2, 4)), 0.5);
  close(careScore(published.map((event) => (event.coverage === 0.869565 ? { ...event, coverage: 20 / 23 } : event))), 0.650567632850241);
});

metrics('CARE of a set that calls nearly everything anomalous is its accuracy', () => {
  const bad = published.map((event, i) => ({ ...event, accuracy: [0.9, 0.5, 0.1, 0][i] })); // (0.1 + 0) / 2 at most ½: only accuracy counts

  close(careScore(bad), 0.05);
  close(careScore(subset(bad, 1, 3)), 0.1);
  close(careScore(subset(bad, 2, 4)), 0);
});

metrics('CARE is 0 when nothing is detected, and nothing without both kinds of events', () => {
  assert.is(careScore(published.map((event) => ({ ...event, isDetected: false, accuracy: 1 }))), 0);
  assert.is(careScore(subset(published, 1, 2)), null);
  assert.is(careScore(subset(published, 3, 4)), null);
  assert.is(careScore([]), null);
});

metrics('a perfect detector has a CARE of 1', () => {
  const events = published.map((event) => ({ ...event, earliness: 1, coverage: 1, accuracy: 1, isDetected: event.kind === 'anomaly' }));
  close(careScore(events), 1);
});

metrics('criticality counts seconds: above 60, down again by normal windows, never below 0 nor above its cap', () => {
  const run = (n: number, value: number) => new Array<number>(n).fill(value);
  assert.not(isCritical(run(12, 1), 5, 60, 1_000)); // 60 s is not above 60 s
  assert.ok(isCritical(run(13, 1), 5, 60, 1_000));
  assert.not(isCritical([...run(12, 1), 0, 1, 0, 1, 0, 1], 5, 60, 1_000));
  assert.ok(isCritical([...run(100, 0), ...run(13, 1)], 5, 60, 1_000)); // a long healthy time buys nothing
  assert.ok(isCritical(run(61, 1), 1, 60, 1_000));
  assert.not(isCritical(run(1_000, 1), 5, 60, 60)); // the cap holds it
  assert.not(isCritical([], 5, 60, 1_000));
});

metrics('earliness weighs the first quarter fully and then in a line to 0', () => {
  assert.is(earlinessOf([1, 1, 1, 1, 1]), 1);
  assert.is(earlinessOf([0, 0, 0, 0, 0]), 0);
  assert.is(earlinessOf([]), 0);
  close(earlinessOf([1, 1, 0, 0, 0]), 2 / (2 + 2 / 3 + 1 / 3)); // w = 1, 1, ⅔, ⅓, 0
  close(earlinessOf([0, 0, 0, 0, 1]), 0);
});

metrics('F½ weighs a false alarm four times as much as a miss', () => {
  assert.is(fHalf(0, 3, 3), 0);
  assert.is(fHalf(5, 0, 0), 1);
  close(fHalf(2, 2, 0), 5 / 9);
  close(fHalf(1, 1, 0), fHalf(1, 0, 4));
});

metrics('average precision of a worked example', () => {
  // by score: + − + with as many negatives as positives at a prevalence of ½: weights are 1 and 2
  const prevalence = 0.5;
  close(averagePrecision(sorted(0.9, 0.3), sorted(0.5), prevalence), 0.5 * 1 + 0.5 * (2 / 4));
});

metrics('tied windows come in together: a constant score is worth the prevalence, a perfect one 1', () => {
  close(averagePrecision(sorted(1, 1, 1), sorted(1, 1), 0.1), 0.1);
  close(averagePrecision(sorted(2, 3), sorted(0, 1, 1), 0.1), 1);
  close(averagePrecision(sorted(1), sorted(1, 0), 0.5), 0.5 / (0.5 + 0.25)); // one of two negatives ties
  assert.is(averagePrecision(sorted(), sorted(1), 0.1), null);
  assert.is(averagePrecision(sorted(1), sorted(), 0.1), null);
});

metrics('average precision is that of the plain definition, whatever the ties', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 12 }),
      (positives, negatives) => {
        close(averagePrecision(sorted(...positives), sorted(...negatives), 0.1), plainly(positives, negatives, 0.1), 1e-9);
        const curve = precisionCurve(sorted(...positives), sorted(...negatives), 0.1, 1_000);
        assert.is(curve[curve.length - 1].recall, 1);
      },
    ),
    { numRuns: 300, seed: 4 },
  );
});

metrics('thinning by weights changes no expectation: doubling either side changes nothing', () => {
  const [positives, negatives] = [sorted(0.9, 0.6, 0.2), sorted(0.7, 0.5, 0.1, 0.05)];
  const once = averagePrecision(positives, negatives, 0.1);
  close(averagePrecision(sorted(...positives, ...positives), negatives, 0.1), once ?? 0);
  close(averagePrecision(positives, sorted(...negatives, ...negatives), 0.1), once ?? 0);
});

metrics('quantiles are by nearest rank', () => {
  assert.is(quantile([1, 2, 3, 4], 0.5), 2);
  assert.is(quantile([1, 2, 3, 4], 0.95), 4);
  assert.is(quantile([7], 0.95), 7);
  assert.is(quantile([], 0.5), null);
});

/** Every threshold anew, from the definition. */
function plainly(positives: readonly number[], negatives: readonly number[], prevalence: number): number {
  const weight = ((1 - prevalence) / prevalence) * (positives.length / negatives.length);
  let sum = 0;
  let before = 0;
  for (const threshold of [...new Set([...positives, ...negatives])].sort((a, b) => b - a)) {
    const hits = positives.filter((score) => score >= threshold).length;
    const misses = weight * negatives.filter((score) => score >= threshold).length;
    const recall = hits / positives.length;
    sum += (recall - before) * (hits / (hits + misses));
    before = recall;
  }
  return sum;
}

metrics.run();

import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigInvalid } from '../../actors/contracts/errors.ts';
import type { TurbineEvidence } from '../../actors/contracts/evidence.ts';
import { type GateInput, lookAt, type Observed } from '../../actors/fleet/rollout/gate.ts';
import { BEGINNING, isUnderWay, nextStand, type RolloutEvent, type RolloutStand, statusOf } from '../../actors/fleet/rollout/machine.ts';
import { planOf } from '../../actors/fleet/rollout/plan.ts';
import { drawWaves, withinBudget } from '../../actors/fleet/rollout/waves.ts';
import { createRng } from '../../twins/rng.ts';
import { parseWindow } from '../../cloud/rollouts/window.ts';

const rollout = suite('rollout');

const things = Array.from({ length: 40 }, (_, i) => `T-${String(i + 1).padStart(3, '0')}`);

rollout('draws waves by its seed, and one turbine more moves nobody else', () => {
  const waves = drawWaves(things, ['10%', '50%', '100%'], createRng(7));
  assert.equal(
    waves.map((wave) => wave.length),
    [4, 16, 20],
  );
  assert.equal(waves.flat().sort(), things);
  assert.equal(drawWaves(things, ['10%', '50%', '100%'], createRng(7)), waves);
  assert.not.equal(drawWaves(things, ['10%', '50%', '100%'], createRng(8)), waves);
  const more = drawWaves([...things, 'T-041'], [41], createRng(7))[0];
  assert.is(more.length, 41);
  assert.equal(
    drawWaves(things.slice(0, 3), ['10%', '20%', '50%', '100%'], createRng(7)).map((wave) => wave.length),
    [1, 1, 1],
  );
  assert.equal(
    drawWaves(things, [1, 5, 200], createRng(7)).map((wave) => wave.length),
    [1, 4, 35],
  );
});

rollout('a budget in kilowatts or devices lets the first of a wave begin, in order', () => {
  const power = (thing: string) =>
    new Map([
      ['T-001', 900],
      ['T-002', 600],
      ['T-004', 300],
    ]).get(thing) ?? null;
  const part = (kw: number | null, devices: number | null) => withinBudget(things.slice(0, 4), power, { kw, devices }).length;
  assert.equal([part(null, null), part(null, 2), part(899, null), part(900, null), part(1_500, null), part(1_800, 3)], [4, 2, 0, 1, 3, 3]);
});

rollout('a plan that makes no sense is refused with every fault', () => {
  assert.equal(planOf({}, parseWindow).waves, ['100%']);
  const wrong = () => planOf({ waves: ['50%', '10%', 0], soak: -1, budgetKw: 0, window: 'below ten', minWindows: 0 }, parseWindow);
  assert.throws(wrong, (error: unknown) => {
    if (!(error instanceof ConfigInvalid)) return false;
    return ['waves\\[1\\]', 'waves\\[2\\]', 'soak', 'budgetKw', 'window', 'minWindows'].every((name) =>
      new RegExp(name).test(error.message),
    );
  });
});

rollout('a window names hours in UTC, a wind, or both', () => {
  const at = (hour: number, minute = 0) => Date.UTC(2026, 0, 1, hour, minute);
  const both = parseWindow('cron(0 2 * * ? *) for 2h and only below 4 m/s');
  assert.equal(
    [both.isOpen(at(1, 59), 3), both.isOpen(at(2), 3), both.isOpen(at(3, 59), 3.9), both.isOpen(at(4), 3)],
    [false, true, true, false],
  );
  assert.equal([both.isOpen(at(2), 4), both.isOpen(at(2), null)], [false, false]);
  assert.match(both.words(at(5), 6), /it opens at 2026-01-02T02:00:00.000Z and the wind is 6.0 m\/s, not below 4 m\/s/);
  assert.is(parseWindow('above 3 m/s').isOpen(0, 3.5), true);
  for (const wrong of [
    '',
    'night',
    'cron(0 2 * * ? *)',
    'cron(0 2 * * * *) for 2h',
    'cron(0 2 * * ? *) for 2d',
    'below 4 km/h',
    'below 4 m/s and',
    'below -1 m/s',
  ])
    assert.throws(
      () => parseWindow(wrong),
      (error: unknown) => error instanceof ConfigInvalid,
      wrong,
    );
});

const TYPES: readonly RolloutEvent['type'][] = [
  'opened',
  'updated',
  'promoted',
  'finished',
  'halted',
  'paused',
  'resumed',
  'canceled',
  'rolledBack',
  'healed',
];

rollout('whatever is told in whatever order, what is over begins no wave, and what is written down goes on alike', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ type: fc.constantFrom(...TYPES), isWhole: fc.boolean() }), { maxLength: 40 }), (told) => {
      let stand: RolloutStand = BEGINNING;
      for (const { type, isWhole } of told) {
        const event = { type, isWhole, reason: type } as RolloutEvent;
        const after = nextStand(stand, event);
        assert.equal(nextStand(JSON.parse(JSON.stringify(stand)) as RolloutStand, event), after);
        if (!after) continue;
        if (!isUnderWay(stand)) assert.is(type, 'rolledBack');
        if (stand.state === 'halting') assert.is(after.state, 'halted');
        if (stand.state === 'paused' && type === 'resumed') assert.is(after.state, stand.context.pausedIn);
        assert.ok(after.context.wave - stand.context.wave === (type === 'promoted' ? 1 : 0));
        stand = after;
      }
      assert.ok(statusOf(stand));
    }),
  );
});

const evidence = (change: Partial<TurbineEvidence> = {}): TurbineEvidence => ({
  windows: 60,
  anomalous: 0,
  logScore: -1,
  logErrors: -2,
  drift: 0,
  tookMs: 100,
  perMinute: 12,
  ...change,
});

/** Turbines that differ a little, as those in one wind do. */
const some = (count: number, after: Partial<TurbineEvidence>, seed: number): Observed[] =>
  Array.from({ length: count }, (_, i) => {
    const noise = createRng(seed).fork(String(i)).normal(0);
    const moved = evidence({ ...after, logScore: (after.logScore ?? -1) + 0.1 * noise, drift: (after.drift ?? 0) + 0.05 * noise });
    return { before: evidence({ logScore: -1 + 0.05 * noise }), after: moved, later: moved };
  });

const gate = (after: Partial<TurbineEvidence>, change: Partial<GateInput> = {}) =>
  lookAt({ at: 0, updated: some(4, after, 1), controls: some(36, {}, 2), minWindows: 12, watchedMs: 400_000, ...change });

rollout('the gate lets a model pass that is no worse, and halts each that is', () => {
  assert.is(gate({}).decision, 'promote');
  assert.is(gate({ logScore: -0.85 }).decision, 'promote', 'good models differ by tens of percent');
  const bad: [Partial<TurbineEvidence>, RegExp][] = [
    [{ logScore: 0 }, /scores \+1\d\d %/],
    [{ logScore: -4 }, /scores −9\d %/],
    [{ logErrors: -1.1 }, /errors over all features/],
    [{ drift: 0.5 }, /drift/],
    [{ anomalous: 0.6 }, /windows anomalous/],
    [{ tookMs: 2_100 }, /inference takes 21.0 times as long/],
    [{ windows: 2, perMinute: 0.5 }, /usual windows/],
  ];
  for (const [after, words] of bad) {
    const { decision, words: said } = gate(after);
    assert.is(decision, 'halt', said);
    assert.match(said, words);
  }
});

rollout('what is missing never promotes, and one turbine that breaks is no bad model', () => {
  assert.is(gate({}, { controls: [] }).decision, 'wait');
  assert.is(gate({}, { updated: [] }).decision, 'wait');
  assert.is(gate({ windows: 11 }).decision, 'wait');
  assert.is(gate({ logScore: Number.NaN, windows: 0 }).decision, 'wait');
  assert.is(gate({ tookMs: Number.NaN }, {}).decision, 'wait');
  assert.is(gate({}, { watchedMs: 60_000 }).decision, 'wait', 'a drift needs minutes');
  const [broken, ...rest] = some(4, {}, 1);
  const worn = { ...broken, after: evidence({ logScore: 1, anomalous: 1 }), later: evidence({ logScore: 1, drift: 1 }) };
  assert.is(gate({}, { updated: [worn, ...rest] }).decision === 'halt', false);
});

rollout.run();

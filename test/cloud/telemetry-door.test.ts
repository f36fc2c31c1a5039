import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Channel, deskTurbine } from '../../actors/contracts/channels.ts';
import { rollUpWriter } from '../../actors/roll-up-text.ts';
import { TelemetryMessage, VerdictMessage } from '../../cloud/ingest/messages.ts';
import { isVerdict, meansReader, quickReader, readVerdict } from '../../cloud/telemetry-door.ts';

const door = suite('telemetry door');

const RUNS = { numRuns: 3_000 };

/** Readings as sensors give them, and numbers that no sensor gives. */
const reading = fc.oneof(
  fc.integer({ min: -40_000, max: 40_000 }),
  fc.integer({ min: -4e8, max: 4e8 }).map((n) => n / 1e4),
  fc.integer({ min: -1e6, max: 1e6 }).map((n) => n / 100),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 1e-4, -1e-4, 1e-7, 123456789012.3456, 1e15, 1e21, 0.1 + 0.2, 2 ** 53 + 2, 99_999_999_999.9999),
);
const { channels } = deskTurbine;
const rollUp = fc
  .record({ spanMs: fc.constantFrom(1_000, 50, 350.5), values: fc.array(reading, { minLength: 80, maxLength: 80 }), none: fc.nat(19) })
  .map(({ spanMs, values, none }) => {
    const all = Float64Array.from([7, ...values]); // from an offset on
    for (let c = 0; c < 20; c++) all[1 + 4 * c + 3] = c === none ? 0 : 20;
    return { spanMs, values: all, offset: 1 };
  });
const plainly = (
  at: number,
  of: readonly Channel[],
  { spanMs, values, offset }: { spanMs: number; values: Float64Array; offset: number },
) =>
  JSON.stringify({
    at,
    every: spanMs,
    channels: Object.fromEntries(
      of.flatMap(({ name }, c) => {
        const [mean, min, max, count] = values.subarray(offset + 4 * c, offset + 4 * c + 4);
        return count > 0 ? [[name, [Math.round(mean * 1e4) / 1e4, min, max, count]]] : [];
      }),
    ),
  });

door('a roll-up is written as JSON writes it, to the last byte', () => {
  const writer = rollUpWriter();
  fc.assert(
    fc.property(fc.oneof(fc.constant(1_767_225_600_050), fc.nat(), fc.double({ min: 0, max: 1e13, noNaN: true })), rollUp, (at, one) => {
      assert.is(Buffer.from(writer.write(at, channels, one)).toString(), plainly(at, channels, one));
    }),
    RUNS,
  );
});

door('a roll-up of many channels with odd names is written as JSON writes it', () => {
  const many = Array.from({ length: 300 }, (_, i) => ({ name: `a "${i}"\n°C é`, unit: '1' }));
  const one = { spanMs: 1_000, values: new Float64Array(1_200).fill(-1234.5678), offset: 0 };
  for (let c = 0; c < 300; c++) one.values[4 * c + 3] = 1;
  assert.is(Buffer.from(rollUpWriter().write(5, many, one)).toString(), plainly(5, many, one));
});

/** What the schema makes of a payload; null when it refuses it. */
function bySchema(payload: Uint8Array): unknown {
  try {
    const { at, channels: all } = TelemetryMessage.parse(JSON.parse(Buffer.from(payload).toString('utf8')));
    return { at, means: Object.fromEntries(Object.entries(all).map(([name, [mean]]) => [name, mean])) };
  } catch {
    return null;
  }
}

door('what the quick reader takes of a roll-up is what the schema takes', () => {
  const quick = quickReader();
  const writer = rollUpWriter();
  fc.assert(
    fc.property(fc.nat(), rollUp, (at, one) => {
      const payload = writer.write(at, channels, one);
      const taken = quick(payload);
      if (taken !== null) assert.equal(taken, bySchema(payload));
    }),
    RUNS,
  );
  const usual = { spanMs: 1_000, values: Float64Array.from({ length: 80 }, (_, i) => i * 1.25), offset: 0 };
  assert.ok(quick(writer.write(1_767_225_600_000, channels, usual)), 'a usual roll-up takes the quick way');
});

door('a roll-up that has been tampered with is taken as the schema takes it, or refused with it', () => {
  const quick = quickReader();
  const reader = meansReader();
  const text = '{"at":1767225600050,"every":1000,"channels":{"rps":[1.61,0,2.5,20],"qw":[-0.25,-1,1,20]}}';
  const pieces = [
    '',
    ' ',
    ',',
    '"',
    '-',
    '0',
    '00',
    '.',
    '1e5',
    'E400',
    '}',
    '{',
    '[',
    ']',
    ':',
    '\\u0041',
    'null',
    '"rps":[1,2,3,4],',
    '__proto__',
    'é',
    '\0',
  ];
  fc.assert(
    fc.property(fc.nat(text.length), fc.nat(3), fc.constantFrom(...pieces), (at, gone, piece) => {
      const payload = Buffer.from(text.slice(0, at) + piece + text.slice(at + gone));
      const wanted = bySchema(payload);
      const taken = quick(payload);
      if (taken !== null) assert.equal(taken, wanted, payload.toString());
      let read: unknown = null;
      try {
        read = reader(payload);
      } catch {}
      assert.equal(read, wanted, payload.toString());
    }),
    { numRuns: 6_000 },
  );
});

door('a reader that hears several machines in turn, and nonsense between, takes each message as the schema does', () => {
  const quick = quickReader();
  const message = (names: readonly string[], mean: number) =>
    JSON.stringify({ at: 5, every: 1_000, channels: Object.fromEntries(names.map((name, n) => [name, [mean + n / 4, 0, 9, 20]])) });
  const machine = fc.subarray(['rps', 'voltage', 'qw', 'powerKw', 'pitchDeg', '12', 'toString']);
  const said = fc.record({
    names: machine,
    mean: fc.integer({ min: -50, max: 50 }),
    cut: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(60)),
  });
  fc.assert(
    fc.property(fc.array(said, { minLength: 1, maxLength: 12 }), (all) => {
      for (const { names, mean, cut } of all) {
        const text = message(names, mean);
        const payload = Buffer.from(text.slice(0, text.length - cut));
        const taken = quick(payload);
        if (cut > 0) assert.is(taken, null);
        else assert.equal(taken, bySchema(payload));
      }
    }),
    RUNS,
  );
});

const plain = {
  at: 1,
  model: 'a@1.0.0',
  anomalous: false,
  score: 0.5,
  worst: 'roll',
  scores: { roll: 0.5, pitch: 0.25 },
  announced: false,
};

door('a verdict that is looked at by hand is one that the schema takes as it is', () => {
  const anything = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom<unknown>(-1, Number.POSITIVE_INFINITY, Number.NaN, 'x'.repeat(65), 'x'.repeat(129), {}, [], null),
  );
  const keys = ['at', 'model', 'anomalous', 'score', 'worst', 'scores', 'announced', 'more', '__proto__'];
  fc.assert(
    fc.property(fc.constantFrom(...keys), anything, fc.boolean(), (key, value, isInside) => {
      const body = isInside ? { ...plain, scores: { ...plain.scores, [key]: value } } : { ...plain, [key]: value };
      const passes = VerdictMessage.safeParse(body);
      if (isVerdict(body)) assert.equal(passes.data, body);
      else if (passes.success && !isInside && key !== 'more' && key !== '__proto__') assert.unreachable(JSON.stringify(body));
    }),
    RUNS,
  );
  assert.ok(isVerdict(plain));
  assert.equal(readVerdict(Buffer.from(JSON.stringify({ ...plain, more: 1 }))), plain);
  assert.throws(() => readVerdict(Buffer.from(JSON.stringify({ ...plain, at: -1 }))), /at/);
});

door.run();

import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { deskTurbine } from '../../actors/contracts/channels.ts';
import { readDecimal } from '../../cloud/ingest/decimal.ts';
import { readLogBytes } from '../../cloud/ingest/log-bytes.ts';
import { logDocuments } from '../../cloud/ingest/logs.ts';
import { logMessage } from '../kit/log-messages.ts';

const logs = suite('log messages');

const WIDTH = deskTurbine.channels.length;
const read = (text: string) => readLogBytes(Buffer.from(text), WIDTH, 1_000);
const record = (ts: string, data: readonly string[]) => ({ ts, data });
const DATA = (JSON.parse(logMessage(3)) as { logs: { data: string[] }[] }).logs[0].data;

logs('read from bytes they are what JSON, Date and Number make of them', () => {
  const ts = fc
    .record({
      at: fc.integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2199, 11, 31) }),
      zone: fc.constantFrom('Z', '+00:00', '-09:30', '+14:00'),
      digits: fc.integer({ min: 0, max: 9 }),
    })
    .map(({ at, zone, digits }) => {
      const [whole, fraction] = new Date(at).toISOString().slice(0, -1).split('.');
      return whole + (digits === 0 ? '' : `.${`${fraction}987654`.slice(0, digits)}`) + zone;
    });
  const value = fc.oneof(
    fc.integer({ min: -1e9, max: 1e9 }).map(String),
    fc.double({ noNaN: true, min: -1e6, max: 1e6 }).map((x) => x.toFixed(2)),
    fc.constantFrom('', '-0.00', '0', '007', '123456789012345', '0.000000000001'),
  );
  const message = fc.array(fc.record({ ts, data: fc.array(value, { minLength: WIDTH, maxLength: WIDTH }) }), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(message, fc.boolean(), (records, isSpaced) => {
      const json = JSON.stringify({ logs: records });
      const bytes = read(isSpaced ? json.replaceAll(/([:,])(?=["[{])/g, '$1 ') : json);
      assert.ok(bytes, json);
      const wanted = logDocuments({ device_name: 'jetson-1', ...(JSON.parse(json) as object) });
      assert.equal(wanted.refused, []);
      assert.equal(logDocuments({ device_name: 'jetson-1', logs: bytes }), wanted);
    }),
    { numRuns: 200 },
  );
});

logs('what is not exactly of their form is left to the schema', () => {
  const good = JSON.stringify({ logs: [record('2026-02-28T00:00:00Z', DATA)] });
  assert.ok(read(good));
  const with0 = (text: string) => JSON.stringify({ logs: [record('2026-02-28T00:00:00Z', DATA.with(0, text))] });
  for (const text of [
    '',
    '{}',
    `${good}x`,
    good.slice(0, -1),
    good.replace('"logs"', '"logs":[],"logs"'),
    good.replace('"ts"', '"ts":"","ts"'),
    JSON.stringify({ logs: [] }),
    JSON.stringify({ logs: [{ data: DATA, ts: '2026-02-28T00:00:00Z' }] }),
    JSON.stringify({ logs: [record('2026-02-28T00:00:00Z', DATA.slice(1))] }),
    JSON.stringify({ logs: [record('2026-02-28T00:00:00Z', [...DATA, '1'])] }),
    JSON.stringify({ logs: [record('2026-02-29T00:00:00Z', DATA)] }),
    JSON.stringify({ logs: [record('2026-13-01T00:00:00Z', DATA)] }),
    JSON.stringify({ logs: [record('2026-02-28 00:00:00Z', DATA)] }),
    JSON.stringify({ logs: [record('2026-02-28T00:00:00', DATA)] }),
    JSON.stringify({ logs: [record('2026-02-28T24:00:00Z', DATA)] }),
    ...['nan', 'NaN', 'Infinity', '1e3', '0x10', ' 1', '1 ', '-', '.5', '5.', '1.2.3', '\\u0031', '1234567890123456'].map(with0),
  ])
    assert.is(read(text), null, text);
  for (let length = 0; length < good.length; length++) assert.is(read(good.slice(0, length)), null);
});

logs('a value is a decimal number or nothing; NaN, hexadecimals and blanks are refused with the record', () => {
  for (const [text, value] of [
    ['12', 12],
    ['-0.10', -0.1],
    ['5E-12', 5e-12],
    ['0.1234567890123456789', 0.123_456_789_012_345_68],
    ['12345678901234567890', 12_345_678_901_234_567_000],
  ] as const)
    assert.is(readDecimal(text), value, text);
  for (const text of ['', ' ', '1 ', '0x10', '1e999', 'NaN', 'Infinity', '-', '.5', '5.', '+1', '1_000', '--1']) {
    assert.ok(Number.isNaN(readDecimal(text)), text);
    if (text === '') continue;
    const { documents, refused } = logDocuments({
      device_name: 'T-1',
      logs: [record('2026-01-01T00:00:00Z', DATA.with(2, text)), record('2026-01-01T00:00:01Z', DATA)],
    });
    assert.is(documents.length, 1, 'the others are kept');
    assert.ok(refused[0].reason.includes(`rps is ${JSON.stringify(text)}, no number`), refused[0].reason);
  }
});

logs.run();

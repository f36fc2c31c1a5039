import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigInvalid } from '../../actors/contracts/errors.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import { memoryBroker } from '../../cloud/bus/memory.ts';
import { readUpOptions } from '../../cloud/config.ts';
import { memoryIndex } from '../../cloud/index/memory.ts';
import { startIngest } from '../../cloud/ingest/pipeline.ts';
import { ruleMaker } from '../../cloud/ingest/rows.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { removeFolder, scratchFolder } from '../kit/farm-process.ts';

const userRules = suite('rules of a user’s own');

userRules('rows become documents of their own index; what cannot is a letter, and tried again', async () => {
  const broker = memoryBroker();
  const index = memoryIndex();
  const makers = [
    ruleMaker({ sql: "SELECT *, topic(2) as thing, clientid() as by FROM 'weather/+' WHERE celsius > -90", index: 'weather' }),
  ];
  const clock = new VirtualClock();
  const ingest = await startIngest({ bus: broker.connect('cloud'), index, clock, log: silentLog, disk: null, makers });
  const station = broker.connect('station-1');
  const say = (payload: unknown) =>
    station.publish('weather/mast-3', typeof payload === 'string' ? payload : JSON.stringify(payload), { qos: 1 });
  await say({ celsius: 11.5, ts: '2025-12-31T10:00:00Z', wind: { mps: 7, from: 'NW' } });
  await say({ celsius: 11.5, ts: '2025-12-31T10:00:00Z', wind: { mps: 7, from: 'NW' } }); // told twice
  await say({ celsius: -300 });
  for (const bad of [
    '{',
    '7',
    { celsius: 1, list: [1] },
    { celsius: 1, 'odd name': 1 },
    { celsius: 1, a: { b: { c: { d: { e: { f: { g: { h: { i: { j: 1 } } } } } } } } } },
  ])
    await say(bad);
  await ingest.settled();
  const documents = await index.latest('weather');
  assert.is(documents.length, 1);
  const { id, ...fields } = documents[0];
  assert.match(id, /^[0-9a-f]{32}$/);
  assert.equal(fields, {
    at: Date.UTC(2025, 11, 31, 10),
    thing: 'mast-3',
    ts: '2025-12-31T10:00:00Z',
    celsius: 11.5,
    wind_mps: 7,
    wind_from: 'NW',
    by: 'station-1',
  });
  assert.is(ingest.counts().letters, 5);
  assert.ok(ingest.list().some(({ reason }) => reason.includes('list is an array')));
  await ingest.close();
});

userRules('are checked when the farm starts, each fault named', () => {
  const read = (rules: unknown) => readUpOptions({ rules }, {}, '/nowhere').rules;
  assert.is(read([{ sql: "SELECT * FROM 'a/#'", index: 'mine' }]).length, 1);
  for (const [rules, says] of [
    [[{ sql: "SELECT now() as t FROM 'a'", index: 'mine' }], /rules\.0\.sql: rule SQL, line 1, column 8/],
    [[{ sql: "SELECT * FROM 'a'", index: 'logs' }], /farm’s own/],
    [[{ sql: "SELECT * FROM 'a'", index: 'Mine!' }], /no name of an index/],
    [[{ sql: "SELECT * FROM 'a'" }], /rules\.0\.index/],
    [{ sql: 'x' }, /rules/],
  ] as const)
    assert.throws(
      () => read(rules),
      (error: unknown) => error instanceof ConfigInvalid && says.test(error.message),
      JSON.stringify(rules),
    );
});

userRules('in a file, each fault is told with its line', () => {
  const folder = scratchFolder();
  writeFileSync(
    join(folder, 'windfleet.config.yaml'),
    "turbines: 2\nrules:\n  - sql: SELECT * FROM 'a/#'\n    index: mine\n  - sql: SELECT * FROM 'b/#' WHERE\n    index: logs\n",
  );
  assert.throws(
    () => readUpOptions({}, {}, folder),
    (error: Error) =>
      /windfleet\.config\.yaml:5:10: rules\.1\.sql: rule SQL, line 1, column 26 .*a value is wanted/.test(error.message) &&
      /windfleet\.config\.yaml:6:12: rules\.1\.index: is an index of the farm’s own/.test(error.message),
  );
  removeFolder(folder);
});

userRules('two messages that say the same without a time are two, and one that is taken from the disk again is the same', async () => {
  const maker = ruleMaker({ sql: "SELECT * FROM 'weather/+'", index: 'weather' });
  const make = (payload: string, heardAt: number) => {
    const [document] = maker.make({ topic: 'weather/mast', payload: Buffer.from(payload), from: null, heardAt }).documents;
    return document.id;
  };
  assert.is.not(make('{"c":1}', 1), make('{"c":1}', 2));
  assert.is(make('{"c":1}', 1), make('{"c":1}', 1));
  assert.is(make('{"c":1,"ts":5}', 1), make('{"c":1,"ts":5}', 2), 'it says when: delivered twice it is one');
});

userRules.run();

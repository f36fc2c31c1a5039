import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bus } from '../../actors/contracts/bus.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import { openSpool } from '../../actors/spool.ts';
import { memoryDisk } from '../../twins/disk.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';

const spool = suite('spool');

/** A connection that can be away: QoS 1 then waits in the client, as MQTT's does, or is refused. */
function switchedBus({ refuses = false } = {}) {
  const got: string[] = [];
  let waiting: (() => void)[] = [];
  let isUp = true;
  const bus: Bus = {
    clientId: 'T-001',
    async publish(_, payload) {
      if (!isUp && refuses) throw new Error('no connection');
      if (!isUp) await new Promise<void>((up) => waiting.push(up));
      got.push(String(payload));
    },
    subscribe: async () => ({ close: async () => {} }),
    onReconnect: () => {},
    close: async () => {},
  };
  return {
    bus,
    got,
    down: () => {
      isUp = false;
    },
    up() {
      isUp = true;
      for (const one of waiting.splice(0)) one();
      waiting = [];
    },
  };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => String(from + i));

for (const refuses of [false, true]) {
  spool(
    `an outage delays messages and neither loses, doubles nor reorders them (${refuses ? 'refused' : 'waiting'} publications)`,
    async () => {
      const clock = new VirtualClock();
      const line = switchedBus({ refuses });
      const box = await openSpool({ thing: 'T-001', bus: line.bus, disk: memoryDisk(), clock, log: silentLog });
      const sendAll = async (from: number, to: number) => {
        for (const n of numbers(from, to)) {
          box.send('t', n);
          await clock.run(clock.now() + 500);
        }
      };

      await sendAll(1, 5);
      line.down();
      await sendAll(6, 40);
      assert.is(box.waiting, 35);
      line.up();
      box.flush();
      await sendAll(41, 45);
      await clock.run(clock.now() + 10_000);

      assert.equal(line.got, numbers(1, 45));
      assert.is(box.waiting, 0);
      assert.is(box.dropped, 0);
    },
  );
}

spool('a power cut in an outage loses what was sent in its last seconds at most', async () => {
  const clock = new VirtualClock();
  const line = switchedBus();
  const disk = memoryDisk();
  const before = await openSpool({ thing: 'T-001', bus: line.bus, disk, clock, log: silentLog });
  line.down();
  for (const n of numbers(1, 20)) {
    before.send('t', n);
    await clock.run(clock.now() + 500);
  }
  before.close();

  const after = switchedBus();
  const box = await openSpool({ thing: 'T-001', bus: after.bus, disk, clock, log: silentLog });
  box.flush();
  box.send('t', '21');
  await clock.run(clock.now() + 10_000);

  assert.equal(after.got, numbers(1, 21));
  assert.equal(await disk.list('spool'), []);
});

spool('a full share of the disk drops the oldest, and counts them', async () => {
  const clock = new VirtualClock();
  const line = switchedBus({ refuses: true });
  const disk = memoryDisk();
  const box = await openSpool({ thing: 'T-001', bus: line.bus, disk, clock, log: silentLog, maxBytes: 1_600 });
  line.down();
  for (const n of numbers(1, 500)) {
    box.send('t', n);
    await clock.run(clock.now() + 100);
  }
  const { dropped, waiting } = box;
  line.up();
  box.flush();
  await clock.run(clock.now() + 20_000);

  assert.ok(dropped > 300, `${dropped}`);
  assert.is(dropped + waiting, 500);
  assert.equal(line.got, numbers(dropped + 1, 500));
});

for (const refuses of [false, true]) {
  spool(`what a full disk does not take waits in memory, in order (${refuses ? 'refused' : 'waiting'} publications)`, async () => {
    const clock = new VirtualClock();
    const line = switchedBus({ refuses });
    const full = memoryDisk();
    let isFull = true;
    const append: typeof full.append = (path, bytes) =>
      isFull ? Promise.reject(new Error('ENOSPC: no space left on device')) : full.append(path, bytes);
    const box = await openSpool({ thing: 'T-001', bus: line.bus, disk: { ...full, append }, clock, log: silentLog });
    const sendAll = async (from: number, to: number) => {
      for (const n of numbers(from, to)) {
        box.send('t', n);
        await clock.run(clock.now() + 500);
      }
    };

    line.down();
    await sendAll(1, 20);
    line.up(); // before the disk takes any
    await sendAll(21, 40);
    line.down();
    await sendAll(41, 60);
    isFull = false; // before the line does
    await sendAll(61, 80);
    line.up();
    box.flush();
    await clock.run(clock.now() + 20_000);

    assert.equal(line.got, numbers(1, 80));
    assert.is(box.dropped, 0);
    assert.is(box.waiting, 0);
    assert.equal(await full.list('spool'), []);
  });
}

spool('a disk that takes nothing for long loses the oldest telemetry, counts it, and stops nothing', async () => {
  const clock = new VirtualClock();
  const line = switchedBus({ refuses: true });
  const disk = { ...memoryDisk(), append: () => Promise.reject(new Error('ENOSPC: no space left on device')) };
  const box = await openSpool({ thing: 'T-001', bus: line.bus, disk, clock, log: silentLog });
  line.down();
  for (const n of numbers(1, 1_500)) box.send('t', n);
  await clock.run(3_000);
  line.up();
  await clock.run(20_000);
  box.send('t', '1501');
  await clock.run(40_000);

  assert.is(box.dropped, 500);
  assert.equal(line.got, numbers(501, 1_501));
});

spool('a line that a power cut tore off is left out', async () => {
  const clock = new VirtualClock();
  const line = switchedBus();
  const disk = memoryDisk();
  await disk.write('spool/0000000001.jsonl', Buffer.from('["t","1"]\n["t","2"]\n["t","'));
  const box = await openSpool({ thing: 'T-001', bus: line.bus, disk, clock, log: silentLog });
  box.flush();
  await clock.run(1_000);
  assert.equal(line.got, ['1', '2']);
});

spool.run();

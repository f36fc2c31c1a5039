import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { paceClock } from '../../twins/time/pacer.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';

const time = suite('time');

time('timers of one instant run in the order in which they were asked for, chained ones in theirs', async () => {
  const clock = new VirtualClock();
  const ran: string[] = [];
  clock.setTimeout(() => ran.push('b'), 20);
  clock.setTimeout(() => {
    ran.push('a');
    clock.setTimeout(() => ran.push('a2'), 10);
  }, 10);
  clock.setTimeout(() => ran.push('c'), 20);
  clock.clearTimeout(clock.setTimeout(() => ran.push('never'), 15));
  await clock.run(20);
  assert.equal(ran, ['a', 'b', 'c', 'a2']);
  assert.is(clock.now(), 20);
});

time('time does not pass an instant before the work that is due then has settled', async () => {
  const clock = new VirtualClock();
  const seen: string[] = [];
  let finish: (value: string) => void = () => {};
  const slow = new Promise<string>((done) => (finish = done));
  clock.until(50, slow).then((value) => seen.push(`${value} at ${clock.now()}`));
  clock.until(50, Promise.reject(new Error('broke'))).catch((error: Error) => seen.push(`${error.message} at ${clock.now()}`));
  clock.setTimeout(() => seen.push('later'), 51);
  const running = clock.run(100);
  await new Promise((rested) => setTimeout(rested, 5));
  assert.equal(seen, []);
  finish('done');
  await running;
  assert.equal(seen, ['done at 50', 'broke at 50', 'later']);
});

time('a timer that throws does not cost the others of its instant', async () => {
  const clock = new VirtualClock();
  let ran = 0;
  clock.setTimeout(() => {
    throw new Error('defect');
  }, 10);
  clock.setTimeout(() => ran++, 10);
  await clock.run(10).then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, 'defect'),
  );
  assert.is(ran, 1);
});

/** A wall whose time passes only where somebody waits for it. */
function fakeWall() {
  let now = 0;
  return {
    now: () => now,
    pass: (ms: number) => (now += ms),
    setTimeout(run: () => void, delay: number) {
      now += delay;
      setImmediate(run);
      return 1;
    },
  };
}

time('the pacer keeps a clock beside the wall, and forgives what it is late by', async () => {
  const wall = fakeWall();
  const clock = new VirtualClock();
  let ticks = 0;
  const tick = () => {
    ticks++;
    if (ticks === 10) wall.pass(60_000); // the machine slept
    clock.setTimeout(tick, 50);
  };
  clock.setTimeout(tick, 50);
  await paceClock(clock, wall, { speed: 10, until: 10_000, signal: new AbortController().signal });
  assert.is(ticks, 200);
  assert.is(clock.now(), 10_000);
  assert.ok(wall.now() >= 61_000 - 300 && wall.now() < 62_000, `${wall.now()} ms of wall time`);
});

time('the pacer ends when it is told to', async () => {
  const ending = new AbortController();
  const clock = new VirtualClock();
  clock.setTimeout(() => ending.abort(), 500);
  await paceClock(clock, fakeWall(), { speed: 1, until: Infinity, signal: ending.signal });
  assert.ok(clock.now() >= 500 && clock.now() < 1_000);
});

time.run();

/** The broker under load that it cannot pass on: a slice of the lane `flood`, and the two ways in which aedes came to its end. */
import { connect } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { silentLog } from '../../actors/contracts/log.ts';
import { embeddedBroker } from '../../cloud/bus/embedded.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import { flood } from '../kit/flood.ts';
import { freePort } from '../kit/free-port.ts';
import { publishFrame, RawClient } from '../kit/raw-mqtt.ts';

const flooding = suite('bus flood');

async function openBroker(limits: Parameters<typeof embeddedBroker>[0]['limits'] = {}) {
  const broker = await embeddedBroker({ host: '127.0.0.1', port: await freePort(), wall: wallClock(), log: silentLog, limits });
  return {
    broker,
    async client(clientId: string, clean = true) {
      const client = new RawClient(connect(broker.address!.port, '127.0.0.1'));
      client.connect({ clientId, clean });
      const { sessionPresent } = await client.next('connack');
      return Object.assign(client, { sessionPresent });
    },
  };
}

flooding('200 clients and 20 000 messages behind a frozen subscriber: nothing ends, no job message is lost', async () => {
  const { report, heard, executions, succeeded, notified, slowNotified, counters, peakWaitingBytes } = await flood({
    clients: 200,
    messages: 100,
    devices: 10,
    jobs: 3,
  });

  assert.equal(report, { connected: 200, published: 20_000, atQos1: 10_000, acknowledged: 10_000 });
  assert.is(heard, 20_000);
  assert.equal([executions, succeeded], [30, 30]);
  assert.ok(notified >= 30);
  assert.is(slowNotified, notified); // the frozen one too, once it takes messages again
  assert.ok((counters['dropped.telemetry'] ?? 0) > 0); // and what was dropped for it has been counted
  assert.ok(peakWaitingBytes < 2e6, `${peakWaitingBytes} bytes waited`);
});

flooding('a frozen subscriber holds up nobody, and 30 000 messages that nobody hears do not end the process', async () => {
  const { broker, client } = await openBroker();
  const frozen = await client('frozen');
  frozen.subscribe([{ filter: 'flood/#', qos: 0 }]);
  await frozen.next('suback');
  frozen.socket.pause();
  const listener = await client('listener');
  listener.subscribe([{ filter: 'jobs/#', qos: 1 }]);
  await listener.next('suback');
  const publisher = await client('publisher');

  const big = publishFrame({ topic: 'flood/1', payload: Buffer.alloc(60_000), qos: 0 });
  for (let i = 0; i < 200; i++) publisher.socket.write(big); // aedes had a hundred places for messages on their way, all taken now
  const unheard = publishFrame({ topic: 'nobody/1', payload: 'x', qos: 0 });
  publisher.socket.write(Buffer.concat(Array.from({ length: 30_000 }, () => unheard))); // and called itself for each of these
  publisher.publish({ topic: 'jobs/1', payload: 'on time', qos: 1, messageId: 1 });

  await publisher.next('puback');
  assert.is((await listener.next('publish')).payload!.toString(), 'on time');
  assert.is(broker.clients().length, 3);
  await broker.close();
});

flooding('a client that takes nothing for too long is disconnected; its kept session is not', async () => {
  const { broker, client } = await openBroker({ drainMs: 100, socketBytes: 1_000 });
  const slow = await client('slow', false);
  slow.acknowledges = false;
  slow.subscribe([{ filter: 'work/#', qos: 1 }]);
  await slow.next('suback');
  slow.socket.pause();
  const publisher = await client('publisher');
  const payload = Buffer.alloc(50_000, 65);
  for (let i = 1; i <= 300; i++) publisher.publish({ topic: 'work/1', payload, qos: 1, messageId: i });
  assert.is(await publisher.count('puback', 300), 300);

  while (broker.clients().length > 1) await new Promise((turned) => setTimeout(turned, 20));
  assert.is(broker.counters()['closed.slow'], 1);
  const again = await client('slow', false);
  assert.ok(again.sessionPresent);
  assert.is(await again.count('publish', 300), 300); // every one, those that were on their way first
  slow.socket.destroy();
  await broker.close();
});

flooding('no more than the window is on its way, in order, and QoS 1 waits rather than goes', async () => {
  const { broker, client } = await openBroker({ inflight: 10 });
  const careful = await client('careful');
  careful.acknowledges = false;
  careful.subscribe([{ filter: 'a/#', qos: 1 }]);
  await careful.next('suback');
  const publisher = await client('publisher');
  for (let i = 1; i <= 25; i++) publisher.publish({ topic: 'a/1', payload: String(i), qos: 1, messageId: i });
  await publisher.count('puback', 25);

  assert.is(await careful.count('publish', 10), 10);
  const numbers: number[] = [];
  while (numbers.length < 25) {
    const { messageId, payload } = await careful.next('publish');
    numbers.push(Number(payload));
    careful.socket.write(Buffer.from([0x40, 2, messageId! >> 8, messageId! & 255]));
  }
  assert.equal(
    numbers,
    Array.from({ length: 25 }, (_, i) => i + 1),
  );
  await broker.close();
});

flooding('a session that cannot hold one more job message ends, so that its client learns of it', async () => {
  const { broker, client } = await openBroker({ keptMessages: 50 });
  const away = await client('away', false);
  away.subscribe([
    { filter: '$aws/things/+/jobs/notify', qos: 1 },
    { filter: 'data/#', qos: 1 },
  ]);
  await away.next('suback');
  away.socket.destroy();
  await away.ended();
  while (broker.clients().length > 0) await new Promise((turned) => setTimeout(turned, 5));

  for (let i = 0; i < 60; i++) await broker.announce('data/x', `${i}`); // telemetry at QoS 1: the oldest goes
  for (let i = 0; i < 50; i++) await broker.announce('$aws/things/T/jobs/notify', `${i}`);
  const back = await client('away', false);
  assert.ok(back.sessionPresent);
  assert.is(await back.count('publish', 100), 100);
  const got = back.got.flatMap(({ topic, payload }) => (topic ? `${topic} ${payload}` : []));
  assert.is(got[0], 'data/x 10');
  assert.is(broker.counters()['dropped.qos1'], 10);
  back.socket.destroy();
  while (broker.clients().length > 0) await new Promise((turned) => setTimeout(turned, 5));

  for (let i = 0; i < 51; i++) await broker.announce('$aws/things/T/jobs/notify', `${i}`);
  const last = await client('away', false);
  assert.not.ok(last.sessionPresent);
  assert.is(broker.counters()['closed.overflow'], 1);
  await broker.close();
});

flooding('a client whose requests are not answered is not read from; none of them is dropped', async () => {
  const { broker, client } = await openBroker({ openRequests: 8 });
  const open: (() => void)[] = [];
  let served = 0;
  broker.reserve('$aws/things/+/jobs/#', ({ topic }, from) => {
    served++;
    return new Promise<void>((answered) =>
      open.push(() => {
        broker.reply(from, `${topic}/accepted`, '{}');
        answered();
      }),
    );
  });
  const device = await client('T-1');
  for (let i = 1; i <= 40; i++) device.publish({ topic: `$aws/things/T-1/jobs/get`, payload: '', qos: 1, messageId: i });
  await device.count('puback', 8);
  await new Promise((turned) => setTimeout(turned, 50));
  assert.is(served, 8);
  while (served < 40 || open.length > 0) {
    for (const answer of open.splice(0)) answer();
    await new Promise((turned) => setTimeout(turned, 1));
  }
  assert.is(await device.count('publish', 40), 40);
  await broker.close();
});

flooding.run();

/**
 * MQTT clients in a process of their own that ask and wait for answers, some questions at once each.
 *
 *   fork('request-clients.js', [JSON.stringify(task)]) → one message: { seconds } for `requests` answers
 */
import { connect } from 'node:net';
import { publishFrame, RawClient } from './raw-mqtt.ts';

export interface RequestTask {
  readonly port: number;
  readonly connections: number;
  /** Questions at once of one connection. */
  readonly window: number;
  /** Of one connection. */
  readonly requests: number;
  /** `%` stands for the connection's number. */
  readonly topic: string;
  readonly payload: string;
  /** Where answers come only to those who subscribed. */
  readonly subscribe: string | null;
}

async function run(task: RequestTask, i: number): Promise<() => Promise<void>> {
  const client = new RawClient(connect(task.port, '127.0.0.1'));
  client.connect({ clientId: `asker-${i}` });
  await client.next('connack');
  if (task.subscribe) {
    client.subscribe([{ filter: task.subscribe.replace('%', String(i)), qos: 0 }]);
    await client.next('suback');
  }
  const question = publishFrame({ topic: task.topic.replace('%', String(i)), payload: task.payload, qos: 1 });
  return () =>
    new Promise((done) => {
      let asked = 0;
      let answered = 0;
      let rest: Buffer = Buffer.alloc(0);
      client.socket.removeAllListeners('data');
      client.socket.on('data', (chunk: Buffer) => {
        const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
        let at = 0;
        let answers = 0;
        while (at + 2 <= bytes.length) {
          let length = bytes[at + 1] & 127;
          let head = 2;
          if (bytes[at + 1] > 127) {
            if (at + 3 > bytes.length) break;
            length += bytes[at + 2] << 7; // answers are shorter than 16 kB
            head = 3;
          }
          if (at + head + length > bytes.length) break;
          if (bytes[at] >> 4 === 3) answers++;
          at += head + length;
        }
        rest = bytes.subarray(at);
        answered += answers;
        const more = Math.min(answers, task.requests - asked);
        asked += more;
        if (more > 0) client.socket.write(Buffer.concat(Array.from({ length: more }, () => question)));
        if (answered >= task.requests) {
          client.socket.destroy();
          done();
        }
      });
      asked = Math.min(task.window, task.requests);
      client.socket.write(Buffer.concat(Array.from({ length: asked }, () => question)));
    });
}

if (process.send) {
  const task = JSON.parse(process.argv[2]) as RequestTask;
  const ready = await Promise.all(Array.from({ length: task.connections }, (_, i) => run(task, i)));
  const began = process.hrtime.bigint();
  await Promise.all(ready.map((go) => go()));
  process.send({ seconds: Number(process.hrtime.bigint() - began) / 1e9 });
  process.disconnect();
}

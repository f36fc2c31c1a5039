/**
 * Many MQTT clients in a process of their own, all publishing as fast as the broker takes it. Half of them at QoS 1, which wait
 * for every PUBACK before they leave.
 *
 *   fork('flood-clients.js', [JSON.stringify({ port, clients, messages, bytes })]) → one message: what they did
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { publishFrame, RawClient } from './raw-mqtt.ts';

export interface FloodReport {
  readonly connected: number;
  readonly published: number;
  readonly atQos1: number;
  readonly acknowledged: number;
}

interface Task {
  readonly port: number;
  readonly clients: number;
  readonly messages: number;
  readonly bytes: number;
}

async function one(i: number, { port, messages, bytes }: Task): Promise<FloodReport> {
  const client = new RawClient(connect(port, '127.0.0.1'));
  client.connect({ clientId: `flood-${i}` });
  const { code } = await client.next('connack');
  if (code !== 0) return { connected: 0, published: 0, atQos1: 0, acknowledged: 0 };
  const qos = i % 2 === 0 ? 1 : 0;
  const payload = Buffer.alloc(bytes, 65);
  for (let n = 1; n <= messages; n++) {
    payload.writeUInt32BE(i, 0);
    payload.writeUInt32BE(n, 4);
    if (!client.socket.write(publishFrame({ topic: `wind-turbine/logs/F-${i}`, payload, qos, messageId: n })))
      await once(client.socket, 'drain');
  }
  const acknowledged = qos === 1 ? await client.count('puback', messages) : 0;
  client.socket.end(Buffer.from([0xe0, 0]));
  await client.ended();
  return { connected: 1, published: messages, atQos1: qos === 1 ? messages : 0, acknowledged };
}

if (process.send) {
  const task = JSON.parse(process.argv[2]) as Task;
  const all = await Promise.all(Array.from({ length: task.clients }, (_, i) => one(i, task)));
  const sum = (of: keyof FloodReport) => all.reduce((total, report) => total + report[of], 0);
  process.send({ connected: sum('connected'), published: sum('published'), atQos1: sum('atQos1'), acknowledged: sum('acknowledged') });
  process.disconnect();
}

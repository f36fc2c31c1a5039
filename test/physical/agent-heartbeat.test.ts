import { createServer } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Log } from '../../actors/contracts/log.ts';
import { agentLog } from '../../physical/agent/agent-log.ts';
import { startHeartbeat } from '../../physical/agent/heartbeat.ts';
import type { Agent } from '../../physical/agent/server.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { eventually } from '../kit/farm-process.ts';
import { freePort } from '../kit/free-port.ts';

const heartbeat = suite('heartbeat of the edge agent');

function agentThat(): { agent: Agent; predict: () => void } {
  let predictions = 0;
  return {
    predict: () => predictions++,
    agent: {
      socket: '/tmp/x',
      counts: () => ({ predictions, refused: 0, capturesWaiting: 0, capturesStored: 0, capturesFailed: 0 }),
      models: () => [{ name: 'Wind-1-0', version: '1.1.0', predictions }],
      close: async () => {},
    },
  };
}

const lines: string[] = [];
const log = (clock: VirtualClock): Log => agentLog((line) => lines.push(line), clock, '0.1.0', false);

heartbeat('is posted with the model’s latest inference; a cloud that refuses is told of once', async () => {
  const bodies: { AgentVersion: string; DeviceName: string; Models: { ModelName: string; LatestInference?: number }[] }[] = [];
  let answer = 200;
  let heard = 0;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      assert.is(request.url, '/SendHeartbeat');
      bodies.push(JSON.parse(body));
      heard++;
      response.writeHead(answer).end();
    });
  });
  const port = await freePort();
  await new Promise<void>((listens) => server.listen(port, '127.0.0.1', listens));
  const clock = new VirtualClock();
  const { agent, predict } = agentThat();

  const stop = startHeartbeat(agent, {
    clock,
    log: log(clock),
    version: '0.1.0',
    device: 'jetson-1',
    fleet: 'farm',
    cloud: `http://127.0.0.1:${port}`,
  });
  await clock.run(30_000);
  await eventually(
    async () => heard,
    (n) => n === 1,
  );
  predict();
  answer = 503;
  await clock.run(60_000);
  await eventually(
    async () => heard,
    (n) => n === 2,
  );
  await clock.run(90_000);
  await eventually(
    async () => lines,
    (all) => heard === 3 && all.some((line) => line.includes('does not take heartbeats')),
  );
  stop();
  await clock.run(300_000);

  assert.equal([bodies[0].AgentVersion, bodies[0].DeviceName], ['0.1.0', 'jetson-1']);
  assert.is(bodies[0].Models[0].LatestInference, undefined);
  assert.is(bodies[1].Models[0].LatestInference, Math.floor(clock.epoch / 1_000) + 60);
  assert.is(bodies[2].Models[0].LatestInference, Math.floor(clock.epoch / 1_000) + 60, 'it has asked nothing since');
  assert.is(heard, 3);
  assert.is(lines.filter((line) => line.includes('does not take heartbeats')).length, 1);
  assert.match(lines[0], /^\{"version":"0\.1\.0"\}\[2026-01-01T00:00:30\.000\]\[I\] alive models=1 predictions=0/);
  server.close();
});

heartbeat.run();

/**
 * The oracle of ingestion under `kill -9`: a device publishes log messages with QoS 1 to `windfleet cloud`, a process that is killed at
 * random instants and started again on the same folder. Each message that was acknowledged must be in the index, each once.
 */
import { setTimeout as wait } from 'node:timers/promises';
import mqtt from 'mqtt';
import { createRng } from '../../twins/rng.ts';
import { removeFolder, scratchFolder, startCloud } from './farm-process.ts';
import { freePort } from './free-port.ts';
import { logMessage, RECORDS } from './log-messages.ts';

export interface IngestKills {
  readonly kills: number;
  readonly messages: number;
  readonly documents: number;
}

/** @throws Error when documents are lost or doubled */
export async function killIngest(kills: number, seed: number, say: (line: string) => void = () => {}): Promise<IngestKills> {
  const data = scratchFolder();
  const port = await freePort();
  const flags = ['--mqtt-port', String(port)];
  const rng = createRng(seed);
  let acknowledged = 0;
  let isOver = false;
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
    clientId: 'T-1',
    clean: true,
    reconnectPeriod: 50,
    connectTimeout: 2_000,
    manualConnect: true,
  });
  client.on('error', () => {}); // nobody answers while it is down
  try {
    let cloud = await startCloud(data, flags);
    client.connect();
    const publishing = (async () => {
      while (!isOver) {
        // a message that was on its way when the connection broke is sent again by the client itself
        await client.publishAsync('wind-turbine/logs/T-1', logMessage(acknowledged), { qos: 1 });
        acknowledged++;
      }
    })();
    for (let kill = 1; kill <= kills; kill++) {
      await wait(50 + 1_500 * rng.uniform(kill) ** 2); // soon after the start more often than not
      await cloud.stop('SIGKILL');
      cloud = await startCloud(data, flags);
      if (kill % 10 === 0) say(`${kill} kills, ${acknowledged} messages acknowledged`);
    }
    isOver = true;
    await publishing;
    await cloud.stop('SIGINT');
    cloud = await startCloud(data, flags);
    const ask = async (query: string) => (await (await fetch(`${cloud.url}/api/query?index=logs&${query}`)).json()) as { value: number }[];
    const [{ value: documents }] = await ask('agg=count');
    const [{ value: sum }] = await ask('agg=sum&field=arduino_timestamp');
    const letters = (await (await fetch(`${cloud.url}/api/dead-letters`)).json()) as unknown[];
    await cloud.stop('SIGINT');
    const wanted = acknowledged * RECORDS;
    if (documents !== wanted) throw new Error(`${documents} documents of ${wanted} records that were acknowledged`);
    if (sum !== (50 * wanted * (wanted - 1)) / 2) throw new Error(`their times add up to ${sum}: some are there twice, others not at all`);
    if (letters.length > 0) throw new Error(`${letters.length} dead letters`);
    return { kills, messages: acknowledged, documents };
  } finally {
    isOver = true;
    client.end(true);
    removeFolder(data);
  }
}

/**
 * The oracle of ingestion under `kill -9`: devices say things on three roads to `windfleet cloud`, a process that is killed at random
 * instants and started again on the same folder. What was answered must be in the index, each once: log messages by MQTT with QoS 1, by
 * HTTP as the original's application publishes them, and files of captures put by S3, every third of them twice.
 */
import { setTimeout as wait } from 'node:timers/promises';
import mqtt from 'mqtt';
import { CAPTURE_BUCKET } from '../../actors/contracts/capture.ts';
import { createRng } from '../../twins/rng.ts';
import { ask, type Key } from './aws-client.ts';
import { type FarmProcess, removeFolder, scratchFolder, startCloud } from './farm-process.ts';
import { freePort } from './free-port.ts';
import { captureLine, logMessage, RECORDS } from './log-messages.ts';
import { askS3 } from './s3-raw.ts';

export interface IngestKills {
  readonly kills: number;
  /** Answered: by MQTT, by HTTP, and files of captures. */
  readonly mqtt: number;
  readonly http: number;
  readonly files: number;
  readonly documents: number;
}

const LINES = 5; // captures a file
const PAUSE_MS = 20; // between two requests of a device

/** @throws Error when documents are lost or doubled */
export async function killIngest(kills: number, seed: number, say: (line: string) => void = () => {}): Promise<IngestKills> {
  const data = scratchFolder();
  const ports = { mqtt: await freePort(), http: await freePort() };
  const flags = ['--mqtt-port', String(ports.mqtt), '--port', String(ports.http)];
  const url = `http://127.0.0.1:${ports.http}`;
  const rng = createRng(seed);
  let isOver = false;
  const client = mqtt.connect(`mqtt://127.0.0.1:${ports.mqtt}`, {
    clientId: 'T-1',
    clean: true,
    reconnectPeriod: 50,
    connectTimeout: 2_000,
    manualConnect: true,
  });
  client.on('error', () => {}); // nobody answers while it is down
  try {
    let cloud = await startCloud(data, flags);
    const key = keyIn(cloud);
    /** Says it until it is answered, one after the other. @returns how many were */
    const road = async (tell: (n: number) => Promise<boolean>): Promise<number> => {
      let answered = 0;
      while (!isOver) {
        if (await tell(answered).catch(() => false)) answered++;
        await wait(PAUSE_MS);
      }
      return answered;
    };
    client.connect();
    const overMqtt = (async () => {
      let answered = 0;
      while (!isOver) {
        // a message that was on its way when the connection broke is sent again by the client itself
        await client.publishAsync('wind-turbine/logs/T-1', logMessage(answered), { qos: 1 });
        answered++;
      }
      return answered;
    })();
    const overHttp = road(async (n) => {
      const { status } = await ask(url, key, {
        service: 'iotdata',
        method: 'POST',
        path: '/topics/wind-turbine%2Flogs%2FT-2',
        body: logMessage(n),
      });
      return status === 200;
    });
    const files = road(async (n) => {
      const lines = Array.from({ length: LINES }, (_, i) => `${captureLine(n * LINES + i, 'T-3')}\n`).join('');
      for (let copy = 0; copy < (n % 3 === 0 ? 2 : 1); copy++) {
        const path = `/${CAPTURE_BUCKET}/wind_turbine_data/farm/m/2026/01/01/00/${n}-${copy}.jsonl`;
        if ((await askS3(url, key, { method: 'PUT', path, body: lines })).status !== 200) return false;
      }
      return true;
    });
    for (let kill = 1; kill <= kills; kill++) {
      await wait(50 + 1_500 * rng.uniform(kill) ** 2); // soon after the start more often than not
      await cloud.stop('SIGKILL');
      cloud = await startCloud(data, flags);
      if (kill % 10 === 0) say(`${kill} kills`);
    }
    isOver = true;
    const answered = { mqtt: await overMqtt, http: await overHttp, files: await files };
    await cloud.stop('SIGINT');
    cloud = await startCloud(data, flags);
    const value = async (query: string) => {
      const rows = (await (await fetch(`${cloud.url}/api/query?${query}`)).json()) as readonly { readonly value: number }[];
      return rows[0]?.value ?? 0;
    };
    let documents = 0;
    for (const [what, where, field, wanted, step] of [
      ['log records by MQTT', 'index=logs&where.thing=T-1', 'arduino_timestamp', answered.mqtt * RECORDS, 50],
      ['log records by HTTP', 'index=logs&where.thing=T-2', 'arduino_timestamp', answered.http * RECORDS, 50],
      ['captures', 'index=captures&where.thing=T-3', 'mean_pred_roll', answered.files * LINES, 1],
    ] as const) {
      const [count, sum] = [await value(`${where}&agg=count`), await value(`${where}&agg=sum&field=${field}`)];
      // what was on its way when the last answer was awaited may be there, too
      const spare = what.startsWith('captures') ? LINES : RECORDS;
      if (count < wanted || count > wanted + spare) throw new Error(`${count} documents of ${wanted} ${what} that were answered`);
      if (sum !== (step * count * (count - 1)) / 2) throw new Error(`${what} add up to ${sum}: some are there twice, others not at all`);
      documents += count;
    }
    const letters = (await (await fetch(`${cloud.url}/api/dead-letters`)).json()) as unknown[];
    await cloud.stop('SIGINT');
    if (letters.length > 0) throw new Error(`${letters.length} dead letters: ${JSON.stringify(letters[0])}`);
    return { kills, ...answered, documents };
  } finally {
    isOver = true;
    client.end(true);
    removeFolder(data);
  }
}

/** The owner's, as the cloud prints it when it starts. */
function keyIn({ output }: FarmProcess): Key {
  const said = (name: string) => new RegExp(`${name}=(\\S+)`).exec(output())?.[1] ?? '';
  return { accessKeyId: said('AWS_ACCESS_KEY_ID'), secretAccessKey: said('AWS_SECRET_ACCESS_KEY') };
}

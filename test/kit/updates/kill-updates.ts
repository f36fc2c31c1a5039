/**
 * The oracle of updates under `kill -9`: `windfleet cloud` and a process of many devices, both real, killed at random instants and started
 * again on the same folders. What is judged is the journal that the devices' process kept outside of the product's code, and what the job
 * service says at the end.
 */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isTerminal } from '../../../actors/contracts/jobs.ts';
import { MODEL_BUCKET } from '../../../actors/contracts/objects.ts';
import { createRng } from '../../../twins/rng.ts';
import { eventually, removeFolder, scratchFolder } from '../farm-process.ts';
import { askS3 } from '../s3-raw.ts';
import type { HostConfig } from './host.ts';
import { followJournal, judgeJournal } from './journal.ts';
import { type MortalCloud, mortalCloud, mortalHost } from './mortal-processes.ts';
import { createOracle, type Violation } from './oracle.ts';
import { type Orders, prepareOrders } from './orders.ts';

export interface KillOptions {
  readonly updates: number;
  /** 100 at most: so many targets a job has. */
  readonly turbines: number;
  /** Of the devices' process. */
  readonly kills: number;
  /** Of the cloud's. */
  readonly cloudKills: number;
  readonly seed: number;
  readonly mutant?: HostConfig['mutant'];
  /** Seconds after the last kill; then what has not ended is stuck. */
  readonly patience?: number;
  readonly said?: (line: string) => void;
}

export interface KillFigures {
  readonly updates: number;
  readonly bad: number;
  readonly kills: number;
  readonly cloudKills: number;
  /** Pointers replaced, as the journal has it. */
  readonly applied: number;
  /** Steps that a kill came in the middle of: the pointer's change had begun, and nobody saw it end. */
  readonly torn: number;
  readonly violations: readonly Violation[];
}

const BAD = 0.2;
const AHEAD = 2; // rounds that are ordered before they are needed
const BOOT_KILLS = 0.25; // of the kills: before the process is up

export async function killUpdates(options: KillOptions): Promise<KillFigures> {
  const { updates, turbines, kills, cloudKills, seed, mutant = null, patience = 120, said = () => {} } = options;
  const folder = scratchFolder();
  const rng = createRng(seed);
  const rounds = Math.ceil(updates / turbines);
  const orders = await prepareOrders(rounds + 1);
  const things = Array.from({ length: turbines }, (_, i) => `T-${String(i).padStart(3, '0')}`);
  const cloud = await mortalCloud(join(folder, 'cloud'));
  const host = mortalHost(folder, {
    url: cloud.url,
    mqtt: cloud.mqtt,
    folder: join(folder, 'devices'),
    journal: join(folder, 'journal.jsonl'),
    things,
    key: orders.key.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    first: Buffer.from(orders.first).toString('base64'),
    answers: Object.fromEntries(orders.models),
    disagreeing: [...orders.disagreeing],
    mutant,
  });
  const oracle = createOracle();
  try {
    await fill(cloud, orders, things);
    await host.start();
    let [ordered, bad] = [0, 0];
    const { reported, lines } = followJournal(host.journal);

    const ordering = (async () => {
      for (let round = 0; round < rounds; round++) {
        await eventually(
          async () => ordered - reported(),
          (open) => open <= AHEAD * turbines,
          600,
        );
        const dice = rng.fork(`round ${round}`);
        const byKind = new Map<string, string[]>();
        things.slice(0, updates - ordered).forEach((thing, i) => {
          const isBad = dice.uniform(2 * i) < BAD;
          const kind = isBad ? orders.kinds[1 + Math.floor((orders.kinds.length - 1) * dice.uniform(2 * i + 1))] : 'good';
          byKind.set(kind, [...(byKind.get(kind) ?? []), thing]);
          if (isBad) bad++;
          ordered++;
        });
        for (const [kind, targets] of byKind) {
          const { document, deserves } = orders.order(kind, round + 2);
          const jobId = `r${round}-${kind.replace(' ', '-')}`;
          for (const thing of targets) oracle.ordered(thing, jobId, deserves);
          const body = {
            targets: targets.map((thing) => `arn:aws:iot:us-east-1:000000000000:thing/${thing}`),
            document: JSON.stringify(document),
          };
          await cloud.insist('PUT', `/jobs/${jobId}`, JSON.stringify(body), [200, 409]); // 409: it was taken, and the answer was lost
        }
      }
    })();

    const killing = (async () => {
      const dice = rng.fork('kills');
      for (let kill = 1; kill <= kills; kill++) {
        if (dice.uniform(4 * kill) < BOOT_KILLS) await wait(1_500 * dice.uniform(4 * kill + 1));
        else {
          await host.isUp();
          const goal = (updates * kill) / (kills + 1);
          await eventually(
            async () => reported(),
            (n) => n >= goal || n >= updates - turbines,
            600,
          );
          await wait(400 * dice.uniform(4 * kill + 1));
        }
        await host.kill();
        await host.start();
        if (Math.floor((kill * cloudKills) / kills) > Math.floor(((kill - 1) * cloudKills) / kills)) await cloud.kill();
        if (kill % 10 === 0) said(`${kill} kills, ${ordered} ordered, ${reported()} reported`);
      }
    })();
    await Promise.all([ordering, killing]);

    await host.isUp();
    const left = async () => {
      let open = 0;
      for (const thing of things) open += (await cloud.executions(thing)).filter(({ status }) => !isTerminal(status)).length;
      return open;
    };
    await eventually(left, (open) => open === 0, patience).catch(() => {}); // the oracle says what is stuck
    await host.kill(); // what it shows at the end is what its disk says after one more boot
    await host.start();
    await host.isUp();
    const { applied, torn } = judgeJournal(lines(), oracle);
    await oracle.close(cloud.executions);
    return { updates: ordered, bad, kills, cloudKills, applied, torn, violations: oracle.violations };
  } finally {
    await host.stop();
    await cloud.stop();
    removeFolder(folder);
  }
}

/** Packages into the bucket, things into the registry. */
async function fill(cloud: MortalCloud, orders: Orders, things: readonly string[]): Promise<void> {
  for (const name of orders.packages) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of orders.objects.get(MODEL_BUCKET, name)) chunks.push(chunk);
    const path = `/${MODEL_BUCKET}/${name.split('/').map(encodeURIComponent).join('/')}`;
    const { status, text } = await askS3(cloud.url, cloud.key, { method: 'PUT', path, body: Buffer.concat(chunks) });
    if (status !== 200) throw new Error(`${name}: ${status} ${text}`);
  }
  for (const thing of things) await cloud.insist('POST', `/things/${thing}`, '{}', [200]);
}

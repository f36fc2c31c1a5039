import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Figure } from '../kit/bench.ts';
import { CLI, removeFolder, scratchFolder, startFarm } from '../kit/farm-process.ts';

/** From the start of the process to an answering console, on an empty data folder; the baseline is the process that only prints its version. */
export async function bench(): Promise<Figure[]> {
  const seconds = async (work: () => Promise<void>) => {
    const began = process.hrtime.bigint();
    await work();
    return Number(process.hrtime.bigint() - began) / 1e9;
  };
  const bare = await seconds(
    () => new Promise((done) => spawn(process.execPath, [CLI, '--version'], { stdio: 'ignore' }).on('close', () => done())),
  );
  const data = scratchFolder();
  let pid = 0;
  let stop = async () => {};
  const full = await seconds(async () => {
    const farm = await startFarm(data);
    pid = farm.child.pid ?? 0;
    stop = async () => void (await farm.stop());
    await fetch(`${farm.url}/healthz`);
  });
  await new Promise((rested) => setTimeout(rested, 20_000));
  const residentKb = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  await stop();
  removeFolder(data);
  return [
    {
      name: 'start',
      value: full,
      unit: 's until the console answers',
      baseline: { name: 'the bare process', value: bare, ratio: bare / full },
    },
    { name: 'memory', value: Number(residentKb) / 1_024, unit: 'MB resident, default farm after 20 s' },
  ];
}

/** Kills a process in the middle of a rollout, again and again, and looks into its store each time: nothing lost, doubled or undone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { isTerminal } from '../../actors/contracts/jobs.ts';
import type { Execution } from '../../cloud/jobs/executions.ts';
import { libsqlJobStore } from '../../cloud/jobs/libsql-store.ts';
import { countsOf } from '../../cloud/jobs/record.ts';
import { createRng } from '../../twins/rng.ts';

export interface KillFigures {
  readonly kills: number;
  readonly rollouts: number;
  readonly acknowledged: number;
}

/** @throws when a promise is broken. @param said told of each kill */
export async function killRollouts(
  kills: number,
  things: number,
  seed: number,
  said: (line: string) => void = () => {},
): Promise<KillFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'windfleet-kill-'));
  const dice = createRng(seed);
  let rollouts = 0;
  let acknowledged = 0;
  let run = newRun(join(folder, 'rollout-0.db'), things);
  try {
    for (let kill = 0; kill < kills; kill++) {
      const done = await run.live(Math.floor(dice.uniform(kill) * 500));
      const { running, terminal } = run.check();
      said(`kill ${kill + 1}: ${terminal} terminal, ${running} running, ${run.acknowledged} acknowledged`);
      if (!done) continue;
      assert.is(terminal >= things && running === 0, true, 'a rollout that says it is done is done');
      acknowledged += run.acknowledged;
      rollouts++;
      run = newRun(join(folder, `rollout-${rollouts}.db`), things);
    }
    return { kills, rollouts: rollouts + 1, acknowledged: acknowledged + run.acknowledged };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function newRun(file: string, things: number) {
  const heard = new Map<string, { readonly version: number; readonly status: string }>(); // latest acknowledgement an execution
  const settled = new Map<string, string>(); // terminal ones, as an earlier look found them
  let created = false;
  let acknowledged = 0;

  return {
    get acknowledged() {
      return acknowledged;
    },
    /** Runs the process for so long from when it has opened its store. True when it was done before. */
    async live(forMs: number): Promise<boolean> {
      const child = spawn(process.execPath, [join(import.meta.dirname, 'job-rollout.js'), file, String(things)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const gone = once(child, 'close');
      let text = '';
      let done = false;
      let timer: NodeJS.Timeout | undefined;
      const hear = (line: string) => {
        if (line === 'open') timer = setTimeout(() => child.kill('SIGKILL'), forMs);
        else if (line === 'created') created = true;
        else if (line === 'done') done = true;
        else {
          const [thing, number, version, status] = line.split(' ');
          acknowledged++;
          heard.set(`${thing}#${number}`, { version: Number(version), status });
        }
      };
      child.stdout.on('data', (chunk: Buffer) => {
        const lines = (text + chunk).split('\n');
        text = lines.pop() ?? ''; // a last line that was cut off says nothing
        for (const line of lines) hear(line);
      });
      const [code, signal] = (await gone) as [number | null, string | null];
      clearTimeout(timer);
      assert.ok(signal === 'SIGKILL' || (code === 0 && done), `the process ended by itself with ${code}`);
      return done;
    },
    check(): { readonly running: number; readonly terminal: number } {
      const store = libsqlJobStore(file);
      const [record] = store.jobs();
      const all = record ? store.ofJob(record.key, { limit: -1 }) : [];
      store.close();
      assert.ok(record || !created, 'an acknowledged job is there');
      if (!record) return { running: 0, terminal: 0 };

      const counts = countsOf(record.state);
      assert.is(
        Object.values(counts).reduce((sum, n) => sum + n, 0),
        things,
        'counts sum to the targets',
      );
      const byThing = new Map<string, Execution[]>();
      for (const one of all) byThing.set(one.thing, [...(byThing.get(one.thing) ?? []), one]);
      assert.is(byThing.size + record.state.waiting, things, 'nobody is lost or doubled');
      const recounted: Record<string, number> = { QUEUED: record.state.waiting };
      for (const [thing, own] of byThing) {
        assert.equal(
          own.map(({ executionNumber }) => executionNumber),
          own.map((_, i) => i + 1),
          `attempts of ${thing}`,
        );
        assert.ok(
          own.slice(0, -1).every(({ status }) => isTerminal(status)),
          `${thing} has one live execution at most`,
        );
        const { status } = own[own.length - 1];
        recounted[status] = (recounted[status] ?? 0) + 1;
      }
      for (const [status, n] of Object.entries(counts)) assert.is(recounted[status] ?? 0, n, `the count of ${status}`);
      const stored = new Map(all.map((one) => [`${one.thing}#${one.executionNumber}`, one]));
      for (const [name, { version, status }] of heard) {
        const one = stored.get(name);
        assert.ok(one && one.versionNumber >= version, `${name} at version ${version} was acknowledged`);
        if (status !== 'IN_PROGRESS') assert.equal([one.status, one.versionNumber], [status, version], `${name} is final`);
      }
      for (const [name, was] of settled) {
        const one = stored.get(name);
        assert.is(`${one?.status} ${one?.versionNumber}`, was, `${name} was terminal`);
      }
      let terminal = 0;
      for (const [name, one] of stored)
        if (isTerminal(one.status)) {
          terminal++;
          settled.set(name, `${one.status} ${one.versionNumber}`);
        }
      return { running: all.length - terminal, terminal };
    },
  };
}

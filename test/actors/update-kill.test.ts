import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JobExecution } from '../../actors/contracts/jobs.ts';
import type { JournalLine } from '../kit/updates/host.ts';
import { judgeJournal } from '../kit/updates/journal.ts';
import { killUpdates } from '../kit/updates/kill-updates.ts';
import { createOracle } from '../kit/updates/oracle.ts';

const kills = suite('updates of processes that are killed');

kills(
  '60 updates of 20 devices through kill -9 of their process and of the cloud: each ends as it deserves, none applied twice',
  async () => {
    const { updates, applied, bad, violations } = await killUpdates({ updates: 60, turbines: 20, kills: 3, cloudKills: 1, seed: 3 });

    assert.equal(violations, []);
    assert.equal([updates, applied], [60, 60 - bad]);
  },
);

const committed = (jobId: string | null, model: string) => ({ jobId, model, executionNumber: jobId === null ? null : 1 });
const first = committed(null, 'light@1.0.0');
const second = committed('j', 'light@2.0.0');
const done = { jobId: 'j', executionNumber: 1, status: 'SUCCEEDED', statusDetails: {} } as const;
const thing = 'T';
const booted: JournalLine[] = [
  { kind: 'start' },
  { kind: 'boot', thing, committed: null },
  { kind: 'intent', thing, committed: first },
  { kind: 'pointer', thing },
  { kind: 'judges', thing, model: first.model },
];
const intends: JournalLine = { kind: 'intent', thing, committed: second };
const pointed: JournalLine = { kind: 'pointer', thing };
const judges: JournalLine = { kind: 'judges', thing, model: second.model };
const reports: JournalLine = { kind: 'report', thing, report: done };
/** A kill, and the next life, which finds that pointer. */
const killed = (found: typeof first, model = found.model): JournalLine[] => [
  { kind: 'start' },
  { kind: 'boot', thing, committed: found },
  { kind: 'judges', thing, model },
];

const journals: readonly { readonly name: string; readonly lines: readonly JournalLine[]; readonly found: readonly string[] }[] = [
  { name: 'an update without a kill', lines: [...booted, intends, pointed, judges, reports], found: [] },
  {
    name: 'a kill before the pointer has its name',
    lines: [...booted, intends, ...killed(first), intends, pointed, judges, reports],
    found: [],
  },
  { name: 'a kill after it, before anybody saw', lines: [...booted, intends, ...killed(second), reports], found: [] },
  {
    name: 'an update that is applied again after a kill',
    lines: [...booted, intends, ...killed(second), intends, pointed, judges, reports],
    found: ['twice', 'wrong'],
  },
  { name: 'a report before the model judges', lines: [...booted, intends, pointed, reports, judges], found: ['early'] },
  { name: 'a report without the model', lines: [...booted, reports], found: ['early', 'early'] },
  {
    name: 'a boot with another model than is committed',
    lines: [...booted, intends, ...killed(second, first.model), reports],
    found: ['dark', 'early', 'wrong'],
  },
  { name: 'a device that is not up again', lines: [...booted, intends, pointed, judges, reports, { kind: 'start' }], found: ['dark'] },
  { name: 'a report that was never made', lines: [...booted, intends, pointed, judges], found: ['lost'] },
];

for (const { name, lines, found } of journals)
  kills(`a journal is judged: ${name}`, async () => {
    const oracle = createOracle();
    oracle.ordered(thing, 'j', { status: 'SUCCEEDED', code: null, model: second.model });

    judgeJournal(lines, oracle);
    await oracle.close(async () => [{ ...done, thing } as unknown as JobExecution]);

    assert.equal(
      oracle.violations.map(({ check }) => check),
      found,
      JSON.stringify(oracle.violations),
    );
  });

kills.run();

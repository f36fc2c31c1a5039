import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createActor, fromPromise } from 'xstate';
import type { TurbineCommand } from '../../actors/contracts/backing.ts';
import type { Verdict } from '../../actors/contracts/verdict.ts';
import type { DeviceJob, Found, Outcome } from '../../actors/ota/job.ts';
import { otaMachine } from '../../actors/ota/machine.ts';
import { transitionTable, turbineChart } from '../../actors/turbine/chart.ts';
import { turbineMachine } from '../../actors/turbine/machine.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { packageRoot } from '../kit/package-root.ts';

const turbine = suite('turbine');

const bad: Verdict = { at: 0, model: 'anomaly@1.0.0', anomalous: true, score: 2.4, worst: 'roll', scores: { roll: 2.4 } };
const good: Verdict = { ...bad, anomalous: false, score: 0.3 };
const job = { jobId: 'j1', executionNumber: 1, document: {} };

/** A turbine whose rotor turns and whose model answers, on a clock of its own; its canary waits for `decide`. */
function inferringTurbine() {
  const clock = new VirtualClock();
  const commands: TurbineCommand[] = [];
  const asked: string[] = [];
  let decide: (verdict: Error | null) => void = () => {};
  const done = fromPromise<void, DeviceJob>(async () => {});
  const canary = fromPromise<void, DeviceJob>(
    () => new Promise((passed, failed) => (decide = (error) => (error ? failed(error) : passed()))),
  );
  const rollback = fromPromise<void, { job: DeviceJob; outcome: Outcome }>(async () => {});
  const report = fromPromise<void, { job: DeviceJob; outcome: Outcome }>(async ({ input }) => void asked.push(input.outcome.status));
  const accept = fromPromise<Found, DeviceJob>(async () => 'new');
  const update = otaMachine.provide({
    actors: { accept, download: done, verify: done, unpack: done, load: done, canary, commit: done, rollback, report },
  });
  const machine = turbineMachine.provide({ actors: { update } });
  const input = {
    thing: 'WT-001',
    command: (c: TurbineCommand) => void commands.push(c),
    forgetVerdict: () => {},
    askNextJob: () => void asked.push('next'),
  };
  const actor = createActor(machine, { clock, input }).start();
  actor.send({ type: 'rotor.turning' });
  actor.send({ type: 'model.ready', model: 'anomaly@1.0.0' });
  actor.send({ type: 'window.filled' });
  assert.equal(actor.getSnapshot().value, { inferring: 'healthy' });
  return { actor, clock, commands, asked, decide: (error: Error | null) => decide(error) };
}

turbine('trips when a bad verdict outlasts its patience', async () => {
  const { actor, clock, commands } = inferringTurbine();

  actor.send({ type: 'verdict.changed', verdict: bad });
  await clock.run(29_999);
  assert.equal(actor.getSnapshot().value, { inferring: 'suspect' });
  await clock.run(30_000);

  assert.equal(actor.getSnapshot().value, { faulted: 'tripped' });
  assert.equal(commands.at(-1), { type: 'stop' });
});

turbine('goes back to healthy when the verdict clears in time', async () => {
  const { actor, clock } = inferringTurbine();

  actor.send({ type: 'verdict.changed', verdict: bad });
  await clock.run(5_000);
  actor.send({ type: 'verdict.changed', verdict: good });
  await clock.run(120_000);

  assert.equal(actor.getSnapshot().value, { inferring: 'healthy' });
});

turbine('completes an update when the canary passes', async () => {
  const { actor, clock, asked, decide } = inferringTurbine();

  actor.send({ type: 'job.notify', job });
  await clock.run(1);
  assert.equal(actor.getSnapshot().value, { 'updating-model': 'healthy' });
  decide(null);
  await clock.run(2);

  assert.equal(actor.getSnapshot().value, { inferring: 'healthy' });
  assert.equal(asked, ['SUCCEEDED', 'next']);
});

turbine('trips during an update as it would without one', async () => {
  const { actor, clock, commands } = inferringTurbine();

  actor.send({ type: 'job.notify', job });
  await clock.run(1);
  actor.send({ type: 'verdict.changed', verdict: bad });
  await clock.run(30_001);

  assert.equal(actor.getSnapshot().value, { 'updating-model': 'tripped' });
  assert.equal(commands.at(-1), { type: 'stop' });
});

turbine('takes the job told while another one runs', async () => {
  const { actor, clock, decide } = inferringTurbine();

  actor.send({ type: 'job.notify', job });
  await clock.run(1);
  actor.send({ type: 'job.notify', job: { ...job, jobId: 'j2' } });
  decide(null);
  await clock.run(2);

  assert.is(actor.getSnapshot().context.job?.jobId, 'j2');
});

turbine('takes a retry of the job that failed', async () => {
  const { actor, clock, decide } = inferringTurbine();

  actor.send({ type: 'job.notify', job });
  await clock.run(1);
  decide(new Error('slow'));
  await clock.run(2);
  actor.send({ type: 'job.notify', job });
  assert.equal(actor.getSnapshot().value, { inferring: 'healthy' });
  actor.send({ type: 'job.notify', job: { ...job, executionNumber: 2 } });

  assert.equal(actor.getSnapshot().value, { 'updating-model': 'healthy' });
});

turbine('stays tripped when the link flickers', async () => {
  const { actor, clock } = inferringTurbine();

  actor.send({ type: 'verdict.changed', verdict: bad });
  await clock.run(30_000);
  actor.send({ type: 'backing.lost', cause: 'serial port closed' });
  actor.send({ type: 'backing.ready' });

  assert.equal(actor.getSnapshot().value, { faulted: 'tripped' });
});

turbine('takes a job when it has tripped, and stays tripped until an operator resets it', async () => {
  const { actor, clock, commands, asked, decide } = inferringTurbine();
  actor.send({ type: 'verdict.changed', verdict: bad });
  await clock.run(30_000);

  actor.send({ type: 'job.notify', job });
  await clock.run(30_001);
  assert.equal(actor.getSnapshot().value, { 'updating-model': 'tripped' });
  actor.send({ type: 'job.notify', job: { ...job, jobId: 'j2' } });
  decide(null);
  await clock.run(30_002);
  assert.is(actor.getSnapshot().context.job?.jobId, 'j2');
  actor.send({ type: 'model.ready', model: 'anomaly@1.1.0' });
  actor.send({ type: 'verdict.changed', verdict: good });
  decide(null);
  await clock.run(30_003);

  assert.equal(actor.getSnapshot().value, { faulted: 'tripped' });
  assert.equal(asked, ['SUCCEEDED', 'next', 'SUCCEEDED', 'next']);
  assert.ok(!commands.some(({ type }) => type === 'start'));
  actor.send({ type: 'operator.reset' });
  assert.equal(actor.getSnapshot().value, { inferring: 'healthy' });
  assert.equal(commands.slice(-2), [{ type: 'start' }, { type: 'derate', fraction: 1 }]);
});

turbine('is faulted when its backing is lost, and idle when it is back and still', () => {
  const { actor } = inferringTurbine();
  actor.send({ type: 'backing.lost', cause: 'serial port closed' });
  assert.equal(actor.getSnapshot().value, { faulted: 'lost' });
  actor.send({ type: 'rotor.still' });
  actor.send({ type: 'backing.ready' });
  assert.is(actor.getSnapshot().value, 'idle');
});

turbine('draws its chart from the machine itself', () => {
  const chart = turbineChart();
  assert.equal(
    chart.states.map(({ name }) => name),
    ['idle', 'spinning', 'inferring', 'updating-model', 'faulted'],
  );
  assert.match(transitionTable(chart), '| inferring.suspect | after patience |  | faulted.tripped |');
});

turbine('has the README’s table of transitions', () => {
  const readme = readFileSync(join(packageRoot(), 'README.md'), 'utf8');
  assert.ok(readme.includes(transitionTable()), `put this between the marks:\n${transitionTable()}`);
});

turbine.run();

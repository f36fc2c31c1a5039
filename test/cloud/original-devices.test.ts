import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { IndexedDocument } from '../../actors/contracts/index.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import { openFleetView } from '../../cloud/fleet-view.ts';
import { memoryBroker } from '../../cloud/bus/memory.ts';
import { verdictDocuments } from '../../cloud/original-devices.ts';

const devices = suite('devices of the original in the fleet');

const AT = Date.UTC(2026, 4, 31, 20);
const READINGS = '1200 512 2.19 2.06 70 -0.10 0.00 -0.01 0.99 0 0 1 0 0 16384 31.50 22.10 40.00 1013.20 1.10'.split(' ');

/** Six errors, the last feature's anomalous or not. */
const capture = (at: number, isAnomalous: boolean, thing = 'T-100'): IndexedDocument => ({
  id: `${thing} ${at}`,
  at,
  thing,
  model: 'Wind-1-0@1.0.0',
  mean_pred_roll: 0.5,
  anomaly_roll: 0,
  mean_pred_voltage: isAnomalous ? 1.8278718863353294 : 0.1,
  anomaly_voltage: isAnomalous ? 1 : 0,
});

async function openView() {
  const broker = memoryBroker();
  const met: string[] = [];
  const view = await openFleetView({ bus: broker.connect('cloud'), log: silentLog, met: (thing) => met.push(thing) });
  const device = broker.connect('device');
  const log = (thing: string, data: readonly string[], ts = '2026-05-31T20:00:00.000+00:00') =>
    device.publish(`wind-turbine/logs/${thing}`, JSON.stringify({ logs: [{ ts, data }] }));
  const state = { at: AT, state: 'idle', cause: 'start', machine: 'desk-turbine', backing: 'serial', model: null, update: null };
  return { view, met, device, log, state };
}

devices('what is only logged is a turbine that turns or stands; a line of another length says nothing', async () => {
  const { view, met, log } = await openView();
  await log('T-100', READINGS.slice(1));
  assert.equal(view.turbines(), []);

  await log('T-100', READINGS);
  const { state, machine, backing, channels, updatedAt } = view.turbine('T-100')!;
  assert.equal([state, machine, backing, channels['voltage'], updatedAt], ['spinning', 'desk-turbine', 'original', 70, AT]);
  await log('T-100', READINGS.with(2, '0.00'), '2026-05-31T20:00:01.000+00:00');
  assert.is(view.turbine('T-100')!.state, 'idle');
  assert.equal(met, ['T-100']);
});

devices('two anomalous captures in a row raise an alarm, two healthy ones clear it; old ones change nothing', async () => {
  const { view } = await openView();
  view.captured([capture(AT, true)]);
  assert.is(view.turbine('T-100')!.state, 'inferring.healthy');
  view.captured([capture(AT + 1_000, true), capture(AT + 1_000, false)]);
  const [alarm] = view.alarms();
  assert.equal([alarm.thing, alarm.feature, alarm.clearedAt], ['T-100', 'voltage', null]);
  assert.ok(Math.abs(alarm.score - 2) < 1e-9, `${alarm.score}`); // twice the threshold that the original ships
  assert.is(view.turbine('T-100')!.state, 'inferring.suspect');
  view.captured([capture(AT, true)]);
  assert.is(view.turbine('T-100')!.verdict!.at, AT + 1_000);
  view.captured([capture(AT + 2_000, false)]);
  assert.is(view.alarms()[0].clearedAt, AT + 2_000);
  view.captured([{ id: 'x', at: AT + 3_000, thing: 'T-100', model: 'of nothing' }]);
  assert.is(view.turbine('T-100')!.verdict!.at, AT + 2_000);
});

devices('a turbine that reports itself is left alone, and takes over what was made of its logs', async () => {
  const { view, device, log, state } = await openView();
  await log('T-7', READINGS);
  view.captured([capture(AT, true, 'T-7')]);
  await device.publish('windfleet/T-7/state', JSON.stringify(state));
  assert.equal([view.turbine('T-7')!.backing, view.turbine('T-7')!.verdict], ['serial', null]);
  view.captured([capture(AT + 1_000, true, 'T-7')]);
  await log('T-7', READINGS);
  assert.equal([view.turbine('T-7')!.state, view.turbine('T-7')!.channels, view.alarms()], ['idle', {}, []]);
});

devices('a capture is a document a feature, the device’s own word on each', () => {
  assert.equal(
    verdictDocuments(capture(AT, true)).map(({ id, feature, anomalous }) => [id, feature, anomalous]),
    [
      [`T-100 ${AT}:roll`, 'roll', false],
      [`T-100 ${AT}:voltage`, 'voltage', true],
    ],
  );
});

devices.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigInvalid } from '../../actors/contracts/errors.ts';
import { evaluatedMachine, evaluationChance } from '../../cloud/cli/evaluate/play.ts';
import { evaluationFleet } from '../../cloud/studio/evaluate/fleet.ts';
import { NORMAL_FAULTS, protocols, SEVERITIES } from '../../cloud/studio/evaluate/protocol.ts';

const fleets = suite('labelled fleets');

const MINUTE = 60_000;
const fleetOf = (seed: number, machine = 'desk-turbine') =>
  evaluationFleet(seed, evaluationChance(seed), machine, evaluatedMachine(machine).catalogue);
const turbinesOf = (seed: number, machine?: string) => fleetOf(seed, machine).groups.flatMap(({ turbines }) => turbines);

for (const machine of Object.keys(protocols)) {
  fleets(`${machine}: every fault stands at both severities on a turbine of its own, and more turbines have none`, () => {
    const { catalogue } = evaluatedMachine(machine);
    const turbines = turbinesOf(7, machine);
    const faulted = turbines.flatMap(({ episode }) => (episode ? [`${episode.fault} ${episode.severity}`] : []));

    const wanted = catalogue
      .map(({ name }) => name)
      .filter((name) => !NORMAL_FAULTS.includes(name))
      .flatMap((name) => SEVERITIES.map((severity) => `${name} ${severity}`));
    assert.equal([...faulted].sort(), [...wanted].sort());
    const normal = turbines.length - faulted.length;
    assert.ok(normal >= faulted.length);
    assert.ok((normal * fleetOf(7, machine).durationMs) / (60 * MINUTE) >= 40);
    const names = fleetOf(7, machine).groups.flatMap((group) => group.turbines.map(({ thing }) => thing));
    assert.is(new Set(names).size, names.length);
  });
}

fleets('the desk turbine suffers what the catalogue’s rows 1 to 19 give it, and not a stuck pitch', () => {
  const faults = new Set(turbinesOf(1).flatMap(({ episode }) => (episode ? [episode.fault] : [])));
  assert.is(faults.size, 21);
  assert.not(faults.has('pitch-stuck'));
  assert.not(faults.has('yaw-drift-jump'));
  assert.ok(new Set(turbinesOf(1, 'nrel-5mw').flatMap(({ episode }) => (episode ? [episode.fault] : []))).has('pitch-stuck'));
});

fleets('a fault begins after a healthy lead-in and lasts; a part of them come on in a ramp', () => {
  const episodes = [1, 2, 3, 4].flatMap((seed) => turbinesOf(seed).flatMap(({ episode }) => (episode ? [episode] : [])));
  const { durationMs } = fleetOf(1);

  for (const { onsetMs, overMs } of episodes) {
    assert.ok(onsetMs >= 10 * MINUTE && onsetMs % 50 === 0);
    assert.ok(durationMs - onsetMs >= 25 * MINUTE);
    assert.ok(overMs === 0 || (overMs >= 2 * MINUTE && overMs <= 6 * MINUTE));
  }
  const ramps = episodes.filter(({ overMs }) => overMs > 0).length / episodes.length;
  assert.ok(ramps > 0.1 && ramps < 0.4, `${ramps}`);
});

fleets('only normal turbines stop, start, are derated or lose their heading, and every command is taken back in its time', () => {
  const { groups, durationMs } = fleetOf(5);
  const habits = new Set<string>();

  for (const { turbines, schedule } of groups) {
    for (const [i, entry] of schedule.entries()) {
      const { episode, habit } = turbines[entry.row];
      habits.add(habit);
      if (i > 0) assert.ok(entry.at >= schedule[i - 1].at);
      if (entry.do === 'command') assert.is(episode, null);
      else if (episode === null) assert.is(entry.order.fault, 'yaw-drift-jump');
      else
        assert.equal(entry.order, {
          fault: episode.fault,
          severity: episode.severity,
          over: episode.overMs,
          ...(episode.channel === null ? {} : { channel: episode.channel }),
        });
    }
    for (const [row, { episode }] of turbines.entries())
      assert.is(schedule.filter((entry) => entry.do === 'fault' && entry.row === row && episode !== null).length, episode ? 1 : 0);
    const stops = schedule.filter((entry) => entry.do === 'command' && entry.command.type === 'stop');
    const starts = schedule.filter((entry) => entry.do === 'command' && entry.command.type === 'start');
    assert.is(stops.length, starts.length);
    assert.ok(stops.every(({ at }) => at < durationMs));
  }
  for (const habit of ['stops', 'derated', 'loses its heading', 'stops and is derated']) assert.ok(habits.has(habit), habit);
});

fleets('winds differ, within their ranges, and some have gusts, changes and wakes', () => {
  const { meanMps, turbulenceIntensity } = protocols['desk-turbine'];
  const { groups } = fleetOf(6);
  const means = groups.map(({ wind }) => wind.meanMps);

  assert.is(new Set(means).size, groups.length);
  assert.ok(Math.max(...means) - Math.min(...means) > 0.5 * (meanMps[1] - meanMps[0]));
  for (const { kind, wind } of groups) {
    assert.ok(wind.meanMps >= meanMps[0] && wind.meanMps <= meanMps[1]);
    if (kind !== 'woken')
      assert.ok(wind.turbulenceIntensity >= turbulenceIntensity[0] && wind.turbulenceIntensity <= turbulenceIntensity[1]);
  }
  const events = (wanted: string) => groups.filter(({ kind }) => kind === wanted).flatMap(({ wind }) => wind.events);
  assert.ok(events('gusty').length > 3 && events('gusty').every(({ kind }) => kind === 'gust'));
  assert.ok(events('changing').length > 3);
  const [woken] = groups.filter(({ kind }) => kind === 'woken');
  const deficits = woken.wind.events.flatMap((event) => (event.kind === 'ramp' ? [event.toMps / woken.wind.meanMps] : []));
  assert.ok(deficits.some((share) => share > 0.7 && share < 0.95) && deficits.includes(1)); // on and off the rotor
  assert.ok(fleetOf(6, 'nrel-5mw').groups.every(({ spacingDiameters }) => spacingDiameters === 5)); // wakes of its own
});

fleets('sensor faults visit every channel of the protocol over some seeds', () => {
  const { sensorChannels } = protocols['desk-turbine'];
  for (const fault of ['sensor-bias', 'sensor-stuck'])
    for (const severity of SEVERITIES) {
      const seen = [1, 2, 3].flatMap((seed) =>
        turbinesOf(seed).flatMap(({ episode }) => (episode?.fault === fault && episode.severity === severity ? [episode.channel] : [])),
      );
      assert.equal([...seen].sort(), [...sensorChannels].sort());
    }
});

fleets('a seed is always the same fleet, and another seed another', () => {
  assert.equal(fleetOf(11), fleetOf(11));
  assert.not.equal(fleetOf(11), fleetOf(12));
});

fleets('at most five faults are hidden, each with a reason, and none of them is held out', () => {
  for (const [machine, { hidden, heldOut, sensorChannels }] of Object.entries(protocols)) {
    const { catalogue, channels } = evaluatedMachine(machine);
    const names = catalogue.map(({ name }) => name);
    assert.ok(hidden.length <= 5);
    assert.is(heldOut.length, 4);
    for (const { fault, reason } of hidden) assert.ok(names.includes(fault) && reason.length > 20 && !heldOut.includes(fault));
    for (const fault of heldOut) assert.ok(names.includes(fault));
    for (const channel of sensorChannels)
      assert.ok(
        channels.some(({ name }) => name === channel),
        channel,
      );
  }
});

fleets('a machine without a protocol is named, with what is near', () => {
  assert.throws(
    () => evaluationFleet(1, evaluationChance(1), 'desk-turbin', []),
    (error: unknown) => error instanceof ConfigInvalid && /Did you mean desk-turbine/.test(error.message),
  );
});

fleets.run();

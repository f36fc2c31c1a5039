/** A twin's answer to a wind series, by the same steps as in a farm: rows of a CSV. */
import type { TwinMachine } from './library/machines.ts';
import { createPlant, PLANT_STEP_S, type PlantReading } from './plant.ts';
import { airDensity, STANDARD_DENSITY } from './wind/air.ts';
import { createNacelle } from './wind/nacelle.ts';
import type { WindSeries } from './wind/series.ts';

export const responseHeader =
  't,windMps,rotorRpm,generatorRpm,pitchDeg,powerKw,thrustKn,towerTopM,towerSideM,torqueKnm,aeroKw,yawErrorDeg,gearboxC,generatorC';

/** Steps a second, and so the most rows a second. */
export const RESPONSE_RATE_HZ = 1 / PLANT_STEP_S;

/**
 * The turbine starts where it would stand after long in the series' first wind, and is then stepped to the end of it; each step takes
 * the wind at its end. @param everySteps rows are that many steps apart; the first is the start.
 */
export function* respond(machine: TwinMachine, series: WindSeries, everySteps: number): Generator<string> {
  const plant = createPlant(machine, 1);
  const steps = Math.floor((series.toS - series.fromS) / PLANT_STEP_S + 1e-9);
  const nacelle = createNacelle(series.at(series.fromS).directionDeg);
  plant.settle(0, series.at(series.fromS).windMps);
  yield row(series.fromS, series.at(series.fromS).windMps, series.at(series.fromS).temperatureC, plant.read(0));
  for (let step = 1; step <= steps; step++) {
    const t = series.fromS + step / RESPONSE_RATE_HZ;
    const { windMps, directionDeg, temperatureC } = series.at(t);
    const yawErrorDeg = series.hasDirection ? nacelle.follow(directionDeg, PLANT_STEP_S) : 0;
    plant.step([windMps], series.hasTemperature ? airDensity(temperatureC) : STANDARD_DENSITY, yawErrorDeg);
    if (step % everySteps === 0) yield row(t, windMps, temperatureC, plant.read(0));
  }
}

function row(t: number, windMps: number, ambientC: number, r: PlantReading): string {
  const values = [
    r.rotorRpm,
    r.generatorRpm,
    r.pitchDeg,
    r.powerKw,
    r.thrustKn,
    r.towerTopM,
    r.towerSideM,
    r.torqueKnm,
    r.aeroKw,
    r.yawErrorDeg,
  ];
  return [Number(t.toFixed(6)), windMps, ...values, ambientC + r.gearboxK, ambientC + r.generatorK].join(',');
}

/** The stories of the package, by name. */
import type { Scenario } from './dsl.ts';
import anemometerDriftVersusRotorFault from './library/anemometer-drift-versus-rotor-fault.ts';
import bearingWear from './library/bearing-wear.ts';
import brokerRestartStorm from './library/broker-restart-storm.ts';
import brushWear from './library/brush-wear.ts';
import calmDay from './library/calm-day.ts';
import clockSkew from './library/clock-skew.ts';
import corruptPackage from './library/corrupt-package.ts';
import deafModel from './library/deaf-model.ts';
import driftingModel from './library/drifting-model.ts';
import encoderLosesASlot from './library/encoder-loses-a-slot.ts';
import fullDiskInUpdate from './library/full-disk-in-update.ts';
import generatorWindingShort from './library/generator-winding-short.ts';
import goodRollout from './library/good-rollout.ts';
import gustFront from './library/gust-front.ts';
import icingNight from './library/icing-night.ts';
import linkOutageAndBackFill from './library/link-outage-and-back-fill.ts';
import looseMount from './library/loose-mount.ts';
import mixedFleet from './library/mixed-fleet.ts';
import nanModel from './library/nan-model.ts';
import powerCutInUpdate from './library/power-cut-in-update.ts';
import powerCutWhileDownloading from './library/power-cut-while-downloading.ts';
import slowModel from './library/slow-model.ts';
import triggerHappyModel from './library/trigger-happy-model.ts';
import updateUnderWay from './library/update-under-way.ts';

export const stories: Readonly<Record<string, Scenario>> = {
  'anemometer-drift-versus-rotor-fault': anemometerDriftVersusRotorFault,
  'bearing-wear': bearingWear,
  'broker-restart-storm': brokerRestartStorm,
  'brush-wear': brushWear,
  'calm-day': calmDay,
  'clock-skew': clockSkew,
  'corrupt-package': corruptPackage,
  'deaf-model': deafModel,
  'drifting-model': driftingModel,
  'encoder-loses-a-slot': encoderLosesASlot,
  'full-disk-in-update': fullDiskInUpdate,
  'generator-winding-short': generatorWindingShort,
  'good-rollout': goodRollout,
  'gust-front': gustFront,
  'icing-night': icingNight,
  'link-outage-and-back-fill': linkOutageAndBackFill,
  'loose-mount': looseMount,
  'mixed-fleet': mixedFleet,
  'nan-model': nanModel,
  'power-cut-in-update': powerCutInUpdate,
  'power-cut-while-downloading': powerCutWhileDownloading,
  'slow-model': slowModel,
  'trigger-happy-model': triggerHappyModel,
  'update-under-way': updateUnderWay,
};

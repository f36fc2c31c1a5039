/** 10 000 updates of real devices over real MQTT through 200 `kill -9` of their process and 20 of the cloud; then a device that applies twice. */
import { killUpdates } from '../kit/updates/kill-updates.ts';
import type { Lane } from './main.ts';

export const lane: Lane = async (said) => {
  const began = performance.now();
  const real = { updates: 10_000, turbines: 100, kills: 200, cloudKills: 20, seed: 1, said };
  const { updates, bad, kills, cloudKills, applied, torn, violations } = await killUpdates(real);
  if (violations.length > 0) throw new Error(violations.map(({ check, what }) => `${check}: ${what}`).join('\n'));
  if (applied !== updates - bad) throw new Error(`${applied} pointers were replaced for ${updates - bad} good packages`);
  const seconds = (performance.now() - began) / 1_000;

  const mutant = await killUpdates({ updates: 40, turbines: 10, kills: 1, cloudKills: 0, seed: 1, mutant: 'pointer twice' });
  if (!mutant.violations.some(({ check }) => check === 'twice')) throw new Error('a device that applies twice was not found');
  return [
    `${updates} updates, ${bad} of bad packages, ${kills} kills of the devices' process and ${cloudKills} of the cloud's in ${seconds.toFixed(0)} s`,
    `${applied} applied, none twice; ${torn} kills came while a pointer was being replaced; every device serves what it last applied`,
  ];
};

/** What rollouts ask of the catalogue, of the farm's key and of a machine's anemometer. It composes. */
import type { KeyObject } from 'node:crypto';
import type { ModelId } from '../actors/contracts/ids.ts';
import type { Millis } from '../actors/contracts/units.ts';
import type { ModelOrder } from '../actors/package/job-document.ts';
import { signGrant } from '../actors/package/rollback-grant.ts';
import type { Catalogue } from '../cloud/models/catalogue.ts';
import { deskTurbineParameters } from '../twins/library/desk-turbine.ts';

const GRANT_MS = 7 * 86_400_000; // for a device that is off to come back and heal

interface RolloutModels {
  readonly published: (id: string, to: string) => Promise<ModelOrder>;
  readonly granted: (id: ModelId, to: string) => Promise<ModelOrder>;
}

export function rolloutModels(catalogue: Catalogue, privateKey: KeyObject, now: () => Millis): RolloutModels {
  const published = async (id: string, to: string): Promise<ModelOrder> => {
    const model = await catalogue.show(id);
    const { name, version, bucket, key, sha256 } = model;
    const grantKey = await catalogue.granted(model, to, now());
    return { name, version, bucket, key, sha256, ...(grantKey === null ? {} : { grantKey }) };
  };
  return {
    published,
    async granted(id, to) {
      const order = await published(id, to);
      if (order.grantKey !== undefined) return order;
      const { name, version, sha256, manifest } = await catalogue.describe(id);
      const [issuedAt, expires] = [now(), now() + GRANT_MS].map((at) => new Date(at).toISOString());
      const { sequence } = manifest;
      const grant = { schema: 'windfleet.rollback-grant/v1', name, version, sequence, sha256, group: to, issuedAt, expires } as const;
      return { ...order, grantKey: await catalogue.grant(signGrant(grant, privateKey)) };
    },
  };
}

/** Of a utility machine its own channel; of a desk turbine the speed of its cups. */
export function windMpsOf(_machine: string, channels: Readonly<Record<string, number>>): number | null {
  const cups = channels['wind_speed_rps'];
  if (cups === undefined) return channels['windSpeedMps'] ?? null;
  const { anemometerRadiusM, anemometerFactor } = deskTurbineParameters;
  return cups * 2 * Math.PI * anemometerRadiusM * anemometerFactor;
}

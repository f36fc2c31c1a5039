/**
 * SageMaker Edge's register of devices (original-system.md §5.3), as far as an agent asks for it: who belongs to a fleet, and when
 * each was last heard of. Every thing is a device of the farm's own fleet without being registered.
 */
import { ThingRefused } from '../../actors/contracts/errors.ts';
import { isThingName } from '../../actors/contracts/ids.ts';
import type { Documents } from './documents.ts';
import { invalid, shown } from './names.ts';
import type { EdgeDevice, EdgeDevices, EdgeFleet, Registry } from './ports.ts';

export const FARM_FLEET = 'windturbine-farm'; // the fleet that the starter models are for
const NAME = /^[a-zA-Z0-9](-*_*[a-zA-Z0-9]){0,62}$/;
const CACHE_S = 3_600;
const MOST_MODELS = 50;

export interface EdgeDeviceTools {
  readonly documents: Documents;
  readonly now: () => number;
  readonly registry: Pick<Registry, 'has' | 'describe' | 'things'>;
}

export function openEdgeDevices({ documents, now, registry }: EdgeDeviceTools): EdgeDevices {
  const stored = documents.collection<EdgeDevice>('edge-device');
  const fleets = documents.collection<EdgeFleet>('edge-fleet');
  const keyOf = (deviceName: string, fleetName: string) => {
    for (const name of [deviceName, fleetName]) if (!NAME.test(name)) throw invalid(`${shown(name)} is no name of a device or fleet`);
    return `${fleetName}/${deviceName}`;
  };
  /** What a thing is without having been registered. */
  const implied = (thing: string): EdgeDevice => ({
    deviceName: thing,
    fleetName: FARM_FLEET,
    thing,
    description: '',
    registeredAt: registry.describe(thing).createdAt,
    latestHeartbeat: null,
    agentVersion: null,
    models: [],
  });
  const known = (deviceName: string, fleetName: string): EdgeDevice => {
    const found = stored.get(keyOf(deviceName, fleetName));
    if (found) return found;
    if (fleetName === FARM_FLEET && registry.has(deviceName)) return implied(deviceName);
    throw new ThingRefused('ResourceNotFound', `there is no device ${shown(deviceName)} in fleet ${shown(fleetName)}`);
  };

  return {
    async createFleet(fleet) {
      if (!NAME.test(fleet.fleetName)) throw invalid(`${shown(fleet.fleetName)} is no name of a fleet`);
      if (fleets.has(fleet.fleetName)) throw new ThingRefused('ResourceInUse', `there is a fleet ${fleet.fleetName} already`);
      fleets.put(fleet.fleetName, { ...fleet, createdAt: now() });
      await documents.saved();
    },
    describeFleet(fleetName) {
      const found = fleets.get(fleetName);
      if (!found) throw new ThingRefused('ResourceNotFound', `there is no fleet ${shown(fleetName)}`);
      return found;
    },
    fleets: () => [...fleets.values()].sort((a, b) => (a.fleetName < b.fleetName ? -1 : 1)),
    async removeFleet(fleetName) {
      const device = [...stored.values()].find((one) => one.fleetName === fleetName);
      if (device) throw new ThingRefused('ResourceInUse', `fleet ${fleetName} has devices, as ${device.deviceName}`);
      fleets.remove(fleetName);
      await documents.saved();
    },
    async register({ deviceName, fleetName, thing = deviceName, description = '' }) {
      const key = keyOf(deviceName, fleetName);
      if (!isThingName(thing)) throw invalid(`${shown(thing)} is no name of a thing`);
      const before = stored.get(key);
      const device = { latestHeartbeat: null, agentVersion: null, models: [], registeredAt: now(), ...before };
      stored.put(key, { ...device, deviceName, fleetName, thing, description });
      await documents.saved();
    },
    async deregister(deviceName, fleetName) {
      stored.remove(keyOf(deviceName, fleetName));
      await documents.saved();
    },
    describe: known,
    thingOf: (deviceName, fleetName) => stored.get(`${fleetName}/${deviceName}`)?.thing ?? deviceName,
    list(fleetName) {
      const registered = [...stored.values()].filter((device) => fleetName === undefined || device.fleetName === fleetName);
      const names = new Set(registered.map((device) => keyOf(device.deviceName, device.fleetName)));
      const own = fleetName === undefined || fleetName === FARM_FLEET ? registry.things() : [];
      const others = own.filter((thing) => !names.has(`${FARM_FLEET}/${thing}`)).map(implied);
      return [...registered, ...others].sort((a, b) => (a.deviceName < b.deviceName ? -1 : 1));
    },
    registration(deviceName, fleetName) {
      const { thing } = known(deviceName, fleetName);
      return {
        deviceRegistration: JSON.stringify({ deviceName, deviceFleetName: fleetName, iotThingName: thing }),
        cacheTtlSeconds: CACHE_S,
      };
    },
    async heartbeat({ deviceName, fleetName, agentVersion, models = [] }) {
      if (models.length > MOST_MODELS) throw invalid(`${models.length} models are more than ${MOST_MODELS}`);
      if (!/^[a-zA-Z0-9 ._-]{1,64}$/.test(agentVersion)) throw invalid(`${shown(agentVersion)} is no version of an agent`);
      stored.put(keyOf(deviceName, fleetName), { ...known(deviceName, fleetName), agentVersion, models, latestHeartbeat: now() });
      await documents.saved();
    },
  };
}

/** What of orders and packages this device lets in: from where, for whom, where to, and up or with leave to go down. */
import type { KeyObject } from 'node:crypto';
import type { Channel } from '../contracts/channels.ts';
import { ModelRejected } from '../contracts/errors.ts';
import { type ModelId, modelId, type ThingName } from '../contracts/ids.ts';
import type { ModelManifest } from '../contracts/model.ts';
import type { ObjectStore } from '../contracts/objects.ts';
import type { Millis } from '../contracts/units.ts';
import { type ModelOrder, parseJobDocument } from '../package/job-document.ts';
import { verifyGrant } from '../package/rollback-grant.ts';
import { compareVersions } from '../package/version.ts';
import { openWindowSource } from '../signal/source.ts';
import type { Installed } from './slots.ts';

export interface AdmissionPorts {
  readonly thing: ThingName;
  /** The machine that the body is. */
  readonly machine: string;
  /** The fleet that the device belongs to: packages name theirs. Null where it has not been told. */
  readonly fleet: string | null;
  /** Buckets that packages may come from. */
  readonly buckets: readonly string[];
  readonly channels: readonly Channel[];
  readonly objects: ObjectStore;
  readonly trustedKeys: readonly KeyObject[];
  /** The groups that it is in, as far as it knows: whom a leave to go down may be for, besides itself and `farm`. */
  readonly groups: () => readonly string[];
}

export interface Admission {
  /** @throws ModelRejected for a document that is no order, or one that leads to a bucket of others */
  readOrder(document: unknown): ModelOrder;
  /** @throws ModelRejected when an order without a grant does not lead up from what is committed */
  refuseOlder(order: ModelOrder, committed: Installed | null): void;
  /**
   * Whether a verified package may be installed here and now: name, place, and sequence.
   * @returns whether it goes down, with leave. @throws ModelRejected, VerificationRefused
   */
  admit(order: ModelOrder, manifest: ModelManifest, committed: Installed | null): Promise<boolean>;
}

const FARM = 'farm'; // every turbine
const GRANT_BYTES = 16 * 1024;

/** @param now epoch milliseconds of the device's clock */
export function createAdmission(ports: AdmissionPorts, now: () => Millis): Admission {
  const { thing, machine, fleet, buckets, channels, objects, trustedKeys, groups } = ports;

  const assertFits = (id: ModelId, manifest: ModelManifest) => {
    const refuse = (code: ModelRejected['reason'], why: string) => new ModelRejected(id, why, undefined, code);
    if (modelId(manifest.name, manifest.version) !== id)
      throw refuse('manifest.model', `the package holds ${manifest.name}@${manifest.version}`);
    if (fleet !== null && manifest.fleet !== fleet)
      throw refuse('manifest.fleet', `it is for fleet ${manifest.fleet}, this device belongs to ${fleet}`);
    const lacking = lackingChannels(manifest, channels);
    if (lacking.length > 0) throw refuse('manifest.channels', `it needs ${lacking.join(', ')}, which a ${machine} does not sense`);
    if (manifest.machine !== machine) throw refuse('manifest.machine', `it is for ${manifest.machine}, this is a ${machine}`);
    if (manifest.target !== 'any' && manifest.target !== process.arch)
      throw refuse('manifest.target', `it is compiled for ${manifest.target}, this is ${process.arch}`);
    openWindowSource(manifest.signal, channels, 1); // refuses what the data plane could not make windows by
  };

  const assertLeadsUp = (order: ModelOrder, committed: Installed) => {
    const [name, version] = committed.model.split('@');
    if (order.name === name && compareVersions(order.version, version) <= 0)
      throw new ModelRejected(
        modelId(order.name, order.version),
        `it is not newer than the installed ${committed.model}`,
        undefined,
        'job.older',
      );
  };

  return {
    readOrder(document) {
      const order = parseJobDocument(document);
      if (!buckets.includes(order.bucket))
        throw new ModelRejected(
          modelId(order.name, order.version),
          `bucket ${order.bucket} is none that this device may ask; it asks ${buckets.join(', ')}`,
          undefined,
          'store.foreign',
        );
      return order;
    },

    refuseOlder(order, committed) {
      if (committed && order.grantKey === undefined) assertLeadsUp(order, committed); // with a grant, the grant decides
    },

    async admit(order, manifest, committed) {
      const id = modelId(order.name, order.version);
      assertFits(id, manifest);
      const { name, version, sequence } = manifest;
      if (!committed) return false;
      if (sequence > committed.sequence) {
        assertLeadsUp(order, committed); // of a grant's order too: it is leave to go down by both
        return false;
      }
      if (order.grantKey === undefined)
        throw new ModelRejected(
          id,
          `its sequence ${sequence} is not above the installed ${committed.sequence}`,
          undefined,
          'manifest.sequence',
        );
      const wanted = { name, version, sequence, sha256: order.sha256, groups: [thing, FARM, ...groups()], now: now() };
      verifyGrant(await readGrant(objects, id, order.bucket, order.grantKey), trustedKeys, wanted);
      return true;
    },
  };
}

/** The grant that a job names. @throws ModelRejected when there is none, or it is too large to be one */
async function readGrant(objects: ObjectStore, id: ModelId, bucket: string, key: string): Promise<Uint8Array> {
  const head = await objects.head(bucket, key);
  if (!head) throw new ModelRejected(id, `there is no rollback grant ${key} in ${bucket}`, undefined, 'grant.refused');
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of objects.get(bucket, key)) {
    bytes += chunk.length;
    if (bytes > GRANT_BYTES)
      throw new ModelRejected(id, `the rollback grant ${key} has more than ${GRANT_BYTES} bytes`, undefined, 'grant.refused');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The channels that a model's features read and the body does not have, each once. */
const lackingChannels = ({ signal }: ModelManifest, channels: readonly Channel[]): string[] => [
  ...new Set(signal.features.flatMap((feature) => feature.channels).filter((name) => !channels.some((channel) => channel.name === name))),
];

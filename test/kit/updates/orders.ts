/**
 * What the oracle of updates orders, and what each order deserves. A good package leads one version up; a bad one is bad in one of ten
 * ways, and the code that it must be refused with is written here by hand, from the table of codes.
 */
import type { GoldenSamples } from '../../../actors/contracts/model.ts';
import { MODEL_BUCKET } from '../../../actors/contracts/objects.ts';
import type { UpdateCode } from '../../../actors/contracts/update-codes.ts';
import { printJobDocument } from '../../../actors/package/job-document.ts';
import { generateKey, type SigningKey } from '../../../cloud/models/keys.ts';
import { memoryObjects } from '../../../cloud/objects/memory.ts';
import { createRng } from '../../../twins/rng.ts';
import { lightPackage, withWrongGolden } from '../light-package.ts';
import { modelAround, type NetworkModel } from '../network-model.ts';
import { denseNetwork } from '../reference-network.ts';

/** How an execution must end. */
export interface Deserved {
  readonly status: 'SUCCEEDED' | 'FAILED';
  /** Null for what succeeds. */
  readonly code: UpdateCode | null;
  /** The model that it brings, `light@4.0.0`: what must serve when it has succeeded. */
  readonly model: string;
}

export interface Order {
  /** `good`, or in which way it is bad. */
  readonly kind: string;
  readonly document: Readonly<Record<string, unknown>>;
  readonly deserves: Deserved;
}

export interface Orders {
  readonly key: SigningKey;
  /** Signs, and no device trusts it. */
  readonly stranger: SigningKey;
  readonly objects: ReturnType<typeof memoryObjects>;
  /** The package that devices start with: version 1.0.0. */
  readonly first: Uint8Array;
  readonly kinds: readonly string[];
  /** Every model that may be installed, and what it must answer. */
  readonly models: ReadonlyMap<string, GoldenSamples>;
  /** Names of packages in the bucket of models. */
  readonly packages: readonly string[];
  /** @param version 2 … the most; 1 is what devices start with */
  order(kind: string, version: number): Order;
  /** Models whose canary finds that they disagree. */
  readonly disagreeing: ReadonlySet<string>;
}

/** The model of each version, with weights of its own: told apart by what it answers. */
const modelOf = (version: number): NetworkModel => modelAround(denseNetwork(1, 4, [2], createRng(100 + version)));
const idOf = (version: string) => `light@${version}`;

/** @param most the highest version */
export async function prepareOrders(most: number): Promise<Orders> {
  const key = generateKey();
  const stranger = generateKey();
  const objects = memoryObjects();
  const orders = new Map<string, Order>();
  const models = new Map<string, GoldenSamples>();
  const disagreeing = new Set<string>();
  const packages: string[] = [];
  const first = lightPackage(key, '1.0.0', 1, undefined, modelOf(1)).bytes;
  models.set(idOf('1.0.0'), modelOf(1).golden);

  for (let n = 2; n <= most; n++) {
    const version = `${n}.0.0`;
    const model = modelOf(n);
    models.set(idOf(version), model.golden);
    const put = async (
      kind: string,
      packed: { readonly bytes: Uint8Array; readonly sha256: string },
      code: UpdateCode | null,
      change: Record<string, string | undefined> = {},
      as = version,
    ) => {
      const object = `light/${kind}-${n}.tar.gz`;
      await objects.put(MODEL_BUCKET, object, packed.bytes);
      packages.push(object);
      const told = printJobDocument({ name: 'light', version: as, bucket: MODEL_BUCKET, key: object, sha256: packed.sha256 });
      const document = Object.fromEntries(Object.entries({ ...told, ...change }).filter(([, value]) => value !== undefined));
      orders.set(`${kind} ${n}`, { kind, document, deserves: { status: code === null ? 'SUCCEEDED' : 'FAILED', code, model: idOf(as) } });
    };
    const good = lightPackage(key, version, n, undefined, model);
    await put('good', good, null);
    await put('golden answers', lightPackage(key, version, n, undefined, withWrongGolden(model)), 'golden.wrong');
    await put('stranger', lightPackage(stranger, version, n, undefined, model), 'signature.untrusted');
    await put('digest', good, 'download.digest', { sha256: 'a'.repeat(64) });
    await put('absent', good, 'store.absent', { model_package_key: 'light/none.tar.gz' });
    await put('bucket', good, 'store.foreign', { model_package_bucket: 'of-others' });
    await put('document', good, 'job.malformed', { model_package_bucket: undefined });
    await put(
      'other fleet',
      lightPackage(key, version, n, (manifest) => ({ ...manifest, fleet: 'elsewhere' }), model),
      'manifest.fleet',
    );
    await put('older', lightPackage(key, '0.9.0', 1, undefined, model), 'job.older', {}, '0.9.0');
    await put('low sequence', lightPackage(key, version, 1, undefined, model), 'manifest.sequence');
    // Of a version between two: it is told from the good one by its name.
    const between = `${n - 1}.5.0`;
    disagreeing.add(idOf(between));
    await put('canary', lightPackage(key, between, n, undefined, model), 'canary.disagrees', {}, between);
  }
  const kinds = [...new Set([...orders.values()].map(({ kind }) => kind))];
  return {
    key,
    stranger,
    objects,
    first,
    kinds,
    order(kind, version) {
      const found = orders.get(`${kind} ${version}`);
      if (!found) throw new Error(`no order ${kind} of version ${version}`);
      return found;
    },
    models,
    packages,
    disagreeing,
  };
}

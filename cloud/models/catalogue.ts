/** The published models: packages in the object store, immutable once they are there, verified before they get there. */
import type { KeyObject } from 'node:crypto';
import { didYouMean, ModelRejected, NotFound } from '../../actors/contracts/errors.ts';
import { type ModelId, modelId, parseModelId } from '../../actors/contracts/ids.ts';
import { MODEL_BUCKET, type ObjectStore } from '../../actors/contracts/objects.ts';
import { openModel, packageName } from '../../actors/package/package.ts';
import { compareVersions } from '../../actors/package/version.ts';

export interface PublishedModel {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly bucket: string;
  readonly key: string;
}

export interface Catalogue {
  /** @throws ModelRejected, VerificationRefused; ModelRejected too when that version is published with other bytes. */
  publish(bytes: Uint8Array): Promise<PublishedModel>;
  /** By name, the newest version first. */
  list(): Promise<readonly PublishedModel[]>;
  /** @throws NotFound */
  show(id: ModelId): Promise<PublishedModel>;
  /** The package itself. @throws NotFound */
  read(id: ModelId): Promise<Uint8Array>;
}

export function createCatalogue(objects: ObjectStore, trustedKeys: readonly KeyObject[]): Catalogue {
  const keyOf = (name: string, version: string) => `${name}/${name}-${version}.tar.gz`;

  const list = async (): Promise<PublishedModel[]> => {
    const heads = await objects.list(MODEL_BUCKET);
    return heads
      .flatMap(({ key, sha256, bytes, bucket }) => {
        const match = /^([^/]+)\/\1-(.+)\.tar\.gz$/.exec(key);
        return match && parseModelId(`${match[1]}@${match[2]}`) ? [{ name: match[1], version: match[2], sha256, bytes, bucket, key }] : [];
      })
      .sort((a, b) => (a.name === b.name ? compareVersions(b.version, a.version) : a.name < b.name ? -1 : 1));
  };

  const show = async (id: ModelId): Promise<PublishedModel> => {
    const models = await list();
    const model = models.find(({ name, version }) => modelId(name, version) === id);
    if (model) return model;
    const known = models.map(({ name, version }) => modelId(name, version));
    throw new NotFound(`no model ${id} is published.${didYouMean(id, known)}`, { hint: `published: ${known.join(', ') || 'none'}` });
  };

  return {
    async publish(bytes) {
      const { manifest } = openModel(bytes, { trustedKeys });
      const { name, version } = manifest;
      const key = keyOf(name, version);
      const before = await objects.head(MODEL_BUCKET, key);
      const head = before ?? (await objects.put(MODEL_BUCKET, key, bytes));
      const published = { name, version, sha256: head.sha256, bytes: head.bytes, bucket: MODEL_BUCKET, key };
      if (before && (before.bytes !== bytes.length || !Buffer.from(await read(objects, key)).equals(bytes)))
        throw new ModelRejected(
          modelId(name, version),
          `${packageName(manifest)} is published already with other bytes: a version never changes`,
        );
      return published;
    },
    list,
    show,
    read: async (id) => read(objects, (await show(id)).key),
  };
}

async function read(objects: ObjectStore, key: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of objects.get(MODEL_BUCKET, key)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

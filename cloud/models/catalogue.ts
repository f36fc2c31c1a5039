/**
 * The published models: packages in the object store, immutable once they are there, verified before they get there; the aliases
 * that move between them, and the leaves to go back to one.
 */
import type { KeyObject } from 'node:crypto';
import { didYouMean, FleetError, ModelRejected, NotFound, UsageError } from '../../actors/contracts/errors.ts';
import { isModelAlias, type ModelId, modelId, parseModelAlias, parseModelId } from '../../actors/contracts/ids.ts';
import type { ModelAlias, ModelManifest, RollbackGrant } from '../../actors/contracts/model.ts';
import { MODEL_BUCKET, type ObjectStore } from '../../actors/contracts/objects.ts';
import { sha256Hex } from '../../actors/package/digest.ts';
import { openModel, packageName } from '../../actors/package/package.ts';
import { grantKey, openGrant } from '../../actors/package/rollback-grant.ts';
import { compareVersions } from '../../actors/package/version.ts';
import { openAliases } from './aliases.ts';
import { readObject } from './read-object.ts';

export interface PublishedModel {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly bucket: string;
  readonly key: string;
}

/** With what its package says, which has been verified. */
export interface DescribedModel extends PublishedModel {
  readonly manifest: ModelManifest;
  /** Id of the trusted key that signed it. */
  readonly signedBy: string;
}

/** Wherever a model is named, an alias will do: `windturbine-anomaly@production`. */
export interface Catalogue {
  /** @throws ModelRejected, VerificationRefused; ModelRejected too when that version is published with other bytes. */
  publish(bytes: Uint8Array): Promise<PublishedModel>;
  /** By name, the newest version first. */
  list(): Promise<readonly PublishedModel[]>;
  /** What an id or an alias stands for now. @throws NotFound */
  resolve(id: string): Promise<ModelId>;
  /** @throws NotFound */
  show(id: string): Promise<PublishedModel>;
  /** @throws NotFound; VerificationRefused, ModelRejected when the package is none that is trusted any more */
  describe(id: string): Promise<DescribedModel>;
  /** The package itself. @throws NotFound */
  read(id: string): Promise<Uint8Array>;
  /** The published package of that name with the highest sequence; packages that are not trusted do not count. Null when there is none. */
  newest(name: string): Promise<DescribedModel | null>;
  /** By model and name; those that were removed too. */
  aliases(): Promise<readonly ModelAlias[]>;
  /** Lets an alias of a model's name point to it from now on. @param at ISO 8601. @throws NotFound for the model; UsageError for what is no alias, or looks like a version */
  setAlias(alias: string, id: string, at: string): Promise<ModelAlias>;
  /** @throws NotFound for an alias there is not */
  removeAlias(id: string, at: string): Promise<ModelAlias>;
  /** Lays a signed grant where devices find it. @returns its key in the bucket of the models. @throws VerificationRefused */
  grant(bytes: Uint8Array): Promise<string>;
  /** Grants for one version whose signature is trusted; they may have ended. */
  grants(model: Pick<PublishedModel, 'name' | 'version'>): Promise<readonly RollbackGrant[]>;
  /** Key of a grant for a model that covers a thing or group and has not ended; null when there is none. @param now epoch milliseconds */
  granted(model: PublishedModel, to: string, now: number): Promise<string | null>;
}

const FARM = 'farm'; // every turbine

export function createCatalogue(objects: ObjectStore, trustedKeys: readonly KeyObject[]): Catalogue {
  const aliases = openAliases(objects);
  const described = new Map<string, Promise<Pick<DescribedModel, 'manifest' | 'signedBy'>>>(); // by digest

  const list = async (): Promise<PublishedModel[]> => {
    const heads = await objects.list(MODEL_BUCKET);
    return heads
      .flatMap(({ key, sha256, bytes, bucket }) => {
        const match = /^([^/]+)\/\1-(.+)\.tar\.gz$/.exec(key);
        return match && sha256 !== null && parseModelId(`${match[1]}@${match[2]}`)
          ? [{ name: match[1], version: match[2], sha256, bytes, bucket, key }]
          : []; // a package that this catalogue did not put there is none of its own
      })
      .sort((a, b) => (a.name === b.name ? compareVersions(b.version, a.version) : a.name < b.name ? -1 : 1));
  };

  const resolve = async (id: string): Promise<ModelId> => {
    if (parseModelId(id)) return id;
    const asked = parseModelAlias(id);
    if (!asked)
      throw new NotFound(`${JSON.stringify(id)} is no model`, {
        hint: 'name one as windturbine-anomaly@1.1.0 or windturbine-anomaly@production',
      });
    const found = await aliases.read(asked.name, asked.alias);
    if (found?.version != null) return modelId(asked.name, found.version);
    const known = (await aliases.list()).filter(({ version }) => version !== null).map(({ name, alias }) => modelId(name, alias));
    throw new NotFound(`no model has the alias ${id}.${didYouMean(id, known)}`, { hint: `aliases: ${known.join(', ') || 'none'}` });
  };

  const show = async (id: string): Promise<PublishedModel> => {
    const wanted = await resolve(id);
    const models = await list();
    const model = models.find(({ name, version }) => modelId(name, version) === wanted);
    if (model) return model;
    const known = models.map(({ name, version }) => modelId(name, version));
    throw new NotFound(`no model ${wanted} is published.${didYouMean(wanted, known)}`, {
      hint: `published: ${known.join(', ') || 'none'}`,
    });
  };

  const open = async (model: PublishedModel): Promise<DescribedModel> => {
    const known =
      described.get(model.sha256) ??
      readObject(objects, MODEL_BUCKET, model.key).then((bytes) => {
        const { manifest, signedBy } = openModel(bytes, { trustedKeys });
        return { manifest, signedBy };
      });
    described.set(model.sha256, known);
    known.catch(() => described.delete(model.sha256));
    return { ...model, ...(await known) };
  };

  const grants = async ({ name, version }: Pick<PublishedModel, 'name' | 'version'>): Promise<readonly RollbackGrant[]> => {
    const heads = await objects.list(MODEL_BUCKET, `grants/${name}/${version}/`);
    const opened = await Promise.all(
      heads.map(async ({ key }) => {
        try {
          const grant = openGrant(await readObject(objects, MODEL_BUCKET, key), trustedKeys);
          return grantKey(grant) === key ? grant : null;
        } catch (error) {
          if (error instanceof FleetError) return null; // no device would take it either
          throw error;
        }
      }),
    );
    return opened.filter((grant) => grant !== null);
  };

  return {
    async publish(bytes) {
      const { manifest } = openModel(bytes, { trustedKeys });
      const { name, version } = manifest;
      const key = `${name}/${packageName(manifest)}`;
      const before = await objects.head(MODEL_BUCKET, key);
      const head = before ?? (await objects.put(MODEL_BUCKET, key, bytes));
      const published = { name, version, sha256: head.sha256 ?? sha256Hex(bytes), bytes: head.bytes, bucket: MODEL_BUCKET, key };
      if (before && (before.bytes !== bytes.length || !(await readObject(objects, MODEL_BUCKET, key)).equals(bytes)))
        throw new ModelRejected(
          modelId(name, version),
          `${packageName(manifest)} is published already with other bytes: a version never changes`,
        );
      return published;
    },
    list,
    resolve,
    show,
    describe: async (id) => open(await show(id)),
    read: async (id) => readObject(objects, MODEL_BUCKET, (await show(id)).key),
    async newest(name) {
      const models = (await list()).filter((model) => model.name === name);
      const opened = await Promise.all(
        models.map((model) =>
          open(model).catch((error: unknown) => {
            if (error instanceof FleetError) return null; // of another key, or damaged
            throw error;
          }),
        ),
      );
      return opened
        .filter((model) => model !== null)
        .reduce<DescribedModel | null>((best, model) => (best && best.manifest.sequence >= model.manifest.sequence ? best : model), null);
    },

    aliases: () => aliases.list(),
    async setAlias(alias, id, at) {
      if (!isModelAlias(alias))
        throw new UsageError(`${JSON.stringify(alias)} is no alias: small letters, digits and inner dashes, 32 at most, a letter first`, {
          hint: /^\d/.test(alias) ? 'a number would be taken for a version' : 'as production',
        });
      const { name, version } = await show(id);
      return aliases.move(name, alias, version, at);
    },
    async removeAlias(id, at) {
      await resolve(id);
      const asked = parseModelAlias(id);
      if (!asked) throw new NotFound(`${id} is a version, not an alias`, { hint: 'versions are never removed' });
      return aliases.move(asked.name, asked.alias, null, at);
    },

    async grant(bytes) {
      const key = grantKey(openGrant(bytes, trustedKeys));
      await objects.put(MODEL_BUCKET, key, bytes);
      return key;
    },
    grants,
    async granted(model, to, now) {
      const fitting = (await grants(model)).filter(({ sha256, expires }) => sha256 === model.sha256 && Date.parse(expires) > now);
      const grant = fitting.find(({ group }) => group === to) ?? fitting.find(({ group }) => group === FARM);
      return grant ? grantKey(grant) : null;
    },
  };
}

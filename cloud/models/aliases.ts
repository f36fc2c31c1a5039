/**
 * Names that move from version to version, each one object beside the packages: `aliases/<model>/<alias>.json`, replaced as a
 * whole, so that whoever asks finds the old version or the new one. Every move is kept.
 */
import { z } from 'zod';
import { StoreUnavailable } from '../../actors/contracts/errors.ts';
import { isModelAlias } from '../../actors/contracts/ids.ts';
import type { ModelAlias } from '../../actors/contracts/model.ts';
import { MODEL_BUCKET, type ObjectStore } from '../../actors/contracts/objects.ts';
import { readObject } from './read-object.ts';

const Alias = z.strictObject({
  schema: z.literal('windfleet.alias/v1'),
  alias: z.string().refine(isModelAlias),
  name: z.string(),
  history: z.array(z.strictObject({ version: z.string().nullable(), at: z.iso.datetime() })).min(1),
});

export interface Aliases {
  /** All that there are or were, by model and name. */
  list(): Promise<readonly ModelAlias[]>;
  /** Null when there never was one. */
  read(name: string, alias: string): Promise<ModelAlias | null>;
  /** @param version null takes it away @param at ISO 8601 */
  move(name: string, alias: string, version: string | null, at: string): Promise<ModelAlias>;
}

const PREFIX = 'aliases/';

export function openAliases(objects: ObjectStore): Aliases {
  let tail: Promise<unknown> = Promise.resolve(); // one move after the other: none is lost from the history

  const readKey = async (key: string): Promise<ModelAlias | null> => {
    if ((await objects.head(MODEL_BUCKET, key)) === null) return null;
    const bytes = await readObject(objects, MODEL_BUCKET, key);
    try {
      const { alias, name, history } = Alias.parse(JSON.parse(bytes.toString('utf8')));
      return { alias, name, version: history[0].version, history };
    } catch (error) {
      throw new StoreUnavailable(`the alias ${key} in ${MODEL_BUCKET} is damaged`, {
        cause: error,
        hint: 'put it back from a copy, or delete the object and set the alias anew',
      });
    }
  };
  const read = (name: string, alias: string) => readKey(keyOf(name, alias));

  return {
    async list() {
      const heads = await objects.list(MODEL_BUCKET, PREFIX);
      const found = await Promise.all(heads.map(({ key }) => readKey(key)));
      return found.filter((one) => one !== null);
    },
    read,
    move(name, alias, version, at) {
      const turn = tail.then(async () => {
        const before = await read(name, alias);
        if (before?.version === version) return before; // said twice is no move
        const history = [{ version, at }, ...(before?.history ?? [])];
        await objects.put(
          MODEL_BUCKET,
          keyOf(name, alias),
          Buffer.from(JSON.stringify({ schema: 'windfleet.alias/v1', alias, name, history })),
        );
        return { alias, name, version, history };
      });
      tail = turn.catch(() => {});
      return turn;
    },
  };
}

const keyOf = (name: string, alias: string) => `${PREFIX}${name}/${alias}.json`;

/** A story's own models: each another one under a version of its own, with a sequence above all before it. It composes. */
import { parseModelId } from '../actors/contracts/ids.ts';
import { openModel, type PackModel, packModel } from '../actors/package/package.ts';
import type { Catalogue } from '../cloud/models/catalogue.ts';
import type { SigningKey } from '../cloud/models/keys.ts';
import type { ModelCopy } from './dsl.ts';

export async function publishCopies(
  copies: readonly ModelCopy[],
  catalogue: Catalogue,
  key: SigningKey,
  pack: PackModel = packModel,
): Promise<void> {
  for (const { model, like } of copies) {
    const { name, version } = parseModelId(model)!;
    const { manifest, ...contents } = openModel(await catalogue.read(like), { trustedKeys: [key.publicKey] });
    const newest = await catalogue.newest(name);
    const sequence = 1 + Math.max(newest?.manifest.sequence ?? 0, manifest.sequence);
    await catalogue.publish(pack({ ...contents, manifest: { ...manifest, name, version, sequence } }, key.privateKey).bytes);
  }
}

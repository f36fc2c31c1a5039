/** The starter models of the source tree: unsigned artefacts, which a data folder signs with its own key and publishes. */
import type { KeyObject } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ModelId, modelId } from '../../actors/contracts/ids.ts';
import { parseGolden, parseManifest } from '../../actors/package/manifest.ts';
import { type ModelContents, type PackModel, packModel } from '../../actors/package/package.ts';
import type { Catalogue } from './catalogue.ts';

/** The model that a turbine starts with, by its machine; one of the user's own has none until it is trained. */
export const FIRST_MODELS: ReadonlyMap<string, ModelId> = new Map([
  ['desk-turbine', modelId('windturbine-anomaly', '1.0.0')],
  ['nrel-5mw', modelId('nrel-5mw-anomaly', '1.0.0')],
]);

/** An unsigned model: a folder with `manifest.json` and the files it names. @throws ModelRejected */
export function readArtefacts(folder: string): ModelContents {
  const read = (file: string) => readFileSync(join(folder, file));
  const manifest = parseManifest(read('manifest.json'));
  return { manifest, network: read(manifest.network.file), golden: parseGolden(read(manifest.golden.file)) };
}

/** Publishes what is not published yet. @param pack as `packModel`, or one that remembers */
export async function publishStarters(catalogue: Catalogue, privateKey: KeyObject, pack: PackModel = packModel): Promise<void> {
  const published = new Set((await catalogue.list()).map(({ name, version }) => modelId(name, version)));
  for (const folder of starterFolders()) {
    const contents = readArtefacts(folder);
    if (!published.has(modelId(contents.manifest.name, contents.manifest.version)))
      await catalogue.publish(pack(contents, privateKey).bytes);
  }
}

/** Where the starter models lie, a folder each. */
export function starterFolders(): string[] {
  const folder = join(packageRoot(import.meta.dirname), 'cloud/models/starter');
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
}

/** The folder of package.json, wherever this file was compiled to. */
function packageRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : packageRoot(dirname(folder));
}

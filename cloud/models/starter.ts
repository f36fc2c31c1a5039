/** The starter models of the source tree: unsigned artefacts, which a data folder signs with its own key and publishes. */
import type { KeyObject } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { modelId } from '../../actors/contracts/ids.ts';
import { parseGolden, parseManifest } from '../../actors/package/manifest.ts';
import { type ModelContents, packModel } from '../../actors/package/package.ts';
import type { Catalogue } from './catalogue.ts';

/** The model that a desk turbine starts with. */
export const FIRST_MODEL = modelId('windturbine-anomaly', '1.0.0');

/** An unsigned model: a folder with `manifest.json` and the files it names. @throws ModelRejected */
export function readArtefacts(folder: string): ModelContents {
  const read = (file: string) => readFileSync(join(folder, file));
  const manifest = parseManifest(read('manifest.json'));
  return { manifest, network: read(manifest.network.file), golden: parseGolden(read(manifest.golden.file)) };
}

/** Publishes what is not published yet. */
export async function publishStarters(catalogue: Catalogue, privateKey: KeyObject): Promise<void> {
  const published = new Set((await catalogue.list()).map(({ name, version }) => modelId(name, version)));
  const folder = join(packageRoot(import.meta.dirname), 'cloud/models/starter');
  for (const name of readdirSync(folder).sort()) {
    const contents = readArtefacts(join(folder, name));
    if (!published.has(modelId(contents.manifest.name, contents.manifest.version)))
      await catalogue.publish(packModel(contents, privateKey).bytes);
  }
}

/** The folder of package.json, wherever this file was compiled to. */
function packageRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : packageRoot(dirname(folder));
}

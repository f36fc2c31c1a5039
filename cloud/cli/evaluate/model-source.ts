/** MODEL of `evaluate`: a published or starter model by its id, a package file, or an unpacked folder of artefacts. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { didYouMean, FileInvalid, FleetError, ModelRejected, NotFound, reasonOf } from '../../../actors/contracts/errors.ts';
import { modelId, parseModelAlias, parseModelId } from '../../../actors/contracts/ids.ts';
import { sha256Hex } from '../../../actors/package/digest.ts';
import { type ModelContents, openModel } from '../../../actors/package/package.ts';
import { objectsIn } from '../objects-in.ts';
import { createCatalogue } from '../../models/catalogue.ts';
import { trustedKeys } from '../../models/keys.ts';
import { readArtefacts, starterFolders } from '../../models/starter.ts';

/**
 * @param data the folder whose catalogue is looked into and whose key is trusted
 * @throws NotFound with near names, FileInvalid, ModelRejected, VerificationRefused
 */
export async function readModel(model: string, data: string): Promise<ModelContents> {
  if (existsSync(model))
    return statSync(model).isDirectory() ? readFolder(model) : openModel(readFileSync(model), { trustedKeys: trustedKeys(data) });
  if (!parseModelId(model) && /[/\\]|\.gz$/.test(model))
    throw new FileInvalid(`${model} is not there`, { hint: 'a package file, or a folder with manifest.json' });
  const starters = new Map(starterFolders().map((folder) => [basename(folder).replace(/-(\d+\.\d+\.\d+.*)$/, '@$1'), folder]));
  const catalogue = existsSync(data) ? createCatalogue(objectsIn(data), trustedKeys(data)) : null;
  const published = ((await catalogue?.list()) ?? []).map(({ name, version }) => modelId(name, version));
  if (catalogue && (published.includes(model) || parseModelAlias(model)))
    return openModel(await catalogue.read(model), { trustedKeys: trustedKeys(data) });
  const starter = starters.get(model);
  if (starter !== undefined) return readFolder(starter);
  const known = [...new Set([...published, ...starters.keys()])];
  throw new NotFound(`no model ${model}: it is neither published nor a file.${didYouMean(model, known)}`, {
    hint: `models: ${known.join(', ')}`,
  });
}

function readFolder(folder: string): ModelContents {
  try {
    const contents = readArtefacts(folder);
    const { manifest, network } = contents;
    const digest = sha256Hex(network);
    if (digest !== manifest.network.sha256)
      throw new ModelRejected(
        modelId(manifest.name, manifest.version),
        `${join(folder, manifest.network.file)} has SHA-256 ${digest}, its manifest says ${manifest.network.sha256}`,
      );
    return contents;
  } catch (error) {
    if (error instanceof FleetError) throw error;
    throw new FileInvalid(`${folder} is no folder of a model: ${reasonOf(error)}`, {
      cause: error,
      hint: 'it holds manifest.json and the files that this names, as `windfleet train` leaves them',
    });
  }
}

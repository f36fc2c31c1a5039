/** `windfleet model pack` and `model compile`. */
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { FileInvalid, reasonOf, UsageError } from '../../../actors/contracts/errors.ts';
import type { ModelManifest } from '../../../actors/contracts/model.ts';
import { onnxEngine, openNetwork } from '../../../actors/inference/onnx.ts';
import { sha256Hex } from '../../../actors/package/digest.ts';
import { packModel } from '../../../actors/package/package.ts';
import { openKey } from '../../models/keys.ts';
import { compileModel, type CompileReport, type Deviation, type Target } from '../../studio/compile.ts';
import type { ModelArtefacts } from '../../studio/export.ts';
import { readPrepared, writeArtefacts } from '../../studio/files.ts';
import { type Io, printFacts } from '../print.ts';
import { parseSeeds, playSeeds } from './evaluate.ts';
import { fits, named, nameOf, newestIn, readSource, type SourceFlags } from './model-source.ts';
import { instant } from './model-verify.ts';

export interface PackFlags extends SourceFlags {
  readonly out: string;
  readonly expires?: string;
  readonly json?: boolean;
}

export async function packFile(source: string, flags: PackFlags, io: Io): Promise<void> {
  const read = await readSource(source, flags, io);
  const expires = flags.expires === undefined ? read.manifest.expires : new Date(instant(flags.expires, '--expires')).toISOString();
  const artefacts = { ...read, manifest: { ...read.manifest, expires } };
  const { target, name: model, sequence } = artefacts.manifest;
  const newest = await newestIn(flags.data, model);
  if (newest && newest.version !== artefacts.manifest.version && newest.manifest.sequence >= sequence)
    io.err(
      `its sequence ${sequence} is not above that of the published ${model}@${newest.version}: no device would install it; --sequence ${newest.manifest.sequence + 1}`,
    );
  // What a device would refuse is not signed: the same check, and the golden samples, as if on its processor.
  const engine = onnxEngine(target === 'any' ? {} : { arch: target });
  await (await engine.load(artefacts.manifest, artefacts.network, artefacts.golden)).close();
  const { bytes, name, sha256: digest } = packModel(artefacts, openKey(flags.data).privateKey);
  const file = join(flags.out, name);
  await writeFile(file, bytes).catch((error: unknown) => {
    throw new FileInvalid(`${file} cannot be written: ${reasonOf(error)}`, { cause: error, hint: '--out names a folder that exists' });
  });
  const { manifest } = artefacts;
  const facts = { file, name: manifest.name, version: manifest.version, target, bytes: bytes.length, sha256: digest };
  printFacts(io, flags.json ?? false, facts, () => `${file}  ${bytes.length} bytes  sha256 ${digest}`);
}

export interface CompileFlags extends SourceFlags {
  readonly target: string;
  readonly int8?: boolean;
  /** Seeds to evaluate both on. */
  readonly evaluate?: string;
  readonly out?: string;
  readonly json?: boolean;
}

export async function compileFile(source: string, flags: CompileFlags, io: Io): Promise<void> {
  const target = targetOf(flags.target);
  const seeds = flags.evaluate === undefined ? null : parseSeeds(flags.evaluate);
  const artefacts = await readSource(source, flags, io, { name: nameOf(source), version: '1.0.0' });
  const prepared = flags.prepared === undefined ? null : await readPrepared(flags.prepared);
  const { artefacts: compiled, report } = await named(source, () =>
    compileModel(artefacts, {
      target,
      int8: flags.int8 ?? false,
      // As if on the target: what is proved here is that the graph gives the same answers; a device asks them again when it loads.
      open: (manifest, network) => openNetwork(manifest, network, { arch: target }),
      digest: sha256Hex,
      now: () => process.hrtime.bigint(),
      heldOut: prepared && fits(prepared, artefacts.manifest) ? prepared.heldOut : null,
    }),
  );
  const detection = seeds && (await detectionOf(artefacts, compiled, seeds, io));
  const out = flags.out ?? `${compiled.manifest.name}-${compiled.manifest.version}-${target}`;
  const kept = detection ? { ...compiled, manifest: withLoss(compiled.manifest, detection) } : compiled;
  await writeArtefacts(out, kept).catch((error: unknown) => {
    throw new FileInvalid(`${out} cannot be written: ${reasonOf(error)}`, { cause: error });
  });
  printFacts(io, flags.json ?? false, { out, ...report, detection }, () => described(out, report, detection));
}

const FIGURES = ['aucPrSevere', 'aucPrMild', 'aucPrHeldOut', 'falseAlarmsPerTurbineWeek'] as const;

/** Figures of `windfleet evaluate`, before and after; null where the fleets have too few windows to say. */
type Detection = Readonly<Record<(typeof FIGURES)[number], readonly [before: number | null, after: number | null]>> & {
  readonly seeds: string;
};

/** The same fleets, found faults in by both: here, whatever the target, since the graph is the same. */
async function detectionOf(before: ModelArtefacts, after: ModelArtefacts, seeds: readonly number[], io: Io): Promise<Detection> {
  const play = async ({ manifest, network, golden }: ModelArtefacts) =>
    (await playSeeds({ manifest: { ...manifest, target: 'any' }, network, golden }, seeds, availableParallelism(), io)).evaluation.overall;
  const [old, fresh] = [await play(before), await play(after)];
  const pairs = FIGURES.map((figure) => [figure, [old[figure], fresh[figure]]] as const);
  return {
    seeds: seeds.length === 1 ? `${seeds[0]}` : `${seeds[0]}-${seeds[seeds.length - 1]}`,
    ...(Object.fromEntries(pairs) as Omit<Detection, 'seeds'>),
  };
}

function withLoss(manifest: ModelManifest, { seeds, aucPrSevere: [before, after] }: Detection): ModelManifest {
  const loss = before === null || after === null ? {} : { compiledAucPrSevereLoss: before - after, compiledEvaluatedOn: seeds };
  return { ...manifest, lineage: { ...manifest.lineage, ...loss } };
}

function targetOf(text: string): Target {
  if (text === 'x64' || text === 'arm64') return text;
  throw new UsageError(`--target ${text} is no processor that models are compiled for`, { hint: 'x64 or arm64' });
}

function described(out: string, report: CompileReport, detection: Detection | null): string {
  const { model, target, int8, passes, nodes, macs, bytes, windowsPerSecond, golden, heldOut } = report;
  const change = (what: string, [before, after]: readonly [number, number], unit = '') =>
    `  ${what.padEnd(14)} ${Math.round(before)} → ${Math.round(after)}${unit}  (${(after / before).toFixed(2)}×)`;
  const proof = (what: string, { windows, max, mean, verdictsChanged }: Deviation) =>
    `  ${what.padEnd(14)} ${windows} windows: scores off by ${max.toExponential(1)} at most, ${mean.toExponential(1)} on average; ${(100 * verdictsChanged).toFixed(2)} % of the verdicts changed`;
  return [
    `${out}: ${model} compiled for ${target}${int8 ? ', weights in int8' : ''}`,
    ...Object.entries(passes).map(([pass, places]) => `  ${pass}: ${places}`),
    change('nodes', nodes),
    change('MAC a window', macs),
    change('bytes', bytes),
    change('windows/s here', windowsPerSecond),
    proof('golden', golden),
    ...(heldOut ? [proof('held out', heldOut)] : int8 ? ['  held out       not measured: --prepared DIR gives the windows'] : []),
    ...(detection
      ? FIGURES.map(
          (figure) => `  ${figure} on seeds ${detection.seeds}: ${detection[figure].map((x) => x?.toFixed(4) ?? '–').join(' → ')}`,
        )
      : int8
        ? ['  detection      not measured: --evaluate 1-2 plays labelled fleets with both (a minute a seed)']
        : []),
    `  sign it with \`windfleet model pack ${out}\``,
  ].join('\n');
}

/** Commands of the catalogue: `model publish`, `list`, `show`, `alias`, `grant-rollback`. Where a farm runs on the data folder, it is asked. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, isoDate } from '../../../actors/contracts/clock.ts';
import { didYouMean, NotFound, UsageError } from '../../../actors/contracts/errors.ts';
import { isThingName, modelId, parseModelAlias } from '../../../actors/contracts/ids.ts';
import type { ModelAlias, ModelLineage, RollbackGrant } from '../../../actors/contracts/model.ts';
import { parseDuration } from '../../../actors/contracts/units.ts';
import { signGrant } from '../../../actors/package/rollback-grant.ts';
import { wallClock } from '../../../physical/wall-clock.ts';
import { addressIn } from '../../../scenarios/data-folder.ts';
import { type Catalogue, createCatalogue, type DescribedModel, type PublishedModel } from '../../models/catalogue.ts';
import { openKey, trustedKeys } from '../../models/keys.ts';
import { lineageOf } from '../../models/lineage.ts';
import { storedJobs } from '../../models/stored-jobs.ts';
import { objectsIn } from '../objects-in.ts';
import { openApi } from '../api.ts';
import { type Io, printFacts, table } from '../print.ts';
import { readPackage } from './model-verify.ts';

export interface CatalogueFlags {
  readonly data: string;
  readonly cloud?: string;
  readonly json?: boolean;
}

/** Of a data folder; nothing is made in it. */
export const catalogueIn = (data: string): Catalogue => createCatalogue(objectsIn(data), trustedKeys(data));

/** Where to ask instead of the disk: the farm or cloud that was named, or that runs on the data folder. */
const farmOf = ({ data, cloud }: CatalogueFlags) => {
  const address = cloud ?? addressIn(data);
  return address === null ? null : openApi(address);
};

export async function publishFile(file: string, { data, json = false }: CatalogueFlags, io: Io): Promise<void> {
  const catalogue = catalogueIn(data);
  const bytes = await readPackage(file);
  const published = await catalogue.publish(bytes);
  const { name, version, sha256 } = published;
  const newest = await catalogue.newest(name);
  const { manifest } = await catalogue.describe(modelId(name, version));
  if (newest && newest.sha256 !== sha256 && manifest.sequence <= newest.manifest.sequence)
    io.err(
      `its sequence ${manifest.sequence} is not above that of ${modelId(name, newest.version)}, ${newest.manifest.sequence}: no device goes down to it without a grant`,
    );
  printFacts(io, json, { ...published, sequence: manifest.sequence }, () => `${modelId(name, version)} is published  sha256 ${sha256}`);
}

export async function listModels(flags: CatalogueFlags, io: Io): Promise<void> {
  const list = await readList(flags);
  printFacts(io, flags.json ?? false, list, () =>
    table(
      ['model', 'version', 'aliases', 'bytes', 'sha256'],
      list.map(({ name, version, aliases, bytes, sha256 }) => [
        name,
        version,
        aliases.join(', ') || '-',
        String(bytes),
        sha256.slice(0, 16),
      ]),
    ),
  );
}

type Listed = PublishedModel & { readonly aliases: readonly string[] };

async function readList(flags: CatalogueFlags): Promise<readonly Listed[]> {
  const farm = farmOf(flags);
  if (farm) return farm.get<Listed[]>('/api/models');
  const catalogue = catalogueIn(flags.data);
  const aliases = await catalogue.aliases();
  return (await catalogue.list()).map((model) => ({ ...model, aliases: aliasesOf(model, aliases) }));
}

const aliasesOf = ({ name, version }: PublishedModel, aliases: readonly ModelAlias[]) =>
  aliases.filter((one) => one.name === name && one.version === version).map(({ alias }) => alias);

type Shown = DescribedModel & {
  readonly aliases: readonly string[];
  readonly grants: readonly RollbackGrant[];
  readonly lineage: ModelLineage;
};

export async function showModel(id: string, flags: CatalogueFlags, io: Io): Promise<void> {
  const farm = farmOf(flags);
  const model = farm ? await farm.get<Shown>(`/api/models/${encodeURIComponent(id)}`) : await readModel(id, flags.data);
  printFacts(io, flags.json ?? false, model, () => textOf(model));
}

async function readModel(id: string, data: string): Promise<Shown> {
  const catalogue = catalogueIn(data);
  const model = await catalogue.describe(id);
  const file = join(data, 'jobs.db');
  const jobs = existsSync(file) ? storedJobs(file) : null;
  try {
    const ports = {
      jobs: async () => jobs?.list() ?? [],
      executions: async (jobId: string) => jobs?.executions(jobId) ?? [],
      running: null,
    };
    return {
      ...model,
      aliases: aliasesOf(model, await catalogue.aliases()),
      grants: await catalogue.grants(model),
      lineage: await lineageOf(model, ports),
    };
  } finally {
    jobs?.close();
  }
}

function textOf({ name, version, aliases, manifest, sha256, bytes, signedBy, grants, lineage }: Shown): string {
  const facts = (entries: Readonly<Record<string, string | number>>) => Object.entries(entries).map(([key, value]) => `${key} ${value}`);
  const lines = (title: string, texts: readonly string[]) =>
    (texts.length === 0 ? ['-'] : texts).map((text, i) => `  ${(i === 0 ? title : '').padEnd(9)} ${text}`);
  const runs = { true: 'runs it now', false: 'had it', null: 'had it; not heard of now' };
  return [
    `${modelId(name, version)}${aliases.length === 0 ? '' : `  (${aliases.join(', ')})`}`,
    ...lines('package', [
      `sha256 ${sha256}, ${bytes} bytes, signed by ${signedBy.slice(0, 12)}`,
      `sequence ${manifest.sequence}, ${manifest.expires === null ? 'never expires' : `expires ${manifest.expires}`}, for ${manifest.machine} of ${manifest.fleet}${manifest.target === 'any' ? '' : `, compiled for ${manifest.target}`}`,
    ]),
    ...lines('data', facts(lineage.data)),
    ...lines('training', facts(lineage.training)),
    ...lines(
      'jobs',
      lineage.jobs.map(({ jobId, status, to, executions }) => `${jobId} to ${to.join(', ')}: ${status}${counted(executions)}`),
    ),
    ...lines(
      'devices',
      lineage.devices.map(
        ({ thing, runs: now, jobId, isAccepted }) =>
          `${thing} ${runs[`${now}`]}${jobId === null ? ', its first' : `, by ${jobId}`}${{ true: ', accepted', false: ', on probation', null: '' }[`${isAccepted}`]}`,
      ),
    ),
    ...(grants.length === 0
      ? []
      : lines(
          'grants',
          grants.map(({ group, expires }) => `${group} may go down to it until ${expires}`),
        )),
  ].join('\n');
}

const counted = (executions: ModelLineage['jobs'][number]['executions']) =>
  Object.entries(executions)
    .map(([status, count], i) => `${i === 0 ? ' (' : ', '}${count} ${status}`)
    .join('') + (Object.keys(executions).length > 0 ? ')' : '');

export async function aliasModel(
  alias: string | undefined,
  id: string | undefined,
  flags: CatalogueFlags & { readonly remove?: boolean },
  io: Io,
): Promise<void> {
  const farm = farmOf(flags);
  const read = () => (farm ? farm.get<ModelAlias[]>('/api/aliases') : catalogueIn(flags.data).aliases());
  if (alias === undefined) {
    if (flags.remove === true) throw new UsageError('--remove wants an alias, as windturbine-anomaly@production');
    const all = await read();
    printFacts(io, flags.json ?? false, all, () =>
      all.length === 0
        ? 'no aliases yet'
        : table(
            ['alias', 'model', 'since', 'moves'],
            all.map((one) => [modelId(one.name, one.alias), idOf(one), one.history[0].at, String(one.history.length)]),
          ),
    );
    return;
  }
  if (id === undefined) {
    const wanted = parseModelAlias(alias);
    if (!wanted)
      throw new UsageError(`${alias} is no alias of a model, as windturbine-anomaly@production`, {
        hint: 'to set one: model alias production N@V',
      });
    const all = await read();
    const found = all.find((one) => one.name === wanted.name && one.alias === wanted.alias);
    const known = all.map((one) => modelId(one.name, one.alias));
    if (!found)
      throw new NotFound(`no model has the alias ${alias}.${didYouMean(alias, known)}`, { hint: `aliases: ${known.join(', ') || 'none'}` });
    const done =
      flags.remove !== true
        ? found
        : farm
          ? await farm.remove<ModelAlias>(`/api/aliases/${encodeURIComponent(alias)}`)
          : await catalogueIn(flags.data).removeAlias(alias, isoDate(wallClock()));
    printFacts(io, flags.json ?? false, done, () => done.history.map(({ version, at }) => `${at}  ${version ?? 'removed'}`).join('\n'));
    return;
  }
  if (flags.remove === true) throw new UsageError('--remove takes the alias alone, as windturbine-anomaly@production');
  const short = aliasFor(alias, id);
  const done = farm
    ? await farm.post<ModelAlias>('/api/aliases', { alias: short, model: id })
    : await catalogueIn(flags.data).setAlias(short, id, isoDate(wallClock()));
  const before = done.history[1]?.version;
  printFacts(
    io,
    flags.json ?? false,
    done,
    () => `${modelId(done.name, done.alias)} is ${idOf(done)} now${before == null ? '' : `, was ${modelId(done.name, before)}`}`,
  );
}

const idOf = ({ name, version }: ModelAlias) => (version === null ? 'removed' : modelId(name, version));

/** `production` of `production` or `windturbine-anomaly@production`. @throws UsageError */
function aliasFor(text: string, id: string): string {
  const whole = parseModelAlias(text);
  if (whole && !id.startsWith(`${whole.name}@`)) throw new UsageError(`${text} is of another model than ${id}`);
  return whole?.alias ?? text;
}

const LONGEST_MS = 90 * 86_400_000;

export async function grantRollback(
  id: string,
  flags: CatalogueFlags & { readonly to: string; readonly for: string },
  io: Io,
  clock: Clock = wallClock(),
): Promise<void> {
  const lasting = parseDuration(flags.for);
  if (lasting === null || lasting <= 0 || lasting > LONGEST_MS)
    throw new UsageError(`--for ${flags.for} is no duration up to 90d`, { hint: 'as 2h, 1d' });
  if (!isThingName(flags.to))
    throw new UsageError(`--to ${JSON.stringify(flags.to)} is no name of a thing or a group`, { hint: 'farm is every turbine' });
  const catalogue = catalogueIn(flags.data);
  const { name, version, sha256, manifest } = await catalogue.describe(id);
  const now = clock.now();
  const grant: RollbackGrant = {
    schema: 'windfleet.rollback-grant/v1',
    name,
    version,
    sequence: manifest.sequence,
    sha256,
    group: flags.to,
    issuedAt: isoDate(clock, now),
    expires: isoDate(clock, now + lasting),
  };
  const key = await catalogue.grant(signGrant(grant, openKey(flags.data).privateKey));
  printFacts(
    io,
    flags.json ?? false,
    { ...grant, key },
    () =>
      `${flags.to} may go down to ${modelId(name, version)} (sequence ${manifest.sequence}) until ${grant.expires}\n  ${key}; \`windfleet deploy ${modelId(name, version)} --to ${flags.to}\` names it in its job`,
  );
}

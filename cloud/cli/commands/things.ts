/** Things of a running cloud: who they are, their certificates, and what a new one needs to connect. */
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { CAPTURE_BUCKET, CAPTURE_PREFIX, EMBED_LIMIT_BYTES } from '../../../actors/contracts/capture.ts';
import type { AcceptedModel, InstalledModel } from '../../../actors/contracts/deployments.ts';
import { FileInvalid, reasonOf, UsageError } from '../../../actors/contracts/errors.ts';
import type { TurbineView } from '../../../actors/contracts/fleet-view.ts';
import { isThingName } from '../../../actors/contracts/ids.ts';
import { DEFAULT_PLACE } from '../../things/arns.ts';
import { FARM_FLEET } from '../../things/edge-devices.ts';
import { openApi } from '../api.ts';
import { type Io, printFacts, table } from '../print.ts';
import { asking, type Common } from './farm.ts';

interface ListedThing {
  readonly thing: string;
  readonly certificates: readonly { readonly id: string; readonly status: string }[];
  readonly turbine: TurbineView | null;
}

interface ShownThing extends ListedThing {
  readonly groups: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly installed: InstalledModel | null;
  readonly accepted: AcceptedModel | null;
}

interface ProvisionedThing {
  readonly thing: string;
  readonly certificateId: string;
  readonly certificatePem: string;
  readonly caPem: string;
  /** `host:port` */
  readonly mqtts: string | null;
  readonly https: string | null;
  readonly roleAlias: string;
}

const FILES = {
  key: 'private.key.pem',
  certificate: 'certificate.pem',
  ca: 'ca.pem',
  packageKey: 'packages.pub.pem',
  config: 'edge.json',
  agent: 'sagemaker_edge_config.json',
} as const;

export function addThingsCommands(program: Command, io: Io): void {
  const things = program.command('things').description('Things that the cloud knows, and their certificates.');
  asking(things.command('list').description('A thing a line.'), ['things list', 'things list --json']).action(
    async ({ cloud, json = false }: Common) => {
      const list = await openApi(cloud).get<ListedThing[]>('/api/things');
      const facts = list.map(({ turbine, ...thing }) => ({ state: null, backing: null, model: null, alarm: null, ...turbine, ...thing }));
      const rows = facts.map(({ thing, state, backing, model, alarm, certificates }) => [
        thing,
        state ?? '-',
        backing ?? '-',
        model ?? '-',
        alarm ? `${alarm.feature} (${alarm.score.toFixed(1)})` : '-',
        countStatuses(certificates),
      ]);
      printFacts(io, json, facts, () => table(['thing', 'state', 'body', 'model', 'alarm', 'certificates'], rows));
    },
  );

  asking(
    things.command('show').description('One thing: what it runs, has installed and accepted, and its certificates.').argument('<thing>'),
    ['things show T-001', 'things show T-001 --json'],
  ).action(async (thing: string, { cloud, json = false }: Common) => {
    const found = await openApi(cloud).get<ShownThing>(`/api/things/${encodeURIComponent(thing)}`);
    printFacts(io, json, found, () => textOf(found));
  });

  asking(
    things
      .command('create')
      .description('Registers a thing and gives it a certificate; its private key is made here and leaves this machine never.')
      .argument('<thing>')
      .requiredOption('--out <folder>', 'for its key, certificate, CA and configurations (edge’s, and an edge agent’s)'),
    ['things create T-100 --out t-100', 'things create T-100 --out t-100 --json'],
  ).action(async (thing: string, { out, cloud, json = false }: Common & { out: string }) => {
    if (!isThingName(thing))
      throw new UsageError(`${JSON.stringify(thing)} is no name of a thing`, { hint: '1 to 128 of letters, digits, : _ -' });
    const files = filesIn(out);
    const { makeKeyPair, makeRequest } = await import('../../things/x509.ts');
    const { privateKeyPem } = await makeKeyPair();
    // the key is on disk before a certificate for it exists
    write(files.key, privateKeyPem);
    try {
      const api = openApi(cloud);
      const [packageKey] = await api.get<{ pem: string }[]>('/api/keys');
      const made = await api.post<ProvisionedThing>('/api/things', {
        thing,
        csr: await makeRequest(privateKeyPem, thing.slice(0, 64)),
      });
      write(files.certificate, made.certificatePem);
      write(files.ca, made.caPem);
      if (packageKey) write(files.packageKey, packageKey.pem);
      write(files.config, `${JSON.stringify(configOf(made, cloud), null, 2)}\n`);
      write(files.agent, `${JSON.stringify(agentConfigOf(made, out), null, 2)}\n`);
      printFacts(io, json, { thing, certificateId: made.certificateId, files }, () =>
        [`${thing}: certificate ${made.certificateId}`, ...Object.values(files).map((file) => `  ${file}`)].join('\n'),
      );
    } catch (error) {
      for (const file of Object.values(files)) rmSync(file, { force: true }); // all of them are ours: none was there before
      throw error;
    }
  });

  asking(things.command('revoke').description('Takes its certificates back: it is put off, and cannot come again.').argument('<thing>'), [
    'things revoke T-100',
    'things revoke T-100 --json',
  ]).action(async (thing: string, { cloud, json = false }: Common) => {
    const done = await openApi(cloud).remove<{ thing: string; revoked: string[] }>(`/api/things/${encodeURIComponent(thing)}/certificates`);
    printFacts(io, json, done, () =>
      done.revoked.length === 0
        ? `${thing} has no certificate that is not revoked`
        : done.revoked.map((id) => `${thing}: certificate ${id} is revoked`).join('\n'),
    );
  });
}

function textOf({ thing, turbine, installed, accepted, groups, attributes, certificates }: ShownThing): string {
  const at = (ms: number | null) => (ms === null ? '' : ` since ${new Date(ms).toISOString()}`);
  const isOnProbation = installed !== null && installed.model !== accepted?.model;
  return [
    `${thing}: ${turbine ? `${turbine.state}, ${turbine.machine} by ${turbine.backing}` : 'not heard of'}`,
    `  runs       ${turbine?.model ?? '-'}`,
    `  installed  ${installed ? `${installed.model}${at(installed.at)}${installed.job === null ? ', it came with it' : ` by ${installed.job}`}${isOnProbation ? ', on probation' : ''}` : '-'}`,
    `  accepted   ${accepted ? `${accepted.model}${at(accepted.at)}${accepted.by === null ? '' : ACCEPTED_BY[accepted.by]}` : '-'}`,
    `  groups     ${groups.join(', ') || '-'}`,
    ...Object.entries(attributes).map(([name, value]) => `  ${name}  ${value}`),
    `  certificates  ${countStatuses(certificates)}`,
  ].join('\n');
}

const ACCEPTED_BY = { gate: ' by its rollout’s gate', turbine: ' by what it has judged' } as const;

/** What `edge` and other clients read; files by their names beside it. */
const configOf = ({ thing, mqtts, https, roleAlias }: ProvisionedThing, cloud: string) => ({
  thing,
  clientId: thing,
  cloud,
  mqtt: mqtts === null ? null : `mqtts://${mqtts}`,
  certificate: FILES.certificate,
  key: FILES.key,
  ca: FILES.ca,
  credentials: https === null ? null : `https://${https}/role-aliases/${roleAlias}/credentials`,
});

/**
 * What the edge agent and the original's application read; they look for files from where they are started, so paths are whole.
 * The application calls itself by the uuid's key, newer ones by the name's.
 */
const agentConfigOf = ({ thing, https, roleAlias }: ProvisionedThing, out: string) => ({
  sagemaker_edge_core_device_name: thing,
  sagemaker_edge_core_device_uuid: thing,
  sagemaker_edge_core_device_fleet_name: FARM_FLEET,
  sagemaker_edge_core_region: DEFAULT_PLACE.region,
  sagemaker_edge_core_root_certs_path: resolve(out),
  sagemaker_edge_core_folder_prefix: CAPTURE_PREFIX,
  sagemaker_edge_core_capture_data_destination: 'Cloud',
  sagemaker_edge_core_capture_data_buffer_size: 30,
  sagemaker_edge_core_capture_data_batch_size: 10,
  sagemaker_edge_core_capture_data_push_period_seconds: 4,
  sagemaker_edge_core_capture_data_base64_embed_limit: EMBED_LIMIT_BYTES,
  sagemaker_edge_provider_provider: 'Aws',
  sagemaker_edge_provider_aws_ca_cert_file: resolve(out, FILES.ca),
  sagemaker_edge_provider_aws_cert_file: resolve(out, FILES.certificate),
  sagemaker_edge_provider_aws_cert_pk_file: resolve(out, FILES.key),
  ...(https === null ? {} : { sagemaker_edge_provider_aws_iot_cred_endpoint: `https://${https}/role-aliases/${roleAlias}/credentials` }),
  sagemaker_edge_provider_s3_bucket_name: CAPTURE_BUCKET,
  sagemaker_edge_log_verbose: false,
});

/** Paths in a folder that is made when there is none. @throws FileInvalid when one is there already: nothing is written over */
function filesIn(folder: string): { readonly [file in keyof typeof FILES]: string } {
  const files = {
    key: join(folder, FILES.key),
    certificate: join(folder, FILES.certificate),
    ca: join(folder, FILES.ca),
    packageKey: join(folder, FILES.packageKey),
    config: join(folder, FILES.config),
    agent: join(folder, FILES.agent),
  };
  const taken = Object.values(files).filter((file) => existsSync(file));
  if (taken.length > 0)
    throw new FileInvalid(taken.map((file) => `${file}:1:1: it is there already, and is not written over`).join('\n'), {
      hint: 'choose another folder with --out',
    });
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new FileInvalid(`${folder} cannot be made: ${reasonOf(error)}`, { cause: error, hint: 'choose another folder with --out' });
  }
  return files;
}

/** @throws FileInvalid. Never through a link or over a file that came meanwhile. */
function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
    chmodSync(file, 0o600);
  } catch (error) {
    throw new FileInvalid(`${file}:1:1: it cannot be written: ${reasonOf(error)}`, {
      cause: error,
      hint: 'choose another folder with --out',
    });
  }
}

function countStatuses(certificates: ListedThing['certificates']): string {
  const counts = new Map<string, number>();
  for (const { status } of certificates) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${count} ${status}`).join(', ') || '-';
}

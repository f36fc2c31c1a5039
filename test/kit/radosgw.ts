/**
 * Debian's radosgw, an S3 server that we did not write: one monitor, one OSD in memory, the gateway, all on loopback, with cephx, in a
 * folder of their own. Needs no root.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Key } from './aws-client.ts';
import { removeFolder, scratchFolder } from './farm-process.ts';
import { freePort } from './free-port.ts';
import { has } from './programs.ts';

const run = promisify(execFile);

export interface RadosGateway {
  readonly url: string;
  readonly key: Key;
  close(): Promise<void>;
}

export const hasRadosGateway = (): boolean =>
  has('ceph-mon', 'ceph-mon') && has('ceph-osd', 'ceph-osd') && has('radosgw', 'radosgw') && has('radosgw-admin', 'radosgw');

export async function startRadosGateway(): Promise<RadosGateway> {
  const folder = scratchFolder();
  const [gateway, monitor, osd] = [await freePort(), await freePort(), await freePort()];
  // the OSD takes several ports, from its own upwards: so it is the last one
  const at = (name: string) => join(folder, name);
  for (const name of ['mon', 'osd', 'rgw', 'run']) mkdirSync(at(name));
  const cluster = randomUUID();
  const config = at('ceph.conf');
  writeFileSync(config, configuration(folder, { cluster, monitor, osd, gateway }));

  const keyring = at('keyring');
  const keys: readonly (readonly [string, ...string[]])[] = [
    ['mon.', 'mon', 'allow *'],
    ['client.admin', 'mon', 'allow *', 'osd', 'allow *'],
    ['osd.0', 'mon', 'allow profile osd', 'osd', 'allow *'],
    ['client.rgw', 'mon', 'allow rwx', 'osd', 'allow rwx'],
  ];
  // by hand, since a process a key takes longer: type 1 (AES), no date, sixteen bytes
  const secret = () => Buffer.concat([Buffer.from('010000000000000000001000', 'hex'), randomBytes(16)]).toString('base64');
  writeFileSync(
    keyring,
    keys
      .map(([name, ...caps]) => {
        const lines = caps.flatMap((cap, i) => (i % 2 === 0 ? [`\tcaps ${cap} = "${caps[i + 1]}"`] : []));
        return `[${name}]\n\tkey = ${secret()}\n${lines.join('\n')}\n`;
      })
      .join(''),
  );

  const children: ChildProcess[] = [];
  const killAll = () => {
    for (const child of children) child.kill('SIGKILL');
  };
  process.once('exit', killAll);
  const start = (program: string, ...words: string[]) => {
    const child = spawn(program, ['-c', config, '-f', ...words], { stdio: 'ignore' });
    children.push(child);
    return child;
  };
  const close = async () => {
    const ended = children.map((child) =>
      child.exitCode === null && child.signalCode === null ? new Promise((done) => child.once('exit', done)) : null,
    );
    killAll();
    await Promise.all(ended);
    process.removeListener('exit', killAll);
    removeFolder(folder);
  };
  const key = { accessKeyId: 'AKIDWINDFLEETRADOSGW', secretAccessKey: 'asecretthatonlythistestknows' };
  try {
    await run('monmaptool', ['--create', '--fsid', cluster, '--addv', 'a', `[v2:127.0.0.1:${monitor}]`, at('monmap')]);
    await run('ceph-mon', ['-c', config, '--mkfs', '-i', 'a', '--monmap', at('monmap'), '--keyring', keyring]);
    start('ceph-mon', '-i', 'a');
    const id = randomUUID();
    await run('ceph', ['-c', config, '--connect-timeout', '30', 'osd', 'new', id, '0']);
    await run('ceph-osd', ['-c', config, '-i', '0', '--mkfs', '--osd-uuid', id]);
    start('ceph-osd', '-i', '0');
    const served = start('radosgw', '-n', 'client.rgw');
    while (!(await answers(`http://127.0.0.1:${gateway}/`))) {
      if (served.exitCode !== null) throw new Error(`radosgw ended:\n${readFileSync(at('client.rgw.log'), 'utf8').slice(-2_000)}`);
      await new Promise((rested) => setTimeout(rested, 50));
    }
    const user = [
      'user',
      'create',
      '--uid=test',
      '--display-name=test',
      `--access-key=${key.accessKeyId}`,
      `--secret=${key.secretAccessKey}`,
    ];
    await run('radosgw-admin', ['-c', config, '-n', 'client.rgw', ...user]);
  } catch (error) {
    await close();
    throw error;
  }
  return { url: `http://127.0.0.1:${gateway}`, key, close };
}

function configuration(folder: string, ports: { cluster: string; monitor: number; osd: number; gateway: number }): string {
  return `[global]
fsid = ${ports.cluster}
mon initial members = a
mon host = [v2:127.0.0.1:${ports.monitor}/0]
ms bind msgr1 = false
ms bind port min = ${ports.osd}
ms bind port max = ${ports.osd + 200}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = ${folder}/keyring
run dir = ${folder}/run
log file = ${folder}/$name.log
admin socket =
pid file =
crash dir = ${folder}/run
mon data = ${folder}/mon
mon allow pool size one = true
paxos propose interval = 0.02
paxos min wait = 0.01
osd data = ${folder}/osd
osd objectstore = memstore
memstore device bytes = 2147483648
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd crush chooseleaf type = 0
rgw data = ${folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:${ports.gateway}
rgw run sync thread = false
rgw num rados handles = 1
`;
}

const answers = (url: string) =>
  fetch(url).then(
    () => true,
    () => false,
  );

/** A good package, and the tools that make hostile ones of it. */
import type { UpdateCode } from '../../../actors/contracts/update-codes.ts';
import { SIGNATURE_FILE, signFiles } from '../../../actors/package/model-signature.ts';
import { packTar, unpackTar } from '../../../actors/package/tar.ts';
import { generateKey, type SigningKey } from '../../../cloud/models/keys.ts';
import { lightPackage } from '../light-package.ts';
import { rawTar } from '../tampered.ts';

export interface HostilePackage {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What it may be refused with: mostly one. */
  readonly codes: readonly UpdateCode[];
}

export type Member = Parameters<typeof rawTar>[0][number];
export type Parts = Map<string, Uint8Array>;

export type HostileBench = ReturnType<typeof hostileBench>;

/** What hostile packages are made of. @param key that devices trust @param found is told of each */
export function hostileBench(key: SigningKey, found: (hostile: HostilePackage) => void) {
  const good = lightPackage(key, '2.0.0', 10).bytes;
  const other = lightPackage(key, '2.1.0', 11, (manifest) => ({ ...manifest, lineage: { other: 1 } })).bytes;
  const foreign = generateKey();
  const members: readonly Member[] = [...unpackTar(good)].map(([name, bytes]) => ({ name, bytes }));
  const add = (name: string, bytes: Uint8Array, ...codes: UpdateCode[]): void => found({ name, bytes, codes });
  const withMember = (member: Member) => rawTar([...members, member]);
  const typed =
    (type: string, target = '') =>
    (head: Buffer) => {
      head.write(type, 156, 'latin1');
      head.write(target, 157, 'latin1');
    };
  /** Files changed, the signature left as it was. */
  const tampered = (change: (files: Parts) => void) => {
    const files = new Map(unpackTar(good));
    change(files);
    return packTar(files);
  };
  /** Files changed, and signed by the trusted key. */
  const signed = (change: (files: Parts) => void, by = key) => {
    const files = new Map(unpackTar(good));
    files.delete(SIGNATURE_FILE);
    change(files);
    return packTar(new Map([...files, [SIGNATURE_FILE, signFiles(files, 'light@2.0.0', by.privateKey)]]));
  };
  const FILES = ['compiled.onnx', 'golden.json', 'manifest.json', 'sagemaker_edge_manifest'];
  return { key, foreign, good, other, members, add, withMember, typed, tampered, signed, FILES };
}

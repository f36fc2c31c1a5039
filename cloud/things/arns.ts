/** Amazon's names of resources: `arn:aws:iot:<region>:<account>:<kind>/<name>`. */
import { ThingRefused } from '../../actors/contracts/errors.ts';

/** Where this cloud pretends to be: the region and account in every ARN. */
export interface Place {
  readonly region: string;
  readonly account: string;
}

export const DEFAULT_PLACE: Place = { region: 'us-east-1', account: '000000000000' };

export type ArnKind =
  | 'thing'
  | 'thinggroup'
  | 'thingtype'
  | 'job'
  | 'jobtemplate'
  | 'cert'
  | 'policy'
  | 'rolealias'
  | 'client'
  | 'topic'
  | 'topicfilter';

export const arnOf = ({ region, account }: Place, kind: ArnKind, name: string): string =>
  `arn:aws:iot:${region}:${account}:${kind}/${name}`;

/** The parts of an ARN of AWS IoT; null for a text that is none. */
export function parseArn(
  text: string,
): { readonly region: string; readonly account: string; readonly kind: string; readonly name: string } | null {
  const match = /^arn:aws:iot:([a-z0-9-]*):(\d*):([a-z]+)\/(.+)$/s.exec(text);
  return match ? { region: match[1], account: match[2], kind: match[3], name: match[4] } : null;
}

/** @throws ThingRefused InvalidRequest when it is no ARN of that kind at this place. */
export function nameIn(place: Place, kind: ArnKind, arn: string): string {
  const parsed = parseArn(arn);
  if (parsed?.kind === kind && parsed.region === place.region && parsed.account === place.account) return parsed.name;
  throw new ThingRefused('InvalidRequest', `${JSON.stringify(arn.slice(0, 200))} is no ARN of a ${kind} here`, {
    hint: `as ${arnOf(place, kind, 'NAME')}`,
  });
}

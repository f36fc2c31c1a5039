/** AWS IoT's reserved job topics: `$aws/things/<thing>/jobs/…`. */
import { isThingName, type ThingName } from '../../actors/contracts/ids.ts';

export const JOB_TOPICS = '$aws/things/+/jobs/#';

export type JobOperation =
  | { readonly operation: 'get' | 'start-next'; readonly thing: ThingName }
  | { readonly operation: 'describe' | 'update'; readonly thing: ThingName; readonly jobId: string };

export const jobTopic = (thing: ThingName, rest: string): string => `$aws/things/${thing}/jobs/${rest}`;

/** What a request's topic asks for; null for a topic that is no operation. */
export function parseJobTopic(topic: string): JobOperation | null {
  const [aws, things, thing, jobs, ...rest] = topic.split('/');
  if (aws !== '$aws' || things !== 'things' || jobs !== 'jobs' || !isThingName(thing)) return null;
  if (rest.length === 1 && (rest[0] === 'get' || rest[0] === 'start-next')) return { operation: rest[0], thing };
  const [jobId, verb] = rest;
  if (rest.length !== 2 || !/^(\$next|[a-zA-Z0-9_-]{1,64})$/.test(jobId)) return null;
  if (verb === 'get') return { operation: 'describe', thing, jobId };
  if (verb === 'update' && jobId !== '$next') return { operation: 'update', thing, jobId };
  return null;
}

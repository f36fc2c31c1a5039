/** A sign of life every half minute: a line in the log, and SendHeartbeat to a cloud if there is one; its refusal stops nothing. */
import type { Clock } from '../../actors/contracts/clock.ts';
import { reasonOf } from '../../actors/contracts/errors.ts';
import type { Log } from '../../actors/contracts/log.ts';
import type { Agent } from './server.ts';
import { type Signer, signPost } from './signed-post.ts';

const EVERY_MS = 30_000;
const TIMEOUT_MS = 5_000;

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly device: string;
  readonly fleet: string;
  /** Where SendHeartbeat is posted; null: nowhere. */
  readonly cloud: string | null;
  /** With whose keys it is signed; null: not at all. */
  readonly signer?: Signer | null;
}

/** @returns stops it. */
export function startHeartbeat(agent: Agent, { clock, log, version, device, fleet, cloud, signer = null }: HeartbeatOptions): () => void {
  const latest = new Map<string, { readonly predictions: number; readonly at: number }>();
  let refusals = 0;
  let timer = 0;

  const beat = () => {
    timer = clock.setTimeout(beat, EVERY_MS);
    const counts = agent.counts();
    const at = Math.floor((clock.epoch + clock.now()) / 1_000);
    for (const { name, predictions } of agent.models())
      if (predictions > (latest.get(name)?.predictions ?? 0)) latest.set(name, { predictions, at });
    log.info({ models: agent.models().length, ...counts, ...(cloud === null ? {} : { heartbeatsRefused: refusals }) }, 'alive');
    if (cloud === null) return;
    const metrics = Object.entries(counts).map(([name, value]) => ({ Dimension: 'Agent', MetricName: name, Value: value, Timestamp: at }));
    const models = agent.models().map(({ name, version }) => {
      const used = latest.get(name)?.at;
      return {
        ModelName: name,
        ModelVersion: version ?? '1.0',
        ...(used === undefined ? {} : { LatestSampleTime: used, LatestInference: used }),
      };
    });
    const body = { AgentVersion: version, DeviceName: device, DeviceFleetName: fleet, AgentMetrics: metrics, Models: models };
    post(cloud, JSON.stringify(body), signer).then(
      () => {
        if (refusals > 0) log.info({ refusals }, 'the cloud takes heartbeats again');
        refusals = 0;
      },
      (error: unknown) => {
        refusals++;
        if (refusals === 1) log.warn({ cloud, reason: reasonOf(error) }, 'the cloud does not take heartbeats');
      },
    );
  };
  timer = clock.setTimeout(beat, EVERY_MS);
  return () => clock.clearTimeout(timer);
}

async function post(cloud: string, body: string, signer: Signer | null): Promise<void> {
  const url = new URL('/SendHeartbeat', cloud);
  const response = await fetch(url, {
    method: 'POST',
    headers: signer ? await signPost(url, body, 'sagemaker', signer) : { 'content-type': 'application/json' },
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`it answers ${response.status}`);
}

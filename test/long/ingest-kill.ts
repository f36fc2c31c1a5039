/** `kill -9` of the cloud at 100 random instants while a device publishes. */
import { killIngest } from '../kit/kill-ingest.ts';
import type { Lane } from './main.ts';

export const lane: Lane = async (say) => {
  const { kills, messages, documents } = await killIngest(100, 7, say);
  return [`${kills} kills, ${messages} messages acknowledged, ${documents} documents: none lost, none doubled`];
};

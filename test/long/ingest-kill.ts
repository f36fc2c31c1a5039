/** `kill -9` of the cloud at 100 random instants while devices publish logs and put captures. */
import { killIngest } from '../kit/kill-ingest.ts';
import type { Lane } from './main.ts';

export const lane: Lane = async (say) => {
  const { kills, mqtt, http, files, documents } = await killIngest(100, 7, say);
  return [
    `${kills} kills; answered: ${mqtt} messages by MQTT, ${http} by HTTP, ${files} files of captures`,
    `${documents} documents: none lost, none doubled`,
  ];
};

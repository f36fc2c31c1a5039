/** `windfleet scenario list --capabilities`: which story of the library can be played on which bodies. */
import { BODIES, type Capabilities, capabilitiesOf } from '../../../scenarios/capabilities.ts';
import { stories } from '../../../scenarios/library.ts';
import { loadStory } from '../../../scenarios/load.ts';
import { type Io, printFacts, table } from '../print.ts';

export async function listCapabilities(io: Io, json: boolean): Promise<void> {
  const list: { readonly name: string; readonly capabilities: Capabilities }[] = [];
  for (const name of Object.keys(stories)) {
    const { story, vocabulary } = await loadStory(name);
    list.push({ name, capabilities: capabilitiesOf(story, vocabulary) });
  }
  printFacts(io, json, list, () => {
    const rows = list.map(({ name, capabilities }) => [name, ...BODIES.map((body) => (capabilities[body].length === 0 ? 'yes' : 'no'))]);
    const reasons = list.flatMap(({ name, capabilities }) =>
      BODIES.flatMap((body) => capabilities[body].map((why) => `${name} on ${body}: ${why}`)),
    );
    return [table(['story', ...BODIES], rows), '', ...reasons].join('\n');
  });
}

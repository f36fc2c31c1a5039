/** On which bodies a story can be played, and why it cannot on others: the same checks as at its start, with every turbine of another kind. */
import type { Scenario } from './dsl.ts';
import type { BodyKind } from './faults.ts';
import { faultsOf } from './words/check.ts';
import type { Vocabulary } from './words/vocabulary.ts';

/** Why not, each reason once; none when it can. */
export type Capabilities = Readonly<Record<BodyKind, readonly string[]>>;

export const BODIES: readonly BodyKind[] = ['twins', 'emulated', 'serial', 'replay'];

const LINE_MACHINE = 'desk-turbine'; // what speaks on a serial line

/** @param words of the story as it stands */
export const capabilitiesOf = (story: Scenario, words: Vocabulary): Capabilities =>
  Object.fromEntries(BODIES.map((body) => [body, reasonsAgainst(story, words, body)])) as Record<BodyKind, readonly string[]>;

function reasonsAgainst(story: Scenario, words: Vocabulary, body: BodyKind): readonly string[] {
  const things = words.things.map((thing) => ({ ...thing, body }));
  const reasons = new Set(faultsOf(story, { ...words, things }).map(({ why }) => why));
  if (body === 'twins') return [...reasons];
  const machines = new Set(words.things.map(({ machine }) => machine));
  const commands = new Set(story.timeline.flatMap((step) => ('command' in step ? [step.command] : [])));
  if (body !== 'replay') {
    for (const machine of machines) if (machine !== LINE_MACHINE) reasons.add(`a ${machine} has no serial line`);
    if (commands.size > 0)
      reasons.add(`a desk turbine on a line has no brake: a trip does not stop it, and \`${[...commands].join('`, `')}\` finds it turning`);
  } else if (commands.size > 0) reasons.add('what was recorded obeys nobody');
  if (body !== 'emulated' && (story.wind?.events ?? []).length > 0)
    reasons.add(body === 'replay' ? 'the wind of a recording has blown' : 'nobody makes wind at a real turbine');
  return [...reasons];
}

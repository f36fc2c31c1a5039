/** What makes no sense in a story's timeline: when its steps take place, whom they are about, and what they do to them. */
import { parseDuration } from '../../actors/contracts/units.ts';
import type { Step } from '../dsl.ts';
import { type AttributeKind, type WorldFault, worldFaults } from '../faults.ts';
import { type Check, listed } from './check.ts';
import { OCCURRENCES_MAX, scheduleOf, spanOf } from './occurrences.ts';
import type { Path } from './source.ts';
import { BODY_NAMES } from './vocabulary.ts';

type FaultStep = Extract<Step, { readonly fault: string }>;

export function checkSteps(check: Check): void {
  let times = 0;
  for (const [i, step] of check.story.timeline.entries()) {
    const path = ['timeline', i];
    checkWhen(check, step, path);
    const before = times;
    times += scheduleOf(step, check.story)?.times ?? 0;
    if (before <= OCCURRENCES_MAX && times > OCCURRENCES_MAX)
      check.fault(path, `more than ${OCCURRENCES_MAX} things happen: nobody has time for them`);
    if ('fault' in step) checkFault(check, step, path);
    else if ('clear' in step) checkClear(check, step, path);
    else if ('command' in step) check.candidates(step.on, [...path, 'on']);
    else if ('deploy' in step) checkDeploy(check, step, path);
    else {
      const [what, of] = (['pause', 'resume', 'abort', 'rollback'] as const).flatMap((key) =>
        key in step ? [key, (step as unknown as Record<string, string>)[key]] : [],
      );
      checkRollout(check, of, step, [...path, what]);
    }
  }
}

function checkWhen({ story, end, fault, during }: Check, step: Step, path: Path): void {
  const notAfterEnd = (key: string, text: string | undefined) => {
    if (text !== undefined && (parseDuration(text) ?? 0) > end)
      fault([...path, key], `${text} is after the story’s end, ${story.duration}`);
  };
  if ('at' in step) notAfterEnd('at', step.at);
  else if ('every' in step) {
    const period = parseDuration(step.every) ?? 0;
    notAfterEnd('from', step.from);
    notAfterEnd('until', step.until);
    if (period === 0) fault([...path, 'every'], 'is nothing: some time passes between two of them');
    else if (scheduleOf(step, story) === null) fault([...path, 'every'], 'never: the first of them would be after the last');
  } else {
    during(step.during, [...path, 'during']);
    const lasts = 'fault' in step || 'pause' in step || ('command' in step && (step.command === 'stop' || step.command === 'derate'));
    const what = 'command' in step ? step.command : Object.keys(step).find((key) => !['during', 'id'].includes(key));
    if (!lasts) fault([...path, 'during'], `a ${what} does not last: say at or every`);
    if (step.id !== undefined && step.during === step.id) fault([...path, 'during'], 'a step cannot last as long as itself');
    else if (!spanOf(step.during) && scheduleOf(step, story) === null && isFaultStep(step.during, story.timeline))
      fault([...path, 'during'], `${step.during} lasts as long as this one does: one of them must say when`);
  }
}

const isFaultStep = (id: string, timeline: readonly Step[]) => timeline.some((step) => step.id === id && 'fault' in step);

function checkFault(check: Check, step: FaultStep, path: Path): void {
  const { words, fault } = check;
  const bodyNames = [...new Set([...words.machines.values()].flatMap((machine) => machine.faults.map(({ name }) => name)))];
  const ofWorld = worldFaults.find(({ name }) => name === step.fault);
  if ('during' in step && step.for !== undefined)
    fault([...path, 'for'], 'a fault during something lasts as long as that: say at, or leave `for` out');
  if (step.recovery !== undefined && step.for === undefined && !('during' in step))
    fault([...path, 'recovery'], 'a fault that stays until it is cleared does not recover by itself: say how long it lasts (`for`)');
  if (!bodyNames.includes(step.fault) && !ofWorld) {
    const known = [...bodyNames, ...worldFaults.map(({ name }) => name)];
    fault([...path, 'fault'], `no fault ${step.fault}.${nearFault(step.fault, known) || check.near(step.fault, known, 'fault')}`);
    return;
  }
  if (ofWorld) checkWorldFault(check, step, ofWorld, path);
  else checkBodyFault(check, step, path);
}

/** `bias` is `sensor-bias`, `latency` is `link-latency`. */
function nearFault(wrong: string, known: readonly string[]): string {
  const longer = known.filter((name) => name.endsWith(`-${wrong}`) || name.startsWith(`${wrong}-`));
  return longer.length === 0 ? '' : ` Did you mean ${longer.join(' or ')}?`;
}

function checkBodyFault(check: Check, step: FaultStep, path: Path): void {
  const { words, fault } = check;
  if (step.on === undefined) fault([...path, 'on'], 'is missing: whose body?');
  const attributes = Object.keys(step.attributes ?? {});
  if (attributes.length > 0)
    fault([...path, 'attributes'], `${step.fault} has no attributes: a fault of the body has a severity and, of a sensor, a channel`);
  const meant = new Set(step.on === undefined ? [] : check.candidates(step.on, [...path, 'on']));
  const cannot = words.things.filter(({ name, body }) => meant.has(name) && body !== 'twins' && body !== 'emulated');
  for (const body of new Set(cannot.map((thing) => thing.body)))
    fault(
      [...path, 'on'],
      `${listed(cannot.filter((thing) => thing.body === body).map(({ name }) => name))} is ${BODY_NAMES[body]}: its body cannot suffer ${step.fault}`,
    );
  const able = words.things.filter(({ name, body }) => meant.has(name) && (body === 'twins' || body === 'emulated'));
  const isSensors = step.fault.startsWith('sensor-');
  if (step.channel !== undefined && !isSensors) fault([...path, 'channel'], `${step.fault} is a fault of the body: it takes no channel`);
  for (const machine of new Set(able.map((thing) => thing.machine))) {
    const known = words.machines.get(machine);
    if (!known) continue;
    const faults = known.faults.map(({ name }) => name);
    if (!faults.includes(step.fault))
      fault(
        [...path, 'on'],
        `a ${machine} cannot suffer ${step.fault}: ${listed(able.filter((thing) => thing.machine === machine).map(({ name }) => name))}. It has: ${faults.join(', ')}`,
      );
    else if (step.channel !== undefined && isSensors && !known.channels.includes(step.channel))
      fault([...path, 'channel'], `a ${machine} has no channel ${step.channel}.${check.near(step.channel, known.channels, 'channel')}`);
  }
}

function checkWorldFault(check: Check, step: FaultStep, kind: WorldFault, path: Path): void {
  const { words, fault } = check;
  const attributes = Object.keys(kind.attributes);
  for (const key of ['severity', 'over', 'onset', 'recovery', 'channel'] as const)
    if (step[key] !== undefined && !(key === 'severity' && kind.hasSeverity))
      fault(
        [...path, key],
        `${kind.name} has no ${key === 'over' ? '`over`' : key}: ${attributes.length > 0 ? `how bad it is say its attributes, ${attributes.join(', ')}` : 'it is there or it is not'}`,
      );
  for (const [name, value] of Object.entries(step.attributes ?? {})) {
    const attribute = Object.hasOwn(kind.attributes, name) ? kind.attributes[name] : null;
    const why = attribute
      ? wrongValue(attribute, value)
      : `${kind.name} has no such attribute.${check.near(name, attributes, 'attribute of it')}`;
    if (why !== null) fault([...path, 'attributes', name], why);
  }

  if (kind.actsOn === 'service') {
    if (step.on !== undefined) fault([...path, 'on'], `${kind.name} is a fault of a service: it is everybody’s, leave \`on\` out`);
    return;
  }
  if (kind.actsOn === 'deploy') {
    checkSpoiledDeploy(check, step, kind, path);
    return;
  }
  if (step.on === undefined) {
    fault([...path, 'on'], 'is missing: on which turbines?');
    return;
  }
  const meant = new Set(check.candidates(step.on, [...path, 'on']));
  for (const [body, why] of Object.entries(kind.notOn)) {
    const cannot = words.things.filter((thing) => thing.body === body && meant.has(thing.name)).map(({ name }) => name);
    if (cannot.length > 0)
      fault([...path, 'on'], `${listed(cannot)} is ${BODY_NAMES[body as 'twins']}: it cannot suffer ${kind.name}; ${why}`);
  }
}

/** A model is spoiled before it is brought. */
function checkSpoiledDeploy(check: Check, step: FaultStep, kind: WorldFault, path: Path): void {
  const ids = check.story.timeline.flatMap((other) => ('deploy' in other && other.id !== undefined ? [other.id] : []));
  if (typeof step.on !== 'string') {
    check.fault([...path, 'on'], `${kind.name} is a fault of what is deployed: \`on\` is the id of a deploy step`);
    return;
  }
  const deploy = check.stepOf(step.on);
  if (!deploy || !('deploy' in deploy))
    check.fault(
      [...path, 'on'],
      `${step.on} is no deploy step, and ${kind.name} is a fault of what is deployed.${check.near(step.on, ids, 'deploy step with an id')}`,
    );
  else if (check.beginningOf(step) > check.beginningOf(deploy))
    check.fault([...path, 'on'], `${step.on} has been deployed by then: the model is spoiled before`);
}

function wrongValue(attribute: AttributeKind, value: number | string): string | null {
  if ('oneOf' in attribute)
    return attribute.oneOf.includes(String(value)) ? null : `${JSON.stringify(value)} is none of ${attribute.oneOf.join(', ')}`;
  if (typeof value !== 'number') return `must be a number in ${attribute.unit}, not ${JSON.stringify(value)}`;
  if (value < attribute.min || value > attribute.max) return `${value} ${attribute.unit} is not within ${attribute.min}..${attribute.max}`;
  return attribute.isWhole && !Number.isInteger(value) ? `${value} is no whole number` : null;
}

function checkClear(check: Check, step: Extract<Step, { readonly clear: string }>, path: Path): void {
  const faults = check.story.timeline.filter((other): other is FaultStep => 'fault' in other);
  const ids = faults.flatMap(({ id }) => (id === undefined ? [] : [id]));
  const injected = faults.filter((other) => other.id === step.clear || other.fault === step.clear);
  if (step.on !== undefined) check.candidates(step.on, [...path, 'on']);
  if (injected.length === 0)
    check.fault(
      [...path, 'clear'],
      `the story injects no ${step.clear}.${check.near(step.clear, [...new Set([...ids, ...faults.map(({ fault }) => fault)])], 'fault in it')}`,
    );
  else if (injected.every((other) => check.beginningOf(other) > check.beginningOf(step)))
    check.fault([...path, 'clear'], `${step.clear} is not there yet: it comes later`);
}

function checkDeploy(check: Check, step: Extract<Step, { readonly deploy: string }>, path: Path): void {
  const { words, fault } = check;
  const { deploy, to, waves = [] } = step;
  if (!words.models.includes(deploy)) fault([...path, 'deploy'], `no model ${deploy}.${check.near(deploy, words.models, 'model')}`);
  const groups = ['farm', ...new Set(words.things.flatMap(({ name, tags }) => [name, ...tags]))];
  if (to !== undefined && !groups.includes(to) && !words.isPartial)
    fault([...path, 'to'], `no turbine or tag ${to}.${check.near(to, groups, 'turbine')}`);
  for (const [i, wave] of waves.entries()) {
    const before = i === 0 ? null : waves[i - 1];
    const size = sizeOf(wave);
    if (typeof wave === 'string' && !(size > 0 && size <= 100)) fault([...path, 'waves', i], `${wave} is not within 0..100%`);
    if (before !== null && typeof before === typeof wave && size <= sizeOf(before))
      fault([...path, 'waves', i], `${wave} is no more than ${before}: waves grow`);
  }
}

const sizeOf = (wave: string | number): number => (typeof wave === 'number' ? wave : Number.parseFloat(wave));

function checkRollout(check: Check, of: string, step: Step, path: Path): void {
  const ids = check.story.timeline.flatMap((other) => ('deploy' in other && other.id !== undefined ? [other.id] : []));
  const deploy = check.stepOf(of);
  if (!deploy || !('deploy' in deploy)) check.fault(path, `${of} is no deploy step.${check.near(of, ids, 'deploy step with an id')}`);
  else if (check.beginningOf(step) < check.beginningOf(deploy)) check.fault(path, `${of} is deployed only later`);
}

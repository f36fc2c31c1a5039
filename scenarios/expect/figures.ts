/** Expectations about figures: they are known at the end, and a figure of nothing is a failure. */
import { type Millis, parseDuration } from '../../actors/contracts/units.ts';
import type { Bounds, Expectation } from '../dsl.ts';
import { worldFaults } from '../faults.ts';
import { joulesOf } from '../words/check-expectations.ts';
import { type Stretch, stretchesOf } from '../words/occurrences.ts';
import { isJudged, raisedIn } from './alarms.ts';
import { clockTime } from './clock-time.ts';
import { type Court, type Finding, nobody } from './court.ts';
import { livesOf, modelTrack, phaseTrack, stretchesWhere, without } from './tracks.ts';

type Figure = Extract<
  Expectation,
  { readonly that: 'exposure' | 'detectionDelay' | 'falseAlarmsPerTurbineDay' | 'lostMessages' | 'duplicatedMessages' | 'energy' }
>;
type Of<That extends Figure['that']> = Extract<Figure, { readonly that: That }>;
type Messages = Extract<Figure, { readonly that: 'lostMessages' | 'duplicatedMessages' }>;

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** The window that ended as a fault did still holds it, and persistence counts windows. */
const AFTERMATH_MS = 30_000;

export function judgeFigure(e: Figure, court: Court): readonly Finding[] {
  const things = 'on' in e && e.on !== undefined ? court.things(e.on) : court.facts.things.map(({ name }) => name);
  const names = e.that === 'detectionDelay' && e.on === undefined ? (court.facts.targets.get(e.of) ?? []) : things;
  if (names.length === 0) return [nobody(e, court)];
  if (court.now < court.end) return ['open'];
  switch (e.that) {
    case 'exposure':
      return [exposure(e, names, court)];
    case 'detectionDelay':
      return names.map((thing) => detectionDelay(e, thing, court));
    case 'falseAlarmsPerTurbineDay':
      return [falseAlarms(e, names, court)];
    case 'lostMessages':
    case 'duplicatedMessages':
      return [messages(e, names, court)];
    case 'energy':
      return [energy(e, names, court)];
  }
}

/** Turbine-minutes on a model, from the deploy step on where it is that one's. */
function exposure(e: Of<'exposure'>, things: readonly string[], court: Court): Finding {
  const step = e.of === undefined ? null : court.story.timeline.find(({ id }) => id === e.of);
  const model = e.model ?? (step && 'deploy' in step ? step.deploy : '');
  const from = e.of === undefined ? 0 : (court.begun(e.of) ?? court.end);
  const wanted = `turbine-minutes on ${model} ${boundsText(e)}`;
  const tracks = things.map((thing) => modelTrack(court.eventsOf(thing)));
  if (tracks.every(({ points }) => points.length === 0)) return { wanted, got: 'nobody’s model is known', at: court.end, of: null };
  const stretches = tracks.flatMap((track) => stretchesWhere(track, (served) => served === model, { from, to: court.end }));
  const minutes = stretches.reduce((sum, { from: begun, to }) => sum + (to - begun), 0) / MINUTE_MS;
  if (isWithinBounds(minutes, e)) return 'met';
  const most = e.below ?? e.is;
  return {
    wanted,
    got: round(minutes),
    at: most === undefined || minutes < most ? court.end : reachedAt(stretches, most * MINUTE_MS, court.end),
    of: null,
  };
}

/** When stretches together have lasted so long. */
function reachedAt(stretches: readonly Stretch[], lasting: Millis, end: Millis): Millis {
  const edges = stretches.flatMap(({ from, to }) => [
    { at: from, more: 1 },
    { at: to, more: -1 },
  ]);
  let sum = 0;
  let many = 0;
  let last = 0;
  for (const { at, more } of edges.sort((a, b) => a.at - b.at)) {
    if (many > 0 && sum + many * (at - last) >= lasting) return last + (lasting - sum) / many;
    sum += many * (at - last);
    many += more;
    last = at;
  }
  return end;
}

/** From when a fault is at work on a turbine to its first alarm. */
function detectionDelay(e: Of<'detectionDelay'>, thing: string, court: Court): Finding {
  const below = parseDuration(e.below) ?? 0;
  const above = e.above === undefined ? null : (parseDuration(e.above) ?? 0);
  const wanted = `${thing} to alarm ${above === null ? '' : `more than ${e.above} and `}less than ${e.below} after ${e.of}${e.feature === undefined ? '' : `, naming ${e.feature}`}`;
  const [life] = livesOf(phaseTrack(court.eventsOf(thing), e.of), court.end);
  const begun = life?.from ?? court.begun(e.of);
  if (begun === null) return { wanted, got: `${e.of} was never at work`, at: court.end, of: thing };
  const first = raisedIn(thing, begun, court.end, court).find(({ feature }) => e.feature === undefined || feature === e.feature);
  if (!first) return { wanted, got: 'no alarm', at: Math.min(court.end, begun + below), of: thing };
  const delay = first.at - begun;
  if (delay < below && (above === null || delay > above)) return 'met';
  return { wanted, got: `${clockTime(delay)} (${first.feature})`, at: delay >= below ? begun + below : first.at, of: thing };
}

/** Alarms of turbines in whose bodies and sensors nothing is broken, over the turbine-days in which nothing is. */
function falseAlarms(e: Of<'falseAlarmsPerTurbineDay'>, things: readonly string[], court: Court): Finding {
  const wanted = `false alarms a turbine-day ${boundsText(e)}`;
  const unjudged = things.find((thing) => !isJudged(thing, court.end, court));
  if (unjudged !== undefined) return { wanted, got: `${unjudged} was never judged`, at: court.end, of: unjudged };
  let soundMs = 0;
  const alarms: { readonly thing: string; readonly at: Millis; readonly feature: string }[] = [];
  for (const thing of things) {
    const sound = without({ from: 0, to: court.end }, brokenTimes(thing, court));
    soundMs += sound.reduce((sum, { from, to }) => sum + (to - from), 0);
    for (const alarm of raisedIn(thing, 0, court.end, court))
      if (sound.some(({ from, to }) => alarm.at >= from && alarm.at < to)) alarms.push({ thing, ...alarm });
  }
  if (soundMs === 0) return { wanted, got: 'every turbine was broken all the time', at: court.end, of: null };
  const rate = alarms.length / (soundMs / DAY_MS);
  if (isWithinBounds(rate, e)) return 'met';
  const [first] = alarms.sort((a, b) => a.at - b.at);
  const list = alarms.map(({ thing, feature, at }) => `${thing} ${feature} at ${clockTime(at)}`).join(', ');
  return { wanted, got: `${round(rate)}${list === '' ? '' : `: ${list}`}`, at: first?.at ?? court.end, of: first?.thing ?? null };
}

/** When something in a turbine's body or sensors is broken, and a little after. */
function brokenTimes(thing: string, { story, facts, eventsOf, end }: Court): readonly Stretch[] {
  return story.timeline.flatMap((step, index) => {
    const kind = 'fault' in step ? worldFaults.find(({ name }) => name === step.fault)?.kind : undefined;
    if (!('fault' in step) || (kind !== undefined && kind !== 'sensor')) return [];
    const label = step.id ?? `timeline[${index}]`;
    const told = livesOf(phaseTrack(eventsOf(thing), label), end);
    const isMeant = (facts.targets.get(label) ?? []).includes(thing);
    const planned = told.length > 0 || !isMeant ? [] : stretchesOf(step, story).map(({ from }) => ({ from, to: end }));
    return [...told, ...planned].map(({ from, to }) => ({ from, to: Math.min(end, to + AFTERMATH_MS) }));
  });
}

function messages(e: Messages, things: readonly string[], court: Court): Finding {
  const qos = e.qos ?? 1;
  const what = e.that === 'lostMessages' ? 'lost' : 'duplicated';
  const wanted = `messages of QoS ${qos} ${what} ${boundsText(e)}`;
  const counts = things.flatMap((thing) => {
    const count = court.facts.messages.get(thing);
    return count ? [{ thing, sent: count.sent[qos], many: count[what][qos] }] : [];
  });
  const sent = counts.reduce((sum, count) => sum + count.sent, 0);
  if (sent === 0) return { wanted, got: `no message of QoS ${qos} was sent`, at: court.end, of: null };
  const many = counts.reduce((sum, count) => sum + count.many, 0);
  if (isWithinBounds(many, e)) return 'met';
  const most = counts.reduce((a, b) => (b.many > a.many ? b : a));
  return { wanted, got: `${many} of ${sent}${many > 0 ? `, ${most.many} of them ${most.thing}’s` : ''}`, at: court.end, of: most.thing };
}

function energy(e: Of<'energy'>, things: readonly string[], court: Court): Finding {
  const below = e.below === undefined ? null : joulesOf(e.below);
  const above = e.above === undefined ? null : joulesOf(e.above);
  const wanted = `energy ${[above === null ? [] : [`above ${e.above}`], below === null ? [] : [`below ${e.below}`]].flat().join(' and ')}`;
  const unknown = things.find((thing) => !court.facts.energyJ.has(thing));
  if (unknown !== undefined) return { wanted, got: `nothing is known of what ${unknown} made`, at: court.end, of: unknown };
  const joules = things.reduce((sum, thing) => sum + (court.facts.energyJ.get(thing) ?? 0), 0);
  if ((below === null || joules < below) && (above === null || joules > above)) return 'met';
  return { wanted, got: energyText(joules), at: court.end, of: null };
}

const isWithinBounds = (value: number, { below, above, is }: Bounds): boolean =>
  (below === undefined || value < below) && (above === undefined || value > above) && (is === undefined || value === is);

const boundsText = ({ below, above, is }: Bounds): string =>
  [is === undefined ? [] : [`are ${is}`], above === undefined ? [] : [`above ${above}`], below === undefined ? [] : [`below ${below}`]]
    .flat()
    .join(' and ');

const round = (value: number): string => String(Math.round(value * 1_000) / 1_000);

const ENERGY_UNITS = ['GWh', 'MWh', 'kWh', 'Wh', 'mWh'];

/** `1.25kWh`, in the unit that gives it at least one before the point. */
function energyText(joules: number): string {
  const unit = ENERGY_UNITS.find((one) => joules >= (joulesOf(`1${one}`) ?? 0)) ?? 'mWh';
  return `${round(joules / (joulesOf(`1${unit}`) ?? 1))}${unit}`;
}

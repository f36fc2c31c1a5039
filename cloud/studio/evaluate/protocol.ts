/**
 * The rules of an evaluation, as data: which faults stand at which severities and in which winds, what counts as normal, what a machine's
 * six features cannot show, which fault types are held out of all tuning, and the goals.
 *
 * Both lists are printed with every report. A fault is on one of them at every severity or at none.
 */
export interface HiddenFault {
  readonly fault: string;
  readonly reason: string;
}

export interface MachineProtocol {
  /** Of a group's wind; drawn evenly. */
  readonly meanMps: readonly [low: number, high: number];
  readonly turbulenceIntensity: readonly [low: number, high: number];
  /** Channels that sensor faults are about, in turn. */
  readonly sensorChannels: readonly string[];
  /** Diameters between the turbines of a group; absent: the machine has no wakes of its own, and one group stands in a wake made up for it. */
  readonly spacingDiameters?: number;
  /** At most five: what no feature of the original's six can show. */
  readonly hidden: readonly HiddenFault[];
  /** Used for nothing but the final table. */
  readonly heldOut: readonly string[];
}

/** Step 18 of the catalogue's rows: they take a channel. */
export const isSensorFault = (fault: string): boolean => fault.startsWith('sensor-');

/** Counts as normal: heading is unobservable for a six-axis sensor, so a detector must not care. */
export const NORMAL_FAULTS: readonly string[] = ['yaw-drift-jump'];

export const SEVERITIES = [1, 0.3] as const;
export const PREVALENCE = 0.1;
/** CARE's criticality in seconds of a 20 Hz stream: an event is detected above it. */
export const CRITICALITY_S = 60;
export const CRITICALITY_CAP_S = 1_000;

export const protocols: Readonly<Record<string, MachineProtocol>> = {
  'desk-turbine': {
    meanMps: [1.2, 2.2],
    turbulenceIntensity: [0.08, 0.24],
    sensorChannels: ['voltage', 'rps', 'wind_speed_rps'],
    hidden: [
      {
        fault: 'mass-imbalance',
        reason: 'it moves the acceleration once a turn and nothing else: attitude, wind, rotor speed and voltage stay as they are',
      },
    ],
    heldOut: ['encoder-bounce', 'anemometer-stuck', 'generator-winding', 'sensor-gain'],
  },
  'nrel-5mw': {
    meanMps: [5, 18],
    turbulenceIntensity: [0.06, 0.18],
    sensorChannels: ['powerKw', 'rotorRpm', 'generatorV', 'windSpeedMps'],
    spacingDiameters: 5,
    hidden: [],
    heldOut: ['encoder-bounce', 'anemometer-stuck', 'generator-winding', 'sensor-gain'],
  },
};

export interface Goal {
  readonly name: string;
  readonly wanted: string;
  readonly holds: (figures: GoalFigures) => boolean | null;
  readonly figure: (figures: GoalFigures) => number | null;
}

/** What goals are about; null where there was nothing to measure. */
export interface GoalFigures {
  readonly aucPrSevere: number | null;
  readonly aucPrMild: number | null;
  readonly aucPrHeldOut: number | null;
  readonly falseAlarmsPerTurbineWeek: number | null;
  readonly delayMedianS: number | null;
  readonly care: number | null;
  readonly attribution: number | null;
  readonly rangeCheckRecall: number | null;
  readonly gainOverRangeCheck: number | null;
  readonly gainOverOriginalRule: number | null;
}

const atLeast = (name: string, figure: Goal['figure'], least: number): Goal => ({
  name,
  figure,
  wanted: `≥ ${least}`,
  holds: (figures) => compare(figure(figures), (value) => value >= least),
});
const atMost = (name: string, figure: Goal['figure'], most: number): Goal => ({
  name,
  figure,
  wanted: `≤ ${most}`,
  holds: (figures) => compare(figure(figures), (value) => value <= most),
});
const compare = (value: number | null, test: (value: number) => boolean) => (value === null ? null : test(value));

export const goals: readonly Goal[] = [
  atLeast('AUC-PR at severity 1', ({ aucPrSevere }) => aucPrSevere, 0.9),
  atLeast('AUC-PR at severity 0.3', ({ aucPrMild }) => aucPrMild, 0.6),
  atLeast('AUC-PR of held-out faults at severity 1', ({ aucPrHeldOut }) => aucPrHeldOut, 0.85),
  atMost('range check: recall at severity 1', ({ rangeCheckRecall }) => rangeCheckRecall, 0.5),
  atLeast('gain over the range check, AUC-PR at severity 1', ({ gainOverRangeCheck }) => gainOverRangeCheck, 0.2),
  atMost('false alarms a turbine-week', ({ falseAlarmsPerTurbineWeek }) => falseAlarmsPerTurbineWeek, 1),
  atMost('delay of step faults, median, s', ({ delayMedianS }) => delayMedianS, 30),
  atLeast('gain over the original’s rule, AUC-PR at severity 1', ({ gainOverOriginalRule }) => gainOverOriginalRule, 0.3),
  atLeast('CARE', ({ care }) => care, 0.75),
  atLeast('attribution', ({ attribution }) => attribution, 0.9),
];

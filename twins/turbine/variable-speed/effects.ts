/**
 * What faults do to variable-speed twins. Most turbines are healthy, so a turbine holds a number of a slot and not a column a handle:
 * slot 0 is at rest and serves all healthy turbines; one with faults has a slot of its own.
 */
export interface VariableSpeedEffects {
  /** [rows], the slot of each turbine. */
  slotOf: Uint32Array;
  /** On the power and thrust coefficients, 0..1. */
  power: Float64Array;
  thrust: Float64Array;
  /** Between the pitch that is told and the blades', rad. */
  pitchBiasRad: Float64Array;
  /** 1 while the blades do not follow. */
  pitchStuck: Float64Array;
  /** One blade's pitch beside the others', rad; and mass out of balance, kg·m. */
  bladePitchRad: Float64Array;
  imbalanceKgM: Float64Array;
  /** Of the shaft's power, lost as heat in the gearbox, 0..1; and the gearbox's cooling, 0..1. */
  gearLoss: Float64Array;
  cooling: Float64Array;
  /** Of the shaft's power, what stays in the gearbox's housing beside a worn bearing, 0..1. */
  gearHeat: Float64Array;
  yawErrorRad: Float64Array;
  /** On all vibration of the nacelle, ≥ 1, and on the stiffness of a blade, 0..1. */
  vibration: Float64Array;
  bladeStiffness: Float64Array;
  /** Impulses of a worn race of the fast shaft's bearing, g at rated speed. */
  outerRaceG: Float64Array;
  innerRaceG: Float64Array;
  /** On the generator's voltage, 0..1. */
  voltage: Float64Array;
  /** On counted pulses of the rotor's encoder, and on the anemometer's reading. */
  encoder: Float64Array;
  anemometer: Float64Array;
  /** 1 while the anemometer's reading stands. */
  anemometerStuck: Float64Array;
  /** Of the shaft's power, lost as heat in the winding, 0..1. */
  windingLoss: Float64Array;
}

type Handle = Exclude<keyof VariableSpeedEffects, 'slotOf'>;

const RESTS: Readonly<Record<Handle, 0 | 1>> = {
  power: 1,
  thrust: 1,
  pitchBiasRad: 0,
  pitchStuck: 0,
  bladePitchRad: 0,
  imbalanceKgM: 0,
  gearLoss: 0,
  cooling: 1,
  gearHeat: 0,
  yawErrorRad: 0,
  vibration: 1,
  bladeStiffness: 1,
  outerRaceG: 0,
  innerRaceG: 0,
  voltage: 1,
  encoder: 1,
  anemometer: 1,
  anemometerStuck: 0,
  windingLoss: 0,
};
const HANDLES = Object.keys(RESTS) as Handle[];
const FIRST_SLOTS = 16;

export function createVariableSpeedEffects(rows: number): VariableSpeedEffects {
  const effects = { slotOf: new Uint32Array(rows) } as VariableSpeedEffects;
  for (const handle of HANDLES) effects[handle] = new Float64Array(FIRST_SLOTS).fill(RESTS[handle]);
  return effects;
}

/** The slot of a turbine of its own; makes one, and room for it, when there is none yet. */
export function slotFor(effects: VariableSpeedEffects, row: number): number {
  if (effects.slotOf[row] > 0) return effects.slotOf[row];
  const slot = effects.slotOf.reduce((most, taken) => Math.max(most, taken), 0) + 1;
  if (slot >= effects.power.length) {
    for (const handle of HANDLES) {
      const grown = new Float64Array(2 * effects[handle].length).fill(RESTS[handle]);
      grown.set(effects[handle]);
      effects[handle] = grown;
    }
  }
  effects.slotOf[row] = slot;
  return slot;
}

export function setSlotAtRest(effects: VariableSpeedEffects, slot: number): void {
  for (const handle of HANDLES) effects[handle][slot] = RESTS[handle];
}

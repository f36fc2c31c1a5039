/**
 * What faults do to bodies and sensors: a column a handle, at its healthy value when nothing is wrong.
 *
 * Every tick the rows with faults are set back and each of their faults turns its handles; physics and sensors read them.
 */
export interface Effects {
  /** On dry and viscous friction, ≥ 1. */
  readonly frictionFactor: Float64Array;
  /** On the torque that the wind gives, 0..1. */
  readonly aerodynamicFactor: Float64Array;
  readonly generatorFactor: Float64Array;
  /** 1 while the brushes do not touch. */
  readonly brushOpen: Uint8Array;
  readonly anemometerFactor: Float64Array;
  /** 1 while the anemometer's reading stands. */
  readonly anemometerStuck: Uint8Array;
  readonly heatK: Float64Array;
  /** Amplitude of the impulses of a worn race, g. */
  readonly outerRaceG: Float64Array;
  readonly innerRaceG: Float64Array;
  /** On the rotor's unbalance, ≥ 1. */
  readonly unbalanceFactor: Float64Array;
  /** On all vibration, ≥ 1. */
  readonly vibrationFactor: Float64Array;
  readonly tiltRad: Float64Array;
  /** On counted slots: lost below 1, bounced above. */
  readonly slotFactor: Float64Array;
  /** On the converter's reference voltage, 0..1. */
  readonly referenceFactor: Float64Array;
  /** 1 in the tick in which the controller restarts. */
  readonly reset: Uint8Array;
  /** Added to the heading once. */
  readonly yawJumpRad: Float64Array;
  /** Impulses once and twice a turn of a blade that is not as the others, g at the reference speed. */
  readonly bladeG: Float64Array;
}

const RESTS: { readonly [K in keyof Effects]: 0 | 1 } = {
  frictionFactor: 1,
  aerodynamicFactor: 1,
  generatorFactor: 1,
  brushOpen: 0,
  anemometerFactor: 1,
  anemometerStuck: 0,
  heatK: 0,
  outerRaceG: 0,
  innerRaceG: 0,
  unbalanceFactor: 1,
  vibrationFactor: 1,
  tiltRad: 0,
  slotFactor: 1,
  referenceFactor: 1,
  reset: 0,
  yawJumpRad: 0,
  bladeG: 0,
};

export function createEffects(rows: number): Effects {
  const column = () => new Float64Array(rows);
  const flags = () => new Uint8Array(rows);
  const effects: Effects = {
    frictionFactor: column(),
    aerodynamicFactor: column(),
    generatorFactor: column(),
    brushOpen: flags(),
    anemometerFactor: column(),
    anemometerStuck: flags(),
    heatK: column(),
    outerRaceG: column(),
    innerRaceG: column(),
    unbalanceFactor: column(),
    vibrationFactor: column(),
    tiltRad: column(),
    slotFactor: column(),
    referenceFactor: column(),
    reset: flags(),
    yawJumpRad: column(),
    bladeG: column(),
  };
  for (let row = 0; row < rows; row++) setAtRest(effects, row);
  return effects;
}

export function setAtRest(effects: Effects, row: number): void {
  for (const [name, rest] of Object.entries(RESTS)) effects[name as keyof Effects][row] = rest;
}

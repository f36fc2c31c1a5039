/** One check of the physics: what was asked, what the reference says, what the twin does, and how it looks drawn. */
export interface Check {
  readonly name: string;
  /** Where the wanted figures come from. */
  readonly source: string;
  /** The largest deviation found, in `unit`, and what is allowed. */
  readonly deviation: number;
  readonly allowed: number;
  readonly unit: string;
  /** The figure is no deviation but a quantity that must stay below a limit. */
  readonly isLimit?: boolean;
  readonly plots: readonly Plot[];
}

export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Logarithmic axes. */
  readonly logarithmic?: boolean;
  readonly curves: readonly Curve[];
}

export interface Curve {
  readonly label: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** Points of a reference are drawn as rings, the twin as a line. */
  readonly isReference?: boolean;
}

export const hasPassed = ({ deviation, allowed }: Check): boolean => deviation <= allowed;

/** Where a farm and its turbines stand. */
import type { ThingName } from './ids.ts';

export interface PlacedTurbine {
  readonly thing: ThingName;
  readonly machine: string;
  /** From the layout's origin. */
  readonly eastM: number;
  readonly northM: number;
  readonly latitudeDeg: number;
  readonly longitudeDeg: number;
}

export interface FarmSite {
  readonly name: string;
  readonly latitudeDeg: number;
  readonly longitudeDeg: number;
  readonly turbines: readonly PlacedTurbine[];
}

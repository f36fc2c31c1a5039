/** Latest values by channel; a channel that did not arrive is absent, never 0. */
export type Readings = Readonly<Record<string, number>>;

/** A sensor that speaks by itself until `signal` aborts. Ends quietly then; throws BackingLost when the device goes. */
export interface Driver {
  readonly name: string;
  read(signal: AbortSignal): AsyncIterable<Readings>;
}

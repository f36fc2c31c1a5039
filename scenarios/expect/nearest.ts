/** What happened around an instant, first of all to whom it is about. */
import type { FleetEvent } from '../../actors/contracts/log.ts';
import type { Millis } from '../../actors/contracts/units.ts';

const SHOWN = 5;
const ELSEWHERE_MS = 20_000; // what happened to others counts as if it were so much farther away

/** Oldest first. @param of the turbine, step or service that it is about; null: nobody in particular */
export function nearestEvents(events: readonly FleetEvent[], at: Millis, of: string | null): FleetEvent[] {
  const best: { readonly event: FleetEvent; readonly off: number; readonly place: number }[] = [];
  for (const [place, event] of events.entries()) {
    const isAbout = of === null || event.of === of || event.what['step'] === of || event.what['thing'] === of;
    const off = Math.abs(event.at - at) + (isAbout ? 0 : ELSEWHERE_MS);
    if (best.length === SHOWN && off >= best[SHOWN - 1].off) continue;
    best.push({ event, off, place });
    best.sort((a, b) => a.off - b.off || a.place - b.place);
    if (best.length > SHOWN) best.pop();
  }
  return best.sort((a, b) => a.place - b.place).map(({ event }) => event);
}

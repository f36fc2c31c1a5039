/** An actor's transitions with their causes, while somebody looks: XState's inspection events through `@xstate/inspect`. */
import { createInspector } from '@xstate/inspect';
import type { AnyActorRef } from 'xstate';
import type { TransitionReport } from '../contracts/telemetry.ts';
import { eventName } from '../turbine/event-name.ts';
import { stateName } from '../turbine/machine.ts';

/** Costs as much again as the actor's own work: only for actors that are looked at. @returns ends it. */
export function inspectActor(actor: AnyActorRef, hear: (transition: Omit<TransitionReport, 'at'>) => void): () => void {
  let from = stateName(actor.getSnapshot().value);
  const inspector = createInspector({
    send(event) {
      if (event.type !== '@xstate.snapshot' || event.sessionId !== actor.sessionId) return;
      const to = stateName((event.snapshot as { value?: unknown }).value);
      if (to === from) return;
      hear({ from, to, event: eventName(event.event.type) });
      from = to;
    },
  });
  const watching = actor.system.inspect(inspector.inspect);
  return () => {
    watching.unsubscribe();
    inspector.stop();
  };
}

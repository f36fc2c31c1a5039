/** What operators order over the bus, checked at the device's door. */
import type { OperatorCommand } from '../contracts/telemetry.ts';
import type { TurbineEvent } from '../turbine/machine.ts';

/** Null for what is no command. */
export function parseCommand(payload: Uint8Array): OperatorCommand | null {
  const raw = parseObject(payload);
  if (raw?.command === 'start' || raw?.command === 'stop' || raw?.command === 'reset') return { command: raw.command };
  if (raw?.command === 'derate' && typeof raw.fraction === 'number' && raw.fraction >= 0 && raw.fraction <= 1)
    return { command: 'derate', fraction: raw.fraction };
  return null;
}

/** Null for what is no order to inspect or to stop it. */
export function parseInspect(payload: Uint8Array): boolean | null {
  const raw = parseObject(payload);
  return typeof raw?.inspect === 'boolean' ? raw.inspect : null;
}

export const commandEvent = (order: OperatorCommand): TurbineEvent =>
  order.command === 'derate' ? { type: 'operator.derate', fraction: order.fraction } : { type: `operator.${order.command}` };

function parseObject(payload: Uint8Array): Record<string, unknown> | null {
  try {
    const raw: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
    return typeof raw === 'object' && raw !== null && !Array.isArray(raw) ? (raw as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** XState's own events in words: `after patience`, `done`, `error`, `always`; all others by their type. */
export function eventName(type: string): string {
  if (type === '') return 'always';
  if (type === 'xstate.init') return 'start';
  if (type.startsWith('xstate.after.')) return `after ${type.split('.')[2]}`;
  if (type.startsWith('xstate.done.')) return 'update.done';
  if (type.startsWith('xstate.error.')) return 'update.error';
  return type;
}

/** A line that says what was done, or why it was not. */
import { signal } from '@preact/signals';

const notice = signal<{ readonly text: string; readonly isError: boolean } | null>(null);
const SHOWN_MS = 6_000;
let shown = 0;

/** Says `done` when the work is, and the reason when it fails. */
export function say(work: Promise<unknown>, done?: string): void {
  work.then(
    () => done !== undefined && show(done, false),
    (error: unknown) => show(error instanceof Error ? error.message : String(error), true),
  );
}

function show(text: string, isError: boolean): void {
  const mine = ++shown;
  notice.value = { text, isError };
  setTimeout(() => {
    if (mine === shown) notice.value = null;
  }, SHOWN_MS);
}

export function Notice() {
  return (
    <div role="status" class={`notice ${notice.value?.isError ? 'error' : ''}`} hidden={!notice.value}>
      {notice.value?.text}
    </div>
  );
}

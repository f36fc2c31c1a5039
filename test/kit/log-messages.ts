/** Log messages as the original's application sends them: 11 records of 20 texts, one each 50 ms. */
export const RECORDS = 11;

const VALUES = '512 2.19 2.06 70 -0.10 0.00 -0.01 0.99 0.00 0.00 1.00 0 0 16384 31.50 22.10 40.00 1013.20 1.10'.split(' ');
const EPOCH = Date.UTC(2026, 0, 1);

/** The n-th message of a device. */
export function logMessage(n: number): string {
  const logs = Array.from({ length: RECORDS }, (_, i) => {
    const ms = (n * RECORDS + i) * 50;
    return { ts: new Date(EPOCH + ms).toISOString().replace('Z', '+00:00'), data: [String(ms), ...VALUES] };
  });
  return JSON.stringify({ logs });
}

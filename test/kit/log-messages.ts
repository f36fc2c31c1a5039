/** What devices of the original say: log messages of 11 records of 20 texts, one each 50 ms, and lines of captures. */
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

/** The n-th capture of a device: six errors, the first of which is n, and no anomaly. */
export function captureLine(n: number, device = 'T-1'): string {
  const tensor = (name: string, values: readonly number[]) => ({
    name,
    data: Buffer.from(Float32Array.from(values).buffer).toString('base64'),
    encoding: 'BASE64',
    observedContentType: 'Tensor[FLOAT32; 6]',
  });
  return JSON.stringify({
    deviceFleetInputs: [tensor('input', [n, 1, 1, 1, 1, 1])],
    deviceFleetOutputs: [tensor('output', [0, 0, 0, 0, 0, 0])],
    eventMetadata: {
      deviceFleetName: 'farm',
      deviceId: device,
      eventId: `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`,
      inferenceTime: new Date(EPOCH + n * 1_000).toISOString().slice(0, 19),
      modelName: 'm',
      modelVersion: '1.0',
    },
    eventVersion: '0',
  });
}

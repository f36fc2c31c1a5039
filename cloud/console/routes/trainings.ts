/** Trainings, as those who train tell of them: the newest few are kept, none is steered from here. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { TrainingReport } from '../../../actors/contracts/trainings.ts';
import { parseBody } from '../errors.ts';

const KEPT = 5;
const MOST_EPOCHS = 300;

const count = z.number().int().min(0).max(1e9);
const text = z.string().min(1).max(160);
const loss = z.number().min(0);

const Report = z.strictObject({
  id: z.string().regex(/^[\w-]{1,64}$/),
  model: text,
  machine: text,
  network: text,
  state: z.enum(['running', 'done', 'stopped', 'failed']),
  epoch: count,
  epochs: count,
  fold: count.nullable(),
  share: z.number().min(0).max(1),
  windowsPerSecond: z.number().min(0).max(1e12),
  secondsLeft: z.number().min(0).nullable(),
  history: z.array(z.strictObject({ epoch: count, trainingLoss: loss, heldOutLoss: loss })).max(MOST_EPOCHS),
});

export interface Trainings {
  /** Newest first. */
  list(): readonly TrainingReport[];
  onChange(hear: () => void): void;
}

export function trainingRoutes(app: FastifyInstance): Trainings {
  const trainings = new Map<string, TrainingReport>();
  const listeners: (() => void)[] = [];
  const list = () => [...trainings.values()].reverse();

  app.get('/api/trainings', async () => list());
  app.post('/api/trainings', async ({ body }, reply) => {
    const report = parseBody(Report, body);
    trainings.set(report.id, report); // one that is known keeps its place
    for (const id of [...trainings.keys()].slice(0, -KEPT)) trainings.delete(id);
    for (const hear of listeners) hear();
    return reply.status(202).send({ id: report.id });
  });

  return { list, onChange: (hear) => void listeners.push(hear) };
}

/** Server-sent events: the fleet as it is, then what changes, gathered so that a busy fleet sends at most five messages a second. */
import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../../actors/contracts/clock.ts';
import { FleetError } from '../../../actors/contracts/errors.ts';
import type { Alarm, FleetViewEvent, TurbineView } from '../../../actors/contracts/fleet-view.ts';
import type { TransitionReport } from '../../../actors/contracts/telemetry.ts';
import type { ConsoleServices } from '../services.ts';
import type { Trainings } from './trainings.ts';

const EVERY_MS = 200;
const HEARTBEAT_MS = 15_000;
const MAX_STREAMS = 64;

/** @param wall the wall's timers: a browser's patience does not run on simulated time */
export function streamRoutes(
  app: FastifyInstance,
  { view, jobs, deployments }: ConsoleServices,
  trainings: Trainings,
  wall: Pick<Clock, 'setTimeout' | 'clearTimeout' | 'now'>,
): { close(): void } {
  const streams = new Set<() => void>();
  let jobsChanged = 0;
  jobs.onChange(() => {
    jobsChanged++;
  });
  deployments.onChange(() => {
    jobsChanged++;
  });
  let trainingsChanged = 0;
  trainings.onChange(() => {
    trainingsChanged++;
  });

  app.get('/api/stream', (request, reply) => {
    if (streams.size >= MAX_STREAMS) {
      reply.status(503).send({ error: { code: 'busy', message: `${MAX_STREAMS} pages are watching already`, hint: 'close one' } });
      return;
    }
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
    });
    const send = (event: string, data: unknown) => raw.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

    const turbines = new Map<string, TurbineView>();
    const alarms = new Map<string, Alarm>();
    let transitions: { thing: string; transition: TransitionReport }[] = [];
    let jobsSent = -1;
    let trainingsSent = -1;
    let lastSent = wall.now();
    let timer = 0;
    const hear = (event: FleetViewEvent) => {
      if (event.kind === 'turbine') turbines.set(event.turbine.thing, event.turbine);
      else if (event.kind === 'alarm') alarms.set(event.alarm.id, event.alarm);
      else transitions.push({ thing: event.thing, transition: event.transition });
    };
    const probation = () =>
      view.turbines().flatMap(({ thing }) => {
        const standing = deployments.standing(thing);
        return standing && standing.installed.model !== standing.accepted?.model ? [thing] : [];
      });
    const flush = async () => {
      timer = wall.setTimeout(() => void flush(), EVERY_MS);
      if (raw.writableNeedDrain) return; // a page that does not read hears the newest when it does
      if (turbines.size > 0 || alarms.size > 0 || transitions.length > 0) {
        send('fleet', { turbines: [...turbines.values()], alarms: [...alarms.values()], transitions });
        turbines.clear();
        alarms.clear();
        transitions = [];
        lastSent = wall.now();
      } else if (wall.now() - lastSent > HEARTBEAT_MS) {
        raw.write(': still here\n\n');
        lastSent = wall.now();
      }
      if (trainingsSent !== trainingsChanged) {
        trainingsSent = trainingsChanged;
        send('trainings', trainings.list());
      }
      if (jobsSent === jobsChanged) return;
      const upTo = jobsChanged;
      try {
        send('deployments', await deployments.list());
        send('probation', probation());
        jobsSent = upTo;
      } catch (error) {
        if (!(error instanceof FleetError)) throw error; // a store in trouble is asked again in a moment
      }
    };
    const silence = view.onChange(hear);
    const end = () => {
      silence();
      wall.clearTimeout(timer);
      streams.delete(end);
      raw.end();
    };
    streams.add(end);
    request.raw.on('close', end);
    send('fleet', {
      turbines: view.turbines(),
      alarms: view.alarms(),
      transitions: view.turbines().flatMap(({ thing }) => view.transitions(thing).map((transition) => ({ thing, transition }))),
    });
    void flush();
  });

  return {
    close() {
      for (const end of [...streams]) end();
    },
  };
}

/** A world for a story: its fleet behind faulty ports, in memory, with a key that is everybody's. It composes. */
import { join } from 'node:path';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { EnvironmentLacking } from '../actors/contracts/errors.ts';
import type { Lamp, TurbineView } from '../actors/contracts/fleet-view.ts';
import { type ModelId, parseModelId } from '../actors/contracts/ids.ts';
import type { Engine } from '../actors/contracts/inference.ts';
import type { Log } from '../actors/contracts/log.ts';
import { MODEL_BUCKET } from '../actors/contracts/objects.ts';
import { sha256Hex } from '../actors/package/digest.ts';
import { SIGNATURE_FILE } from '../actors/package/model-signature.ts';
import { openModel, packModel } from '../actors/package/package.ts';
import { packTar, unpackTar } from '../actors/package/tar.ts';
import type { SigningKey } from '../cloud/models/keys.ts';
import { defaultWind } from '../twins/library/desk-turbine.ts';
import { createRng } from '../twins/rng.ts';
import type { VirtualClock } from '../twins/time/virtual-clock.ts';
import type { RunLog } from './digest.ts';
import { planFaults } from '../actors/fleet/rollout/plan.ts';
import { readPlanFile } from '../cloud/rollouts/plan-file.ts';
import { parseWindow } from '../cloud/rollouts/window.ts';
import { openOutside, type Outside } from './faulty/outside.ts';
import type { KeptParts } from './kept.ts';
import type { LoadedStory } from './load.ts';
import { publishCopies } from './model-copies.ts';
import type { Stage } from './run.ts';
import { openStageWatch } from './stage-watch.ts';
import { type LaterThreshold, laterThreshold } from './threshold.ts';
import type { Decorations } from './services.ts';
import { openWorld, type World } from './world.ts';

/** Of utility-scale machines; a desk turbine works into an open circuit and makes nothing. */
const POWER_CHANNEL = 'powerKw';

export interface StoryWorld {
  readonly world: World;
  readonly stage: Stage;
  close(): Promise<void>;
}

export interface StageTools {
  readonly clock: VirtualClock;
  readonly events: RunLog;
  readonly log: Log;
  /** Whether simulated time passes as the wall's does: only then can a real port be read. */
  readonly isRealTime: boolean;
  /** Threads that run the twins' rows. */
  readonly workers?: number | undefined;
  /** A window is anomalous above this from that instant on, instead of above 1. */
  readonly threshold?: LaterThreshold | undefined;
  /** Shared with the worlds of other stories; absent: this one has its own. */
  readonly kept?: KeptParts | undefined;
  /** What stands in the place of the product's own: for tests that plant a bug. */
  readonly instead?: Partial<Pick<Decorations, 'jobs' | 'steps'> & { readonly lampOf: (turbine: TurbineView) => Lamp }> | undefined;
}

/** @throws EnvironmentLacking for a real port at another pace than the wall's, or one that is not there */
export async function openStage(
  loaded: LoadedStory,
  { clock, events, log, isRealTime, workers, threshold, kept, instead = {} }: StageTools,
): Promise<StoryWorld> {
  const { story, things } = loaded;
  const real = loaded.serials.find(({ port }) => port !== 'emulated');
  if (real && !isRealTime)
    throw new EnvironmentLacking(`${real.thing} is at the real port ${real.port}, whose time is the wall's`, {
      hint: 'play it with --speed 1x, or emulate the turbine: `serial: emulated`',
    });
  const rng = createRng(story.seed);
  const key = storyKey();
  const isWatched = story.expect.some(({ that }) => that === 'invariant');
  const watch = isWatched ? openStageWatch(clock, [key.publicKey], instead.lampOf) : null;
  const powerChannel = story.expect.some(({ that }) => that === 'energy') ? POWER_CHANNEL : null;
  const outside = openOutside(clock, rng, { powerChannel, watch: watch?.probes ?? null });
  const decorate: Decorations = {
    ...(threshold ? withThreshold(outside.decorate, clock, threshold) : outside.decorate),
    ...instead,
    ...(watch ? { steps: watch.steps(instead.steps) } : {}),
  };
  const world = await openWorld(
    {
      seed: story.seed,
      fleet: loaded.groups.map(({ things: names, ...group }) => ({ ...group, twins: names.length })),
      replays: loaded.recordings.map(({ file }) => file),
      serials: loaded.serials.map((serial) => ({ ...serial, wind: windOfDesks(loaded) })),
      workers,
      isMetered: isWatched,
      ports: { kind: 'memory', key },
    },
    {
      clock,
      log,
      events,
      decorate,
      kept,
    },
  );
  watch?.probes.lookAt(world.view);
  await publishCopies(story.models ?? [], world.catalogue, key, kept?.pack);
  await outside.connect(world.fleet);
  await joinTags(loaded, world);

  return {
    world,
    stage: {
      things,
      rng,
      clock,
      bodies: world.bodies,
      outside,
      models: modelShelf(world, key),
      deployments: world.deployments,
      plan: (file) =>
        readPlanFile(loaded.folder === null ? file : join(loaded.folder, file), (plan) => planFaults(plan, parseWindow)).wishes,
      events,
      watch: watch ? { witness: () => watch.probes.witness(), finish: () => watch.finish(world) } : undefined,
      command: (thing, order) => world.command(thing, order),
    },
    close: () => world.close(),
  };
}

/** The models of all devices have another threshold later, whatever else stands before them. */
function withThreshold(decorate: Outside['decorate'], clock: VirtualClock, threshold: LaterThreshold): Outside['decorate'] {
  let engine: Engine | null = null;
  return {
    ...decorate,
    device(thing, given) {
      engine ??= laterThreshold(given.engine, clock, threshold);
      return decorate.device(thing, { ...given, engine });
    },
  };
}

/** Desk turbines of one story stand in one wind, whatever reads them. */
const windOfDesks = ({ groups, story }: LoadedStory) => groups.find(({ machine }) => machine.kind === 'fixed-pitch')?.wind ?? windOf(story);

function windOf({ wind }: LoadedStory['story']) {
  if (!wind) return defaultWind;
  const { meanMps, turbulenceIntensity } = wind;
  return { meanMps, turbulenceIntensity };
}

/** Tags are groups of the registry: a deploy step can name one. */
async function joinTags({ things, story }: LoadedStory, { registry }: World): Promise<void> {
  const wanted = new Set(story.timeline.flatMap((step) => ('deploy' in step && step.to !== undefined ? [step.to] : [])));
  for (const tag of new Set(things.flatMap(({ tags }) => tags))) {
    if (!wanted.has(tag)) continue;
    await registry.createGroup({ name: tag });
    for (const { name, tags } of things) if (tags.includes(tag)) await registry.join(name, tag);
  }
}

/** Whoever spoils a model stands at the store itself: what is between devices and the store does not trouble him. */
function modelShelf({ catalogue, held, view }: World, key: SigningKey): Stage['models'] {
  const keyOfModel = (model: ModelId) => {
    const { name, version } = parseModelId(model)!;
    return `${name}/${name}-${version}.tar.gz`;
  };
  return {
    keyOf: keyOfModel,
    read: async (model) => openModel(await catalogue.read(model), { trustedKeys: [key.publicKey] }),
    async replace(contents, isSigned) {
      const { bytes } = packModel(contents, key.privateKey);
      const { name, version } = contents.manifest;
      await held!.objects.put(MODEL_BUCKET, keyOfModel(`${name}@${version}`), isSigned ? bytes : withoutSignature(bytes));
    },
    isServing: (model) => view.turbines().some((turbine) => turbine.model === model),
  };
}

function withoutSignature(bytes: Uint8Array): Uint8Array {
  const files = new Map(unpackTar(bytes));
  files.delete(SIGNATURE_FILE);
  return packTar(files);
}

/** PKCS #8 of an Ed25519 key (RFC 8410), but for its 32 bytes. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Stories' packages are signed by one key, so that their bytes are the same in every run; nothing outside trusts it. */
function storyKey(): SigningKey {
  const secret = Buffer.from(sha256Hex('stories of windfleet'), 'hex');
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, secret]), format: 'der', type: 'pkcs8' });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** What the console needs of the cloud. It never sees an actor. */
import type { Chart } from '../../actors/contracts/chart.ts';
import type { DeadLetters } from '../../actors/contracts/dead-letters.ts';
import type { Deployments } from '../../actors/contracts/deployments.ts';
import type { FaultInjector } from '../../actors/contracts/faults.ts';
import type { FleetView } from '../../actors/contracts/fleet-view.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { DocumentIndex } from '../../actors/contracts/index.ts';
import type { JobsControl } from '../../actors/contracts/jobs.ts';
import type { FarmSite } from '../../actors/contracts/site.ts';
import type { ObjectStore } from '../../actors/contracts/objects.ts';
import type { OperatorCommand } from '../../actors/contracts/telemetry.ts';
import type { Catalogue } from '../models/catalogue.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import type { Things } from '../things/ports.ts';

export interface ConsoleServices {
  readonly view: FleetView;
  /** Null where no body can be broken from here: a cloud without a farm. */
  readonly faults: FaultInjector | null;
  readonly deployments: Deployments;
  readonly jobs: JobsControl;
  readonly catalogue: Pick<Catalogue, 'list' | 'describe' | 'grants' | 'aliases' | 'setAlias' | 'removeAlias'>;
  /** Now, as ISO 8601. */
  readonly dated: () => string;
  /** What could not become a document. */
  readonly letters: DeadLetters;
  /** Documents made, and given up, since the start; absent: nobody counts. */
  readonly ingested?: { readonly documents: number; readonly lost: number };
  readonly index: DocumentIndex;
  /** Epoch milliseconds of the service's time. */
  readonly now: () => Millis;
  readonly objects: ObjectStore;
  /** The turbine's statechart, for drawing. */
  readonly chart: Chart;
  readonly command: (thing: ThingName, order: OperatorCommand) => Promise<void>;
  readonly inspect: (thing: ThingName, on: boolean) => Promise<void>;
  /** Where the farm stands; null where no farm runs. */
  readonly site: (() => Promise<FarmSite>) | null;
  /** PEM of the keys that devices trust. */
  readonly trustedKeys: readonly string[];
  readonly things: Pick<Things, 'registry' | 'certificates' | 'policies'>;
  /** `host:port` of the broker; null without one. */
  readonly mqttEndpoint: string | null;
  /** The same by TLS, for things with certificates; null without one. */
  readonly mqttsEndpoint: string | null;
  /** `host:port` of the door for things by HTTPS; null without one. */
  readonly httpsEndpoint: string | null;
}

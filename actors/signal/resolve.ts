/** The features of a model's signal, checked against the operations of its pipeline and the channels of the machine. */
import type { Channel } from '../contracts/channels.ts';
import { ModelRejected } from '../contracts/errors.ts';
import type { FeatureSpec, SignalSpec } from '../contracts/model.ts';

/** What any pipeline says of an operation. */
export interface OperationShape {
  /** How many channels it reads. */
  readonly channels: readonly [least: number, most: number];
  /** Names of its constants, all of them needed. */
  readonly parameters: readonly string[];
}

export interface ResolvedFeature<O extends OperationShape> extends FeatureSpec {
  readonly operation: O;
  /** Columns of its channels. */
  readonly sources: readonly number[];
  /** Room for their readings. */
  readonly read: number[];
}

export function refuseSignal(why: string): never {
  throw new ModelRejected('signal pipeline', why, undefined, 'manifest.signal');
}

/** @throws ModelRejected naming the operation, channel or constant that is not there. */
export function resolveFeatures<O extends OperationShape>(
  spec: SignalSpec,
  channels: readonly Channel[],
  operations: Readonly<Record<string, O>>,
): ResolvedFeature<O>[] {
  return spec.features.map((feature) => {
    const operation = Object.hasOwn(operations, feature.op)
      ? operations[feature.op]
      : refuseSignal(`feature ${feature.name}: no operation ${feature.op} in pipeline ${spec.pipeline}`);
    const sources = feature.channels.map((name) => {
      const index = channels.findIndex((channel) => channel.name === name);
      return index >= 0 ? index : refuseSignal(`feature ${feature.name}: this machine has no channel ${name}`);
    });
    const [least, most] = operation.channels;
    if (sources.length < least || sources.length > most)
      refuseSignal(
        `feature ${feature.name}: ${feature.op} takes ${least === most ? least : `${least} to ${most}`} channels, not ${sources.length}`,
      );
    for (const name of operation.parameters)
      if (!Number.isFinite(feature.parameters[name])) refuseSignal(`feature ${feature.name}: constant ${name} is missing`);
    if (!(feature.std > 0)) refuseSignal(`feature ${feature.name}: std ${feature.std} is not above 0`);
    return { ...feature, operation, sources, read: new Array<number>(sources.length).fill(0) };
  });
}

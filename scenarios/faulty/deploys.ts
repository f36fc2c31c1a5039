/**
 * Models that are spoiled before they are deployed: their package in the store is another one by then, well signed, not signed, or with
 * wrong bytes; or the model is bad only when it is asked.
 */
import { ConfigInvalid } from '../../actors/contracts/errors.ts';
import type { ModelId } from '../../actors/contracts/ids.ts';
import type { ModelContents } from '../../actors/package/package.ts';
import type { Begun, Outside } from './outside.ts';
import { type SpoiledModel, spoiledModel } from './models.ts';

/** The shelf of published models, as one who may change it has it. */
export interface ModelShelf {
  read(model: ModelId): Promise<ModelContents>;
  /** The key of its package among the models. */
  keyOf(model: ModelId): string;
  /** Puts it where the published one lies. @param isSigned by the key that the fleet trusts */
  replace(contents: ModelContents, isSigned: boolean): Promise<void>;
  /** Whether a turbine is judged by it. */
  isServing(model: ModelId): boolean;
}

export interface SpoiledDeploys {
  /** @param deploy label of the deploy step */
  begin(deploy: string, model: ModelId, spoiling: SpoilingOrder): Begun;
  /** Spoils the model of a deploy step, if that is to be; called before it is deployed. */
  ready(deploy: string, model: ModelId): Promise<void>;
}

export interface SpoilingOrder {
  readonly fault: string;
  readonly label: string;
  /** 0..1 */
  readonly severity: number;
  readonly attributes: Readonly<Record<string, number | string>>;
}

interface Spoiling extends SpoilingOrder {
  readonly done: () => void;
}

const GROWTH_PER_MINUTE = 0.4; // of a drifting model's errors, at severity 1

export function spoiledDeploys(shelf: ModelShelf, outside: Outside): SpoiledDeploys {
  const planned = new Map<string, Spoiling[]>();
  const deployed = new Set<string>();

  return {
    begin(deploy, model, order) {
      const { fault, label } = order;
      if (fault === 'package-corrupt') {
        outside.corrupt(shelf.keyOf(model), true);
        return { active: Promise.resolve(), end: () => outside.corrupt(shelf.keyOf(model), false), isOver: () => true };
      }
      if (deployed.has(deploy)) throw new ConfigInvalid(`${label}: ${deploy} has been deployed; its model is spoiled before`);
      let done: () => void = () => {};
      const active = new Promise<void>((spoiled) => {
        done = spoiled;
      });
      planned.set(deploy, [...(planned.get(deploy) ?? []), { ...order, done }]);
      return {
        active,
        end: () => outside.troubleModel(model, label, null),
        isOver: () => fault === 'package-unsigned' || !shelf.isServing(model),
      };
    },

    async ready(deploy, model) {
      deployed.add(deploy);
      const all = planned.get(deploy) ?? [];
      if (all.length === 0) return;
      let contents = await shelf.read(model);
      for (const { fault, label, severity, attributes } of all) {
        if (fault === 'model-slow') outside.troubleModel(model, label, { latencyMs: Number(attributes['latencyMs']) });
        else if (fault === 'model-drifting') outside.troubleModel(model, label, { growthPerMinute: GROWTH_PER_MINUTE * severity });
        else if (fault !== 'package-unsigned') contents = spoiledModel(contents, fault as SpoiledModel, severity);
      }
      await shelf.replace(contents, !all.some(({ fault }) => fault === 'package-unsigned'));
      for (const { done } of all) done();
    },
  };
}

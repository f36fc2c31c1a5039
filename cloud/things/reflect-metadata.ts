/**
 * The three calls of the `reflect-metadata` proposal that @peculiar/x509's injector needs, where nobody has given them: the
 * package of that name is asked for by the injector but not among its dependencies.
 */
type Key = unknown;
interface WithMetadata {
  defineMetadata?(key: Key, value: unknown, target: object, property?: PropertyKey): void;
  getOwnMetadata?(key: Key, target: object, property?: PropertyKey): unknown;
  getMetadata?(key: Key, target: object, property?: PropertyKey): unknown;
}

export function giveReflectMetadata(): void {
  const reflect = Reflect as WithMetadata;
  if (reflect.getMetadata) return;
  const facts = new WeakMap<object, Map<PropertyKey | undefined, Map<Key, unknown>>>();

  reflect.defineMetadata = (key, value, target, property) => {
    const ofTarget = facts.get(target) ?? new Map<PropertyKey | undefined, Map<Key, unknown>>();
    facts.set(target, ofTarget);
    const ofProperty = ofTarget.get(property) ?? new Map<Key, unknown>();
    ofTarget.set(property, ofProperty.set(key, value));
  };
  reflect.getOwnMetadata = (key, target, property) => facts.get(target)?.get(property)?.get(key);
  reflect.getMetadata = (key, target, property) => {
    for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at) as object | null) {
      const value = facts.get(at)?.get(property)?.get(key);
      if (value !== undefined) return value;
    }
    return undefined;
  };
}

/** Subscriptions by topic filter: finding who hears a topic costs its levels, not the number of subscriptions. */

interface Node<T> {
  readonly children: Map<string, Node<T>>; // `+` and `#` are levels like others
  readonly here: Map<T, number>;
}

const REMEMBERED_TOPICS = 10_000;

const node = <T>(): Node<T> => ({ children: new Map(), here: new Map() });

/** Each subscriber of a topic once, with the best quality of the filters by which it hears it. */
export class TopicTree<T> {
  private readonly root: Node<T> = node();
  private readonly remembered = new Map<string, ReadonlyMap<T, number>>(); // topics are few and messages many

  add(filter: string, subscriber: T, qos: number): void {
    let at = this.root;
    for (const level of filter.split('/')) {
      const next = at.children.get(level) ?? node();
      at.children.set(level, next);
      at = next;
    }
    at.here.set(subscriber, qos);
    this.remembered.clear();
  }

  remove(filter: string, subscriber: T): void {
    const path: { readonly parent: Node<T>; readonly level: string; readonly child: Node<T> }[] = [];
    let at = this.root;
    for (const level of filter.split('/')) {
      const child = at.children.get(level);
      if (!child) return;
      path.push({ parent: at, level, child });
      at = child;
    }
    at.here.delete(subscriber);
    for (const { parent, level, child } of path.reverse()) {
      if (child.here.size > 0 || child.children.size > 0) break;
      parent.children.delete(level);
    }
    this.remembered.clear();
  }

  match(topic: string): ReadonlyMap<T, number> {
    const known = this.remembered.get(topic);
    if (known) return known;
    const found = new Map<T, number>();
    const take = ({ here }: Node<T>) => {
      for (const [subscriber, qos] of here) if (qos > (found.get(subscriber) ?? -1)) found.set(subscriber, qos);
    };
    const levels = topic.split('/');
    const hidden = topic.startsWith('$'); // [MQTT-4.7.2-1]: a leading wildcard does not match it
    const descend = (at: Node<T>, depth: number) => {
      const wild = depth > 0 || !hidden;
      const rest = wild ? at.children.get('#') : undefined;
      if (rest) take(rest); // `a/#` covers `a` too
      if (depth === levels.length) return take(at);
      const exact = at.children.get(levels[depth]);
      if (exact) descend(exact, depth + 1);
      const any = wild ? at.children.get('+') : undefined;
      if (any) descend(any, depth + 1);
    };
    descend(this.root, 0);
    if (this.remembered.size >= REMEMBERED_TOPICS) this.remembered.clear();
    this.remembered.set(topic, found);
    return found;
  }
}

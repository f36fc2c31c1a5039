/** What a topic name and a topic filter may look like (MQTT 3.1.1 §4.7), and whether one filter lies within another. */

/** Null for a name that may be published on, else what is wrong with it. */
export function faultOfTopic(topic: string, limits: { readonly topicBytes: number; readonly topicLevels: number }): string | null {
  if (topic.includes('+') || topic.includes('#')) return 'a wildcard in a topic name'; // [MQTT-3.3.2-2]
  return faultOfLevels(topic, limits);
}

/** Null for a filter that may be subscribed to, else what is wrong with it. */
export function faultOfFilter(filter: string, limits: { readonly topicBytes: number; readonly topicLevels: number }): string | null {
  const fault = faultOfLevels(filter, limits);
  if (fault) return fault;
  const levels = filter.split('/');
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i];
    if (level.includes('#') && (level !== '#' || i !== levels.length - 1)) return '# stands alone and last'; // [MQTT-4.7.1-2]
    if (level.includes('+') && level !== '+') return '+ stands alone in its level'; // [MQTT-4.7.1-3]
  }
  return null;
}

function faultOfLevels(
  name: string,
  { topicBytes, topicLevels }: { readonly topicBytes: number; readonly topicLevels: number },
): string | null {
  if (name === '') return 'an empty topic'; // [MQTT-4.7.3-1]
  if (name.length > topicBytes || Buffer.byteLength(name) > topicBytes) return `a topic of more than ${topicBytes} bytes`;
  if (name.includes('\0')) return 'a NUL in a topic'; // [MQTT-4.7.3-2]
  let levels = 1;
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) === 47) levels++;
  return levels > topicLevels ? `a topic of ${levels} levels` : null;
}

/** Whether every topic that `inner` covers is covered by `outer`: wildcard containment. */
export function filterContains(outer: string, inner: string): boolean {
  const out = outer.split('/');
  const into = inner.split('/');
  if (into[0].startsWith('$') && (out[0] === '+' || out[0] === '#')) return false; // [MQTT-4.7.2-1]
  for (let i = 0; i < out.length; i++) {
    if (out[i] === '#') return true;
    if (i >= into.length || into[i] === '#') return false;
    if (out[i] !== '+' && out[i] !== into[i]) return false;
  }
  return out.length === into.length;
}

/**
 * Things by their certificates, and what the policies attached to them allow: the decisions are the registry's, this only puts
 * the broker's questions to it. A client id is the thing's name, or empty (as the original's devices have it: the thing's name
 * is then taken, or a name of its own when the thing is connected under it).
 */
import type { BusAuthorizer, ClientIdentity, TopicAction } from '../../actors/contracts/bus.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';

type Action = 'iot:Connect' | 'iot:Publish' | 'iot:RetainPublish' | 'iot:Subscribe' | 'iot:Receive';

/** What the broker needs of the registry; `cloud/things` gives it. */
export interface PolicyPorts<Principal> {
  readonly identities: {
    ofCertificate(der: Uint8Array): Principal | null;
    thingOf(principal: Principal, clientId?: string): ThingName | null;
  };
  readonly policies: { mayDo(principal: Principal, action: Action, resource: string, clientId?: string): boolean };
  readonly certificates: { isActive(fingerprint: string): boolean; onRevoked(ended: (id: string) => void): void };
}

const ACTIONS: Readonly<Record<TopicAction, Action>> = {
  publish: 'iot:Publish',
  retain: 'iot:RetainPublish',
  subscribe: 'iot:Subscribe',
  receive: 'iot:Receive',
};

export function policyAuthorizer<Principal>({ identities, policies, certificates }: PolicyPorts<Principal>): BusAuthorizer {
  const principals = new WeakMap<ClientIdentity, Principal>();
  let unnamed = 0;

  return {
    connect({ clientId, principal, certificate }) {
      if (principal === null || certificate === null) return { refused: 'no certificate' };
      const known = identities.ofCertificate(certificate);
      if (!known || !certificates.isActive(principal)) return { refused: `certificate ${principal} is unknown, expired or not active` };
      const thing = identities.thingOf(known, clientId || undefined);
      if (thing === null) return { refused: `certificate ${principal} belongs to no thing` };
      if (clientId !== '' && clientId !== thing)
        return { refused: `client id ${clientId.slice(0, 128)} is not ${thing}, the thing of its certificate` };
      if (!policies.mayDo(known, 'iot:Connect', thing, thing)) return { refused: `no policy of ${thing} allows iot:Connect` };
      // [MQTT-3.1.3-6]: the broker's own choice must be unique, and never end the session that the thing has under its name
      const identity: ClientIdentity = { clientId: clientId || `$GEN/${thing}/${++unnamed}`, principal, thing };
      principals.set(identity, known);
      return { identity };
    },
    may(identity, action, topic) {
      const principal = principals.get(identity);
      // Policy variables speak of the thing: a client without an id of its own goes by the thing's.
      return principal !== undefined && policies.mayDo(principal, ACTIONS[action], topic, identity.thing ?? identity.clientId);
    },
    stands: ({ principal }) => principal !== null && certificates.isActive(principal),
    onRevoked: (ended) => certificates.onRevoked(ended),
  };
}

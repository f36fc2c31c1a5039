/** MQTT control packets as the broker sees them, of version 3.1.1 (4) and 5, and the ways in which a client breaks the protocol. */

export type MqttVersion = 3 | 4 | 5;

export interface Will {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly properties: Buffer | null;
}

export interface Connect {
  readonly cmd: 'connect';
  readonly version: MqttVersion;
  readonly clientId: string;
  readonly clean: boolean;
  readonly keepAliveS: number;
  readonly will: Will | null;
  /** Seconds that the session outlives the connection; null when the client says nothing (3.1.1). */
  readonly sessionExpiryS: number | null;
  /** QoS 1 messages it takes at once, and the largest packet; null for no word of it. */
  readonly receiveMaximum: number | null;
  readonly maximumPacket: number | null;
}

export interface Publish {
  readonly cmd: 'publish';
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** 0 at QoS 0. */
  readonly messageId: number;
  /** Of version 5, as they came: they go on unread to whoever speaks it too. */
  readonly properties: Buffer | null;
}

export interface FilterRequest {
  readonly filter: string;
  readonly qos: number;
  /** Version 5: not what the client itself publishes; the retain flag as published; when retained messages are wanted (0, 1, 2). */
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: number;
}

export type Packet =
  | Connect
  | Publish
  | { readonly cmd: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp'; readonly messageId: number }
  | { readonly cmd: 'subscribe'; readonly messageId: number; readonly filters: readonly FilterRequest[]; readonly hasIdentifier: boolean }
  | { readonly cmd: 'unsubscribe'; readonly messageId: number; readonly filters: readonly string[] }
  | { readonly cmd: 'pingreq' }
  | { readonly cmd: 'disconnect'; readonly withWill: boolean; readonly sessionExpiryS: number | null };

/** Version 5's reason codes, by our names; 3.1.1 mostly has the closed connection to say it with. */
export const REASONS = {
  malformed: 0x81,
  protocolError: 0x82,
  versionUnsupported: 0x84,
  identifierInvalid: 0x85,
  notAuthorised: 0x87,
  unavailable: 0x88,
  shuttingDown: 0x8b,
  keepAliveTimeout: 0x8d,
  takenOver: 0x8e,
  filterInvalid: 0x8f,
  topicInvalid: 0x90,
  packetTooLarge: 0x95,
  quotaExceeded: 0x97,
  administrative: 0x98,
  qosUnsupported: 0x9b,
  sharedUnsupported: 0x9e,
  rateExceeded: 0x9f,
  identifiersUnsupported: 0xa1,
} as const;

export type Reason = keyof typeof REASONS;

/** A client did what the protocol or a limit forbids: its connection ends with this reason. */
export class Violation extends Error {
  readonly reason: Reason;

  constructor(reason: Reason, message: string) {
    super(message);
    this.reason = reason;
  }
}

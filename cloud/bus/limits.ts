/**
 * What the broker takes, and no more. AWS IoT Core's quotas where it has one (marked AWS); the others keep one client, or a
 * thousand, from filling the memory of the process.
 */
export interface BrokerLimits {
  /** Bytes of one publication's payload. AWS: 128 kB. */
  readonly payloadBytes: number;
  /** Bytes of a topic or filter. AWS: 256. */
  readonly topicBytes: number;
  /** Levels of a topic or filter. AWS: 8 beyond the reserved ones. */
  readonly topicLevels: number;
  /** Bytes of a client id. AWS: 128. */
  readonly clientIdBytes: number;
  /** Filters in one SUBSCRIBE, and of one client. AWS: 8 and 50. */
  readonly filtersPerRequest: number;
  readonly filtersPerClient: number;
  /** QoS 1 messages on their way to one client without its PUBACK. AWS: 100. */
  readonly inflight: number;
  /** Requests on reserved topics of one client that the service has not answered; no more is read from it meanwhile. */
  readonly openRequests: number;
  /** Bytes in a socket's buffer above which messages wait in the session's queue. */
  readonly socketBytes: number;
  /** QoS 0 messages that wait for a slow client: beyond either, the oldest is dropped and counted. */
  readonly telemetryMessages: number;
  readonly telemetryBytes: number;
  /** QoS 1 and reserved messages that wait for one client, connected or not: beyond either, its session ends, so that it learns of it. */
  readonly keptMessages: number;
  readonly keptBytes: number;
  /** Bytes that wait for all clients together; beyond, QoS 0 messages do not wait. */
  readonly waitingBytes: number;
  /** A client that takes nothing for so long, while messages wait for it, is disconnected. */
  readonly drainMs: number;
  /** From the first byte to CONNECT, and for the TLS handshake. */
  readonly connectMs: number;
  readonly connections: number;
  /** Connections a second, and at once after a quiet time. AWS: 500 a second. */
  readonly connectionsPerSecond: number;
  readonly connectionBurst: number;
  /** Takeovers of one client id within ten seconds before the next is refused: two devices with one name. */
  readonly takeovers: number;
  /** How long a session outlives its connection. AWS: 1 hour. */
  readonly sessionMs: number;
  readonly sessions: number;
  readonly retainedMessages: number;
  readonly retainedBytes: number;
  /** The longest keep-alive, and the one of a client that names none. AWS: 1200 s. */
  readonly keepAliveMs: number;
  /** How often a live connection's certificate is looked up again. */
  readonly standingMs: number;
}

export const BROKER_LIMITS: BrokerLimits = {
  payloadBytes: 128 * 1024,
  topicBytes: 256,
  topicLevels: 32,
  clientIdBytes: 128,
  filtersPerRequest: 100,
  filtersPerClient: 1_000,
  inflight: 100,
  openRequests: 64,
  socketBytes: 256 * 1024,
  telemetryMessages: 1_000,
  telemetryBytes: 1024 * 1024,
  keptMessages: 10_000,
  keptBytes: 16 * 1024 * 1024,
  waitingBytes: 256 * 1024 * 1024,
  drainMs: 30_000,
  connectMs: 10_000,
  connections: 5_000,
  connectionsPerSecond: 500,
  connectionBurst: 2_000,
  takeovers: 20,
  sessionMs: 3_600_000,
  sessions: 10_000,
  retainedMessages: 10_000,
  retainedBytes: 64 * 1024 * 1024,
  keepAliveMs: 1_200_000,
  standingMs: 15_000,
};

/** `windfleet agent`: the edge agent alone, on a unix socket, until it is told to end. */
import type { Command } from 'commander';
import { reasonOf, FileInvalid, UsageError } from '../../../actors/contracts/errors.ts';
import type { CaptureSink } from '../../../physical/agent/capture-sink.ts';
import type { Io } from '../print.ts';

const VERSION = '0.1.0';

interface Flags {
  readonly socket: string;
  readonly config?: string;
  readonly keys?: string;
  readonly allowUnsigned: boolean;
  readonly memory?: string;
  readonly data: string;
  readonly cloud?: string;
}

export function addAgentCommand(program: Command, io: Io): void {
  program
    .command('agent')
    .description('The edge agent: loads signed models and answers AWS.SageMaker.Edge.Agent, gRPC on a unix socket.')
    .option('--socket <path>', 'where clients find it', '/tmp/edge_agent')
    .option('--config <file>', 'sagemaker_edge_config.json: device, fleet, captures')
    .option('--keys <folder>', 'public keys (.pem) whose packages are loaded (default: those of the data folder)')
    .option('--allow-unsigned', 'load packages without a signature too; a wrong one is refused still', false)
    .option('--memory <MB>', 'for all loaded models together (default: a quarter of the machine’s)')
    .option('--data <folder>', 'where keys are, and captures go', process.env['WINDFLEET_DATA'] ?? '.windfleet')
    .option('--cloud <url>', 'where captures (with destination Cloud) and heartbeats are sent; else as AWS_ENDPOINT_URL says')
    .addHelpText(
      'after',
      '\nExamples:\n  windfleet agent\n  windfleet agent --socket /run/windfleet/agent --config sagemaker_edge_config.json --keys /etc/windfleet/keys',
    )
    .action((flags: Flags) => runAgent(flags, io));
}

async function runAgent(flags: Flags, io: Io): Promise<void> {
  const [{ readFileSync }, { resolve, join }, { totalmem }] = await Promise.all([
    import('node:fs'),
    import('node:path'),
    import('node:os'),
  ]);
  const [{ openAgent }, { readAgentConfig }, { agentLog }, { startHeartbeat }, { diskSink, objectSink }, { readTrustedKeys }] =
    await Promise.all([
      import('../../../physical/agent/server.ts'),
      import('../../../physical/agent/config.ts'),
      import('../../../physical/agent/agent-log.ts'),
      import('../../../physical/agent/heartbeat.ts'),
      import('../../../physical/agent/capture-sink.ts'),
      import('../../../physical/agent/trusted-keys.ts'),
    ]);
  const [{ onnxTensors }, { wallClock }, { fileDisk }, { objectsIn }] = await Promise.all([
    import('../../../actors/inference/tensors.ts'),
    import('../../../physical/wall-clock.ts'),
    import('../../../physical/disk.ts'),
    import('../objects-in.ts'),
  ]);
  const read = (file: string) => {
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      throw new FileInvalid(`${file} cannot be read: ${reasonOf(error)}`, { cause: error, hint: 'name an agent’s JSON configuration' });
    }
  };
  if (flags.cloud !== undefined && !URL.canParse(flags.cloud)) throw new UsageError('--cloud wants an address, as http://127.0.0.1:7070');
  const memoryBytes = flags.memory === undefined ? totalmem() / 4 : Number(flags.memory) * 2 ** 20;
  if (!(memoryBytes >= 1)) throw new UsageError(`--memory ${flags.memory} is no number of megabytes above 0`);
  const { config, warnings } = readAgentConfig(flags.config === undefined ? null : read(flags.config), flags.config ?? '');
  const clock = wallClock();
  const log = agentLog(io.err, clock, VERSION, config.isVerbose);
  for (const warning of warnings) log.warn({}, warning);
  const keys = flags.keys ?? join(flags.data, 'keys');
  const folders = [keys, join(keys, 'trusted'), ...(config.rootCertsPath === null ? [] : [config.rootCertsPath])];
  const trustedKeys = readTrustedKeys(folders, { mustExist: flags.keys !== undefined, log });
  if (trustedKeys.length === 0)
    log.warn({ folders }, flags.allowUnsigned ? 'no trusted key: signed packages are refused' : 'no trusted key: every package is refused');

  const now = () => clock.epoch + clock.now();
  const endpoint = flags.cloud ?? process.env['AWS_ENDPOINT_URL'];
  const credentials = config.provider && (await import('../../../physical/agent/iot-credentials.ts')).iotCredentials(config.provider, now);
  const openSink = async (): Promise<CaptureSink> => {
    const { destination, bucket } = config.capture;
    if (destination === 'Disk') return diskSink(fileDisk(disk), disk);
    if (!credentials) return objectSink(objectsIn(flags.data), bucket);
    const { s3Sink } = await import('../../../physical/agent/s3-sink.ts');
    return s3Sink({ bucket, region: config.region, credentials, ...(flags.cloud === undefined ? {} : { endpoint: flags.cloud }) });
  };
  const disk = resolve(config.capture.diskPath ?? join(flags.data, 'captures'));
  const agent = await openAgent({
    socket: flags.socket,
    config,
    engine: onnxTensors(),
    clock,
    log,
    trustedKeys,
    allowUnsigned: flags.allowUnsigned,
    memoryBytes: Math.floor(memoryBytes),
    folder: process.cwd(),
    target: process.arch,
    sink: await openSink(),
  });
  const { device, fleet, region } = config;
  const signer = credentials && { region, credentials, now };
  const stopHeartbeat = startHeartbeat(agent, { clock, log, version: VERSION, device, fleet, cloud: endpoint ?? null, signer });
  io.out(`windfleet agent: ${device} of ${fleet} answers on unix://${agent.socket}. Ctrl-C ends it.`);
  const { signal } = io;
  await new Promise<void>((ended) => (signal.aborted ? ended() : signal.addEventListener('abort', () => ended(), { once: true })));
  stopHeartbeat();
  await agent.close();
  log.info(agent.counts(), 'ended');
}

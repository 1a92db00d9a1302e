import { randomUUID } from 'node:crypto';
import type { ServiceSpec } from '../../src/config/service-spec.ts';
import { RuntimeError } from '../../src/fleet/errors.ts';
import type { FakeInstance } from '../support/fakes/fake-instance.ts';
import { FakeRuntime, type FakeBehaviour } from '../support/fakes/fake-runtime.ts';
import { serviceSpec } from '../support/samples/service-spec.ts';
import { runtimeSuite } from './runtime-suite.ts';

/** Which instances are under load, and how much memory each has taken. */
const burning = new Set<string>();
const takenBytes = new Map<string, number>();

/** The paths of tests/fixtures/image/server.mjs that the suite uses. */
function answer(path: string, instance: FakeInstance): unknown {
  const { pathname, searchParams } = new URL(path, 'http://fake');
  if (pathname === '/exit')
    setImmediate(() => instance.end({ code: Number(searchParams.get('code')), oomKilled: false }));
  if (pathname === '/burn' && searchParams.has('stop')) burning.delete(instance.id);
  else if (pathname === '/burn') burning.add(instance.id);
  if (pathname === '/leak') takenBytes.set(instance.id, Number(searchParams.get('mb')) * 2 ** 20);
  if (pathname === '/log') {
    for (let line = 1; line <= Number(searchParams.get('lines') ?? 1); line += 1) {
      instance.write('stdout', `line ${line} ${searchParams.get('text') ?? ''}`);
    }
    instance.write('stderr', `logged for ${path}`);
  }
  return undefined;
}

async function exec(command: readonly string[], signal: AbortSignal): Promise<number> {
  if (command[0] !== 'node') return 127;
  const code = /process\.exit\((\d+)\)/.exec(command.join(' '))?.[1];
  if (code !== undefined) return Number(code);
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  throw signal.reason;
}

/** The environment of the fixture server, in the words of the fake. */
function behaviourOf({ env, name, source }: ServiceSpec): FakeBehaviour {
  const { EXIT_CODE, EXIT_AFTER_MS = '0', IGNORE_SIGTERM, READY_AFTER_MS } = env;
  const absent = source.kind === 'image' && source.image.startsWith('absent');
  const exits = EXIT_CODE ? { code: Number(EXIT_CODE), afterMs: Number(EXIT_AFTER_MS) } : undefined;
  return {
    answer,
    exec,
    listenAfterMs: Number(READY_AFTER_MS ?? 0),
    usage: ({ id, spec }) => ({
      cpuRatio: burning.has(id) ? 1 : 0.1,
      memoryBytes: 2 ** 20 + (takenBytes.get(id) ?? 0),
      memoryLimitBytes: spec.resources.memoryBytes,
    }),
    ignoresStop: IGNORE_SIGTERM === '1',
    writes: [{ stream: 'stdout', text: 'fixture starts' }],
    ...(exits ? { exits: { ...exits, says: `exits with ${exits.code}` } } : {}),
    ...(absent
      ? { prepareFails: new RuntimeError('image_missing', `${name}: there is no image ${source.image}.`) }
      : {}),
  };
}

runtimeSuite('the fake of the unit tests', {
  open: async () => {
    const runtime = new FakeRuntime({ listen: true, behaviourOf });
    await runtime.start();
    return { runtime, close: () => runtime.close() };
  },
  spec: (overrides) => serviceSpec({ name: `web-${randomUUID().slice(0, 8)}`, ...overrides }),
  missing: () => serviceSpec({ name: 'absent', source: { kind: 'image', image: 'absent:latest', pull: 'never' } }),
});

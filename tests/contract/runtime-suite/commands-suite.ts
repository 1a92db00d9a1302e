import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../../../src/fleet/errors.ts';
import { freePort } from '../../../src/lib/free-port.ts';
import { SHORT_GRACE_MS, get, untilServes, settles, type RuntimeSuiteContext } from './context.ts';

/** Commands inside, published ports, and what cannot run. */
export function commandsSuite(suite: RuntimeSuiteContext): void {
  describe('exec', () => {
    it('tells the exit code of a command', async () => {
      const { runtimeId } = await suite.launchReady();
      const signal = AbortSignal.timeout(10_000);
      expect(await suite.runtime.exec(runtimeId, ['node', '-e', 'process.exit(0)'], signal)).toBe(0);
      expect(await suite.runtime.exec(runtimeId, ['node', '-e', 'process.exit(3)'], signal)).toBe(3);
    });

    it('never succeeds with a command that is not there', async () => {
      const { runtimeId } = await suite.launchReady();
      const outcome = suite.runtime.exec(runtimeId, ['no-such-command'], AbortSignal.timeout(10_000)).catch(() => -1);
      expect(await outcome).not.toBe(0);
    });

    it('ends with the signal and does not succeed', async () => {
      const { runtimeId } = await suite.launchReady();
      const command = ['node', '-e', 'setTimeout(() => {}, 60_000)'];
      const outcome = suite.runtime.exec(runtimeId, command, AbortSignal.timeout(200)).catch(() => -1);
      expect(await settles(outcome)).not.toBe(0);
    });

    it('in what does not run is an error', async () => {
      const { runtimeId } = await suite.make(suite.harness.spec());
      const outcome = suite.runtime.exec(runtimeId, ['node', '-e', ''], AbortSignal.timeout(5_000));
      await expect(outcome).rejects.toBeInstanceOf(RuntimeError);
    });
  });

  describe('publish', () => {
    it('makes a port of this machine lead to the service while it runs', async () => {
      const hostPort = await freePort();
      const host = '127.0.0.1';
      const publish = [{ hostIp: host, hostPort, containerPort: 3_000, protocol: 'tcp' as const }];
      const { runtimeId, identity } = await suite.launchReady({}, { publish, port: 3_000 });
      expect(await untilServes({ host, port: hostPort })).toMatchObject({ boot: identity.boot });
      await suite.runtime.stopInstance(runtimeId, SHORT_GRACE_MS);
      await expect(get({ host, port: hostPort }, '/', 500)).rejects.toThrow();
    });

    it('refuses to start when the port is taken', async () => {
      const blocker = createServer();
      const hostPort = await freePort();
      await new Promise<void>((resolve) => blocker.listen(hostPort, '127.0.0.1', resolve));
      try {
        const publish = [{ hostIp: '127.0.0.1', hostPort, containerPort: 3_000, protocol: 'tcp' as const }];
        const spec = suite.harness.spec({ publish, port: 3_000 });
        const { runtimeId } = await suite.make(spec);
        await expect(suite.runtime.startInstance(runtimeId)).rejects.toMatchObject({
          code: 'port_taken',
          message: expect.stringContaining(String(hostPort)) as string,
        });
        expect((await suite.runtime.inspect(runtimeId))?.state).not.toBe('running');
      } finally {
        await new Promise((resolve) => blocker.close(resolve));
      }
    });
  });

  describe('what cannot run', () => {
    it('is refused with a code and the name of the service', async () => {
      const spec = suite.harness.missing();
      const attempt = suite.make(spec).then(({ runtimeId }) => suite.runtime.startInstance(runtimeId));
      const error = await attempt.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(RuntimeError);
      expect((error as RuntimeError).message).toContain(spec.name);
      expect(['image_missing', 'pull_failed', 'create_failed', 'start_failed']).toContain((error as RuntimeError).code);
    });
  });
}

import { isIP } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { commandsSuite } from './runtime-suite/commands-suite.ts';
import { RuntimeSuiteContext, type RuntimeHarness } from './runtime-suite/context.ts';
import { createSuite } from './runtime-suite/create-suite.ts';
import { listSuite } from './runtime-suite/list-suite.ts';
import { logsSuite } from './runtime-suite/logs-suite.ts';
import { usageSuite } from './runtime-suite/usage-suite.ts';
import { startSuite } from './runtime-suite/start-suite.ts';

/** What every runtime keeps to, driver or fake; see src/fleet/runtime.ts. */
export function runtimeSuite(name: string, harness: RuntimeHarness): void {
  describe(`the runtime contract: ${name}`, () => {
    const suite = new RuntimeSuiteContext(harness);
    beforeAll(() => suite.open());
    afterAll(() => suite.close());
    afterEach(() => suite.removeAll());

    it('is up after its start', () => {
      expect(suite.runtime.condition).toEqual({ up: true });
    });

    it('tells the address of this machine as its instances see it, if that is another one', async () => {
      expect(await suite.runtime.gateway()).toSatisfy((address) => address === undefined || isIP(String(address)) > 0);
    });

    createSuite(suite);
    startSuite(suite);
    listSuite(suite);
    logsSuite(suite);
    usageSuite(suite);
    commandsSuite(suite);
  });
}

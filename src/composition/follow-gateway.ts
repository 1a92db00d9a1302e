import type { Runtime } from '../fleet/runtime.ts';
import { messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';

/**
 * Containers reach us under the gateway of their network, which is there once the engine has made the network.
 * @param tell called with its address, again whenever the engine is back
 * @returns the way out
 */
export function followGateway(
  runtime: Runtime,
  log: Logger,
  tell: (gateway: string) => Promise<void> | undefined,
): () => void {
  const look = async (): Promise<void> => {
    const gateway = runtime.condition.up ? await runtime.gateway() : undefined;
    if (gateway !== undefined) await tell(gateway);
  };
  const lookQuietly = (): void => {
    look().catch((error: unknown) => {
      log.warn(`containers cannot call services by their public names: ${messageOf(error)}`);
    });
  };
  lookQuietly();
  return runtime.onEvent(({ type }) => {
    if (type === 'condition') lookQuietly();
  });
}

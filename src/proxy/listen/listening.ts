import { CodedError } from '../../lib/coded-error.ts';

export interface Listening {
  readonly port: number;
  /** Why it is not the port that was asked for. */
  readonly fellBack?: CodedError;
}

/** What listens, for clients or only to send them elsewhere. */
interface Listens {
  /** @throws CodedError as lib/bind.ts says */
  listen(address: string, port: number): Promise<Listening>;
}

/**
 * @param fallback the port to take, in development, when this user may not have the first or somebody else has it
 * @throws CodedError as lib/bind.ts says
 */
export async function listenWithFallback(
  door: Listens,
  address: string,
  port: number,
  fallback: number | undefined,
): Promise<Listening> {
  try {
    return await door.listen(address, port);
  } catch (error) {
    const mayFallBack = error instanceof CodedError && ['port_taken', 'port_forbidden'].includes(error.code);
    if (fallback === undefined || !mayFallBack) throw error;
    return { ...(await door.listen(address, fallback)), fellBack: error };
  }
}

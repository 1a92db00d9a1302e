import { closestName } from '../config/closest-name.ts';
import type { ServiceAnswer, ServicesAnswer } from '../management/contract.ts';
import type { DaemonClient } from './daemon-client.ts';
import { DaemonError } from './daemon-error.ts';

/** Every service, however many calls it takes. */
export async function allServices(daemon: DaemonClient): Promise<ServiceAnswer[]> {
  const services: ServiceAnswer[] = [];
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ limit: '1000', ...(cursor !== undefined && { cursor }) });
    const part: ServicesAnswer = await daemon.ask({ path: `/api/services?${query.toString()}` });
    services.push(...part.services);
    cursor = part.nextCursor;
  } while (cursor !== undefined);
  return services;
}

/** The path of a service, or of something about it. */
export function pathOf(service: string, ...rest: string[]): string {
  return ['/api/services', encodeURIComponent(service), ...rest].join('/');
}

/** Does what `call` does; a service that does not exist is told together with those that do. */
export async function namingKnown<T>(daemon: DaemonClient, service: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof DaemonError) || error.code !== 'unknown_service') throw error;
    const names = (await allServices(daemon)).map(({ name }) => name);
    const meant = closestName(service, names);
    const hint = meant === undefined ? '' : ` Did you mean ${meant}?`;
    const known = names.length === 0 ? 'The manifest names none.' : `There are: ${names.join(', ')}.`;
    throw new DaemonError({ ...error.problem, detail: `There is no service ${service}.${hint} ${known}` });
  }
}

import type { Fleet } from '../fleet/fleet.ts';
import type { StateStore } from '../fleet/state-store.ts';
import type { Logger } from '../lib/logger.ts';

/** What is looked through of each service that runs; an alarm that lies further back is told once more. */
const EVENTS = 500;
const MEASURES = ['cpu', 'memory'] as const;
const LEVELS = { warn: 'warn', panic: 'panic', recovered: 'calm' } as const;

/**
 * The alarms of what was found running begin as they were told last: one that still rings is not told twice, and one that
 * is over by now is told to be over. Without the store they begin calm. Who begins to lead tells besides what began to ring
 * while nobody led.
 */
export async function recallAlarms(
  fleet: Pick<Fleet, 'adopted' | 'members' | 'monitor'>,
  store: Pick<StateStore, 'listEvents'>,
  log: Logger,
): Promise<void> {
  await fleet.adopted();
  for (const { name, instanceViews } of fleet.members()) {
    if (!instanceViews.some(({ id }) => fleet.monitor.follows(name, id))) continue;
    try {
      const events = await store.listEvents({ service: name, limit: EVENTS });
      const last = new Map(events.flatMap(alarmOf));
      for (const { id } of instanceViews) {
        for (const measure of MEASURES) {
          fleet.monitor.recall(name, id, measure, last.get(`${measure} ${name}/${id}`) ?? 'calm');
        }
      }
    } catch (error) {
      log.debug(
        { service: name, err: error },
        `the alarms of ${name} begin calm: what was told of them cannot be read`,
      );
    }
  }
}

type Level = (typeof LEVELS)[keyof typeof LEVELS];

/** Of which measure of which instance, and what was told. */
function alarmOf({ type, subject }: { type: string; subject: string }): [string, Level][] {
  const found = /^(?<measure>cpu|memory)\.(?<level>warn|panic|recovered)$/.exec(type)?.groups;
  if (!found) return [];
  return [[`${found['measure'] ?? ''} ${subject}`, LEVELS[found['level'] as keyof typeof LEVELS]]];
}

import { messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import type { ActivityBoard } from './activity-board.ts';
import type { InstanceKeeper } from './company/departures.ts';
import { untilSeen } from './instance/drain.ts';
import type { Members } from './members.ts';
import type { Publisher } from './publisher.ts';

export interface InstanceKeeperTools {
  readonly members: Members;
  readonly publisher: Publisher;
  readonly activity: ActivityBoard;
  readonly log: Logger;
}

/** What the other processes on the same store do with instances, as it concerns those that are offered here. */
export function createInstanceKeeper({ members, publisher, activity, log }: InstanceKeeperTools): InstanceKeeper {
  return {
    async hold({ service: name, index }) {
      const service = members.service(name);
      return service && index <= service.spec.scale.max ? service.instance(index).hold() : publisher.version;
    },
    untilSeen: (version) => untilSeen(activity, version),
    async release({ service: name, index }) {
      await members
        .service(name)
        ?.instances.find(({ key }) => key.index === index)
        ?.release();
    },
    inherit({ service: name, index }) {
      const inherited = members.service(name)?.inherit(index);
      inherited?.catch((error: unknown) => {
        log.warn({ service: name, err: error }, `nobody knows what became of ${name}: ${messageOf(error)}`);
      });
    },
  };
}

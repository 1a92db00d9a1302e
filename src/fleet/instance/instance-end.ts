import { deathOf } from './death.ts';
import { logTailOf } from './failures.ts';
import type { InstanceLife } from './instance-life.ts';
import { isServing } from './instance-state.ts';
import type { Exit, ObservedInstance } from '../runtime.ts';

/**
 * An instance was found not to run: it rests, has done its job, or has died.
 * @param observed undefined when there is nothing of it any more
 * @param held another process is putting it to sleep
 */
export async function foundEnded(
  life: InstanceLife,
  observed: ObservedInstance | undefined,
  held: boolean,
): Promise<void> {
  const { state, owner, tools } = life;
  const exit = observed?.exit ?? { code: 0, oomKilled: false, removed: observed === undefined };
  const served = isServing(state) || state.kind === 'draining';
  // If another process decides about it, that one may have stopped it, and looks after it if not.
  const stoppedElsewhere = held || !tools.company.inCharge(life.startedHere);
  if (served && !stoppedElsewhere) await tellDeath(life, exit);
  else if (owner.spec.job && observed?.exit?.code === 0) life.change({ type: 'completed' });
  else if (state.kind !== 'failed') life.change({ type: observed ? 'stopped' : 'removed' });
  if (served) tools.activity.forget(life.key.service, life.id);
  if (!observed) life.removed();
}

async function tellDeath(life: InstanceLife, exit: Exit): Promise<void> {
  const { id, runtimeId, servedMs, owner, tools } = life;
  // Asked for first: whoever hears of its death may start it anew.
  const told = runtimeId === undefined ? [] : logTailOf(tools.runtime, runtimeId, tools.clock);
  life.change({ type: 'died' });
  // The data half, told just now, has reported it once more.
  tools.activity.forget(life.key.service, id);
  const failure = owner.died(id, exit, servedMs);
  const logTail = await told;
  const data = { ...deathOf(id, exit), exitCode: exit.code, oomKilled: exit.oomKilled, logTail };
  if (exit.oomKilled) life.emit('instance.oom', data);
  life.emit('instance.died', data);
  owner.explained(failure, logTail);
}

import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import type { EventType } from '../../../src/fleet/events.ts';
import type { Fleet } from '../../../src/fleet/fleet.ts';
import type { StateStore } from '../../../src/fleet/state-store.ts';
import { recallAlarms } from '../../../src/composition/recall-alarms.ts';

const log = pino({ level: 'silent' });

/** A fleet in which of two services one runs. */
function fleet(): { fleet: Pick<Fleet, 'adopted' | 'members' | 'monitor'>; recalled: unknown[][] } {
  const recalled: unknown[][] = [];
  const monitor = {
    follows: (service: string) => service === 'web',
    recall: (...words: unknown[]) => void recalled.push(words),
  } as unknown as Fleet['monitor'];
  const members = ['web', 'api'].map((name) => ({ name, instanceViews: [{ id: `${name}-1` }, { id: `${name}-2` }] }));
  return {
    fleet: {
      adopted: () => Promise.resolve(),
      members: () => members as unknown as ReturnType<Fleet['members']>,
      monitor,
    },
    recalled,
  };
}

function store(...told: [EventType, string][]): { listEvents: StateStore['listEvents'] } {
  const events = told.map(([type, subject]) => ({ type, subject }));
  return { listEvents: vi.fn(() => Promise.resolve(events as never)) };
}

describe('the alarms of what was found running', () => {
  it('begin as they were told last, each for itself', async () => {
    const kept = store(
      ['cpu.warn', 'web/web-1'],
      ['memory.panic', 'web/web-1'],
      ['cpu.panic', 'web/web-1'],
      ['instance.ready', 'web/web-2'],
      ['cpu.panic', 'web/web-2'],
      ['cpu.recovered', 'web/web-2'],
    );
    const { fleet: ours, recalled } = fleet();
    await recallAlarms(ours, kept, log);
    expect(recalled).toEqual([
      ['web', 'web-1', 'cpu', 'panic'],
      ['web', 'web-1', 'memory', 'panic'],
      ['web', 'web-2', 'cpu', 'calm'],
      ['web', 'web-2', 'memory', 'calm'],
    ]);
    expect(kept.listEvents).toHaveBeenCalledTimes(1);
  });

  it('begin calm while the store is away', async () => {
    const { fleet: ours, recalled } = fleet();
    await recallAlarms(ours, { listEvents: () => Promise.reject(new Error('away')) }, log);
    expect(recalled).toEqual([]);
  });
});

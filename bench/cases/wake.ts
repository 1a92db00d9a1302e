import { dockerAvailable } from '../../tests/support/servers/docker.ts';
import type { Arena } from '../arena.ts';
import { median } from '../median.ts';
import { Twin } from '../wake/twin.ts';
import { WakingDaemon } from '../wake/waking-daemon.ts';
import { WAYS, type Way } from '../wake/ways.ts';
import type { Case, Row } from './case.ts';

const ROUNDS = 30;
const ROUNDS_WHEN_SHORT = 3;

/** What is left when the time that the container itself takes is taken away. */
export const wake: Case = {
  name: 'wake',
  title: 'first byte of a request that wakes a container, less an equal container woken and probed by hand (medians)',
  impossible: async () => ((await dockerAvailable()) ? undefined : 'no Docker engine answers'),
  async run(arena) {
    const daemon = await WakingDaemon.start(arena.site);
    try {
      const rows: Row[] = [];
      for (const way of WAYS) rows.push(await bothWays(arena, daemon, way));
      return rows;
    } finally {
      await daemon.dispose();
    }
  },
};

async function bothWays(arena: Arena, daemon: WakingDaemon, way: Way): Promise<Row> {
  const rounds = arena.full ? ROUNDS : ROUNDS_WHEN_SHORT;
  await daemon.ask(way);
  const twin = await Twin.of(await daemon.container(way));
  const through: number[] = [];
  const byHand: number[] = [];
  try {
    for (let round = 1; round <= rounds; round += 1) {
      arena.progress(`round ${round} of ${rounds}: ${way}`);
      await daemon.sleep(way);
      through.push(await daemon.ask(way));
      await twin.sleep(way);
      byHand.push(await twin.wake(way));
    }
  } finally {
    await twin.remove();
  }
  const [throughProxyMs, byHandMs] = [median(through), median(byHand)];
  return { name: way, figures: { byHandMs, throughProxyMs, overheadMs: throughProxyMs - byHandMs } };
}

import { describe, expect, it } from 'vitest';
import { LoopTurns } from '../../../../src/proxy/forward/loop-turns.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('LoopTurns', () => {
  it('calls back after two turns of the loop, and not before', async () => {
    const turns = new LoopTurns();
    let turned = false;
    turns.wait({ onTurned: () => (turned = true) });
    await turn();
    expect(turned).toBe(false);
    await turn();
    expect(turned).toBe(true);
  });

  it('lets each wait begin when it is asked for', async () => {
    const turns = new LoopTurns();
    const order: string[] = [];
    turns.wait({ onTurned: () => void order.push('first') });
    await turn();
    turns.wait({ onTurned: () => void order.push('second') });
    await turn();
    expect(order).toEqual(['first']);
    await turn();
    expect(order).toEqual(['first', 'second']);
  });

  it('takes a new wait from within a call', async () => {
    const turns = new LoopTurns();
    let again = false;
    turns.wait({ onTurned: () => turns.wait({ onTurned: () => (again = true) }) });
    for (let count = 0; count < 4; count += 1) await turn();
    expect(again).toBe(true);
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { OpenWakes } from '../../../src/link/open-wakes.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

describe('OpenWakes', () => {
  let clock: FakeClock;
  let asked: string[];
  let wakes: OpenWakes;
  beforeEach(() => {
    clock = new FakeClock();
    asked = [];
    wakes = new OpenWakes(clock, (id, service) => void asked.push(`${id} ${service}`));
  });

  it('asks at once while somebody is there', async () => {
    wakes.back();
    const wake = wakes.add('web');
    expect(asked).toEqual(['1 web']);
    wakes.woken(1, { totalMs: 5 });
    await expect(wake).resolves.toEqual({ totalMs: 5 });
  });

  it('asks later what nobody was there for, and says how long that took', async () => {
    const wake = wakes.add('web');
    clock.advance(700);
    expect(asked).toEqual([]);
    wakes.back();
    wakes.woken(1, { totalMs: 5 });
    await expect(wake).resolves.toEqual({ totalMs: 5, controlMs: 700 });
  });

  it('asks again what a control process did not answer before it went', async () => {
    wakes.back();
    const wake = wakes.add('web');
    wakes.away();
    clock.advance(300);
    wakes.back();
    clock.advance(100);
    wakes.away();
    clock.advance(300);
    wakes.back();
    expect(asked).toEqual(['1 web', '1 web', '1 web']);
    wakes.woken(1, { totalMs: 5 });
    wakes.woken(1, { totalMs: 6 });
    await expect(wake).resolves.toEqual({ totalMs: 5, controlMs: 600 });
  });

  it('hands on why a wake failed, and gives all up at the end', async () => {
    wakes.back();
    const [failing, open] = [wakes.add('web'), wakes.add('api')];
    wakes.failed(1, { code: 'build_failed', detail: 'no', logTail: ['a line'], atEpochMs: 1 });
    await expect(failing).rejects.toMatchObject({ service: 'web', failure: { code: 'build_failed' } });
    wakes.giveUp();
    await expect(open).rejects.toMatchObject({ service: 'api', failure: { code: 'shutting_down' } });
  });
});

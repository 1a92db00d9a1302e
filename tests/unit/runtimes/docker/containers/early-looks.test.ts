import { describe, expect, it } from 'vitest';
import { EarlyLooks, type Look } from '../../../../../src/runtimes/docker/containers/early-looks.ts';
import { FakeClock } from '../../../../support/fakes/fake-clock.ts';

const seen = (gateway: string): Look => ({ network: { id: 'n1', gateway }, existing: undefined });

function looking(looks: readonly (() => Promise<Look>)[]) {
  const asked: string[] = [];
  const clock = new FakeClock();
  const look = (name: string): Promise<Look> => {
    asked.push(name);
    return looks[asked.length - 1]?.() ?? Promise.reject(new Error('asked too often'));
  };
  return { early: new EarlyLooks(look, clock), asked, clock };
}

describe('a look before a container is wanted', () => {
  it('is asked once, and is what is taken', async () => {
    const { early, asked } = looking([() => Promise.resolve(seen('10.0.0.1'))]);
    early.begin('web-1');
    expect(await early.take('web-1')).toEqual(seen('10.0.0.1'));
    expect(asked).toEqual(['web-1']);
  });

  it('is taken once: the next one looks again', async () => {
    const { early, asked } = looking([
      () => Promise.resolve(seen('10.0.0.1')),
      () => Promise.resolve(seen('10.0.0.2')),
    ]);
    early.begin('web-1');
    await early.take('web-1');
    expect(await early.take('web-1')).toEqual(seen('10.0.0.2'));
    expect(asked).toEqual(['web-1', 'web-1']);
  });

  it('is not believed after a build', async () => {
    const { early, clock } = looking([
      () => Promise.resolve(seen('10.0.0.1')),
      () => Promise.resolve(seen('10.0.0.2')),
    ]);
    early.begin('web-1');
    clock.advance(30_000);
    expect(await early.take('web-1')).toEqual(seen('10.0.0.2'));
  });

  it('is of one container: another one is looked at when it is wanted', async () => {
    const { early, asked } = looking([
      () => Promise.resolve(seen('10.0.0.1')),
      () => Promise.resolve(seen('10.0.0.2')),
    ]);
    early.begin('web-1');
    expect(await early.take('web-2')).toEqual(seen('10.0.0.2'));
    expect(asked).toEqual(['web-1', 'web-2']);
  });

  it('that fails troubles nobody but who takes it', async () => {
    const { early } = looking([() => Promise.reject(new Error('the engine is away'))]);
    early.begin('web-1');
    await expect(early.take('web-1')).rejects.toThrow('the engine is away');
  });
});

import { describe, expect, it } from 'vitest';
import { closestName } from '../../../src/config/closest-name.ts';

describe('the closest name', () => {
  it.each([
    ['prot', 'port'],
    ['routs', 'routes'],
    ['env_file', 'envFile'],
    ['depends_on', 'dependsOn'],
    ['Sleep', 'sleep'],
  ])('of %s is %s', (name, expected) => {
    expect(closestName(name, ['port', 'routes', 'envFile', 'dependsOn', 'sleep', 'wake'])).toBe(expected);
  });

  it.each(['zzzz', 'ab', '', 'x'.repeat(100_000)])('is none when nothing is near', (name) => {
    expect(closestName(name, ['port', 'routes', 'env'])).toBeUndefined();
  });
});

import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { Topics } from '../../../src/messaging/topics.ts';

const text = await readFile(new URL('../../../docs/MQTT.md', import.meta.url), 'utf8');

describe('docs/MQTT.md', () => {
  it('names every topic as it is', () => {
    const topics = new Topics('services');
    const all = [
      topics.proxyStatus('ID'),
      topics.serviceStatus('NAME'),
      topics.serviceEvent('NAME', 'TYPE'),
      topics.network,
      topics.serviceCommand('NAME', 'wake'),
      topics.serviceUsage('NAME'),
      topics.proxyCommands('ID'),
      topics.speaker('PROJECT'),
    ];
    const named = [...text.matchAll(/^\| `([^`]+)`/gm)].map(([, topic]) => topic);
    expect(named).toEqual(all);
  });
});

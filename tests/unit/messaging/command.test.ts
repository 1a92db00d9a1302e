import { describe, expect, it } from 'vitest';
import { parseCommand } from '../../../src/messaging/command.ts';
import type { CommandName } from '../../../src/messaging/topics.ts';

describe('a command', () => {
  it.each([
    ['wake', '', { kind: 'wake' }],
    ['wake', ' {} ', { kind: 'wake' }],
    ['sleep', '', { kind: 'sleep', strategy: 'stop' }],
    ['sleep', '{"strategy":"pause"}', { kind: 'sleep', strategy: 'pause' }],
    ['scale', '3', { kind: 'scale', replicas: 3 }],
    ['scale', '{"replicas":0}', { kind: 'scale', replicas: 0 }],
    ['set', 'ON', { kind: 'wake' }],
    ['set', 'OFF\n', { kind: 'sleep', strategy: 'stop' }],
  ] as const)('%s with %j is understood', (name, payload, command) => {
    expect(parseCommand(name, Buffer.from(payload))).toEqual(command);
  });

  it.each([
    ['wake', 'now'],
    ['wake', '{"replicas":1}'],
    ['wake', '[]'],
    ['wake', 'null'],
    ['sleep', '{"strategy":"forever"}'],
    ['sleep', '{"strategy":"stop","__proto__":1}'],
    ['scale', ''],
    ['scale', '-1'],
    ['scale', '1.5'],
    ['scale', '1e99'],
    ['scale', '"2"'],
    ['scale', '{"replicas":2,"more":1}'],
    ['scale', '{"replicas":'],
    ['set', 'on'],
    ['set', '\u0000'],
  ] as [CommandName, string][])('%s with %j is refused, and is told what would be understood', (name, payload) => {
    expect(() => parseCommand(name, Buffer.from(payload))).toThrow(
      expect.objectContaining({
        code: 'command_invalid',
        message: expect.stringContaining(`"${name}" must be`) as string,
      }),
    );
  });

  it('is refused when it is large, and when it is no text', () => {
    expect(() => parseCommand('wake', Buffer.alloc(1025, ' '))).toThrow(/1024 bytes/);
    expect(() => parseCommand('wake', Buffer.from([0xff, 0xfe]))).toThrow(/must be/);
  });
});

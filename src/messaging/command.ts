import { z } from 'zod';
import { CodedError } from '../lib/coded-error.ts';
import type { CommandName } from './topics.ts';

const maxBytes = 1024;

const strategies = ['stop', 'pause', 'remove'] as const;
const replicas = z.int().min(0).max(1_000_000);
const nothing = z.strictObject({});
const sleepBody = z.strictObject({ strategy: z.enum(strategies).default('stop') });
const scaleBody = z.union([replicas, z.strictObject({ replicas })]);

/** What a command topic asks of a service. */
export type Command =
  | { readonly kind: 'wake' }
  | { readonly kind: 'sleep'; readonly strategy: (typeof strategies)[number] }
  | { readonly kind: 'scale'; readonly replicas: number };

/** What each topic takes, as the sender is told who sent something else. */
const FORMS: Readonly<Record<CommandName, string>> = {
  wake: 'nothing, or {}',
  sleep: 'nothing, {} or {"strategy":"stop"} (or "pause", "remove")',
  scale: 'a whole number, or {"replicas":2}',
  set: 'ON or OFF',
};

/**
 * Reads the payload of a command topic.
 * @throws CodedError `command_too_large`, `command_invalid`; the message does not repeat the payload
 */
export function parseCommand(name: CommandName, payload: Buffer): Command {
  if (payload.length > maxBytes) {
    throw new CodedError('command_too_large', `A command may have ${maxBytes} bytes; this one has ${payload.length}.`);
  }
  const command = read(name, payload);
  if (command) return command;
  throw new CodedError('command_invalid', `The payload of "${name}" must be ${FORMS[name]}.`);
}

function read(name: CommandName, payload: Buffer): Command | undefined {
  const text = payload.toString('utf8').trim();
  if (name === 'set') return switched(text);
  const body = json(text);
  if (name === 'wake') return nothing.safeParse(body).success ? { kind: 'wake' } : undefined;
  if (name === 'sleep') {
    const { data } = sleepBody.safeParse(body);
    return data && { kind: 'sleep', strategy: data.strategy };
  }
  const { data } = scaleBody.safeParse(body);
  if (data === undefined) return undefined;
  return { kind: 'scale', replicas: typeof data === 'number' ? data : data.replicas };
}

function switched(text: string): Command | undefined {
  if (text === 'ON') return { kind: 'wake' };
  return text === 'OFF' ? { kind: 'sleep', strategy: 'stop' } : undefined;
}

function json(text: string): unknown {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

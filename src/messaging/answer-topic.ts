import { discoveryPrefix } from './home-assistant-config.ts';
import type { Topics } from './topics.ts';

const maxBytes = 512;

/**
 * Why no answer goes to a response topic; undefined when it may. Whoever may command must not speak in the daemon's name
 * thereby: not on its own topics, and not on those from which Home Assistant takes what there is.
 */
export function answerTopicProblem(topic: string, topics: Topics): string | undefined {
  if (topic === '' || Buffer.byteLength(topic) > maxBytes) return `its response topic must have 1 to ${maxBytes} bytes`;
  if (/[+#\p{Cc}\p{Cs}]/u.test(topic)) return 'its response topic holds a wildcard or a control character';
  if (topic.startsWith('$')) return 'its response topic belongs to the broker';
  if (topics.isOurs(topic)) return "its response topic is one of the daemon's own";
  if (topic.startsWith(`${discoveryPrefix}/`)) return 'its response topic belongs to Home Assistant';
  return undefined;
}

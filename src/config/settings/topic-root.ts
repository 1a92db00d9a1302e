import { topicLevelProblem } from '../topic-level.ts';

const maxLevels = 8;
const maxBytes = 200;

/** What is wrong with a topic root, for people; undefined when nothing is. */
export function topicRootProblem(root: string): string | undefined {
  if (root === '') return 'must not be empty';
  if (root.startsWith('$')) return 'must not start with "$": those topics belong to the broker';
  if (Buffer.byteLength(root) > maxBytes) return `must not be longer than ${maxBytes} bytes`;
  const levels = root.split('/');
  if (levels.length > maxLevels) return `must not have more than ${maxLevels} levels`;
  if (levels.includes('')) return 'must not start or end with "/", nor have two in a row';
  return levels.map(topicLevelProblem).find((problem) => problem !== undefined);
}

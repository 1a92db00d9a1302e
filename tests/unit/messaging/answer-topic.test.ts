import { expect, it } from 'vitest';
import { answerTopicProblem } from '../../../src/messaging/answer-topic.ts';
import { Topics } from '../../../src/messaging/topics.ts';

const topics = new Topics('services');

it.each(['replies/7', 'services/replies/7', '/leading', 'ümlaut'])('answers on %j', (topic) => {
  expect(answerTopicProblem(topic, topics)).toBeUndefined();
});

it.each([
  '',
  'a/+/b',
  '#',
  '$SYS/x',
  'a\u0000b',
  'x'.repeat(513),
  'services/network',
  'services/web/status',
  'services/web/command/sleep',
  'services/proxy/p1/status',
  'homeassistant/switch/x/config',
])('answers nobody on %j', (topic) => {
  expect(answerTopicProblem(topic, topics)).toMatch(/^its response topic/);
});

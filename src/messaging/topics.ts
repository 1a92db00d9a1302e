import { ConfigError } from '../config/config-error.ts';
import { CodedError } from '../lib/coded-error.ts';

const maxRootLevels = 8;
const maxRootBytes = 200;

const commands = ['wake', 'sleep', 'scale'] as const;
type Command = (typeof commands)[number];

/** The topics of the contract with users, all under one root. */
export class Topics {
  readonly root: string;

  /** @throws ConfigError for a root that cannot start a topic name, naming MQTT_TOPIC_ROOT */
  constructor(root: string) {
    const problem = topicRootProblem(root);
    if (problem !== undefined) throw new ConfigError('settings', [{ field: 'MQTT_TOPIC_ROOT', message: problem }]);
    this.root = root;
  }

  /** Every event once more. */
  get network(): string {
    return `${this.root}/network`;
  }

  proxyStatus(proxyId: string): string {
    return `${this.root}/proxy/${level(proxyId)}/status`;
  }

  serviceStatus(service: string): string {
    return `${this.root}/${level(service)}/status`;
  }

  serviceEvent(service: string, type: string): string {
    return `${this.root}/${level(service)}/event/${level(type)}`;
  }

  /** What a command topic asks, and of which service; undefined for every other topic. */
  parseCommandTopic(topic: string): { readonly service: string; readonly command: Command } | undefined {
    if (!topic.startsWith(`${this.root}/`)) return undefined;
    const [service = '', marker, last, ...rest] = topic.slice(this.root.length + 1).split('/');
    const command = commands.find((each) => each === last);
    if (levelProblem(service) !== undefined || marker !== 'command' || !command || rest.length > 0) return undefined;
    return { service, command };
  }
}

/** What is wrong with a topic root, for people; undefined when nothing is. */
function topicRootProblem(root: string): string | undefined {
  if (root === '') return 'must not be empty';
  if (root.startsWith('$')) return 'must not start with "$": those topics belong to the broker';
  if (Buffer.byteLength(root) > maxRootBytes) return `must not be longer than ${maxRootBytes} bytes`;
  const levels = root.split('/');
  if (levels.length > maxRootLevels) return `must not have more than ${maxRootLevels} levels`;
  if (levels.includes('')) return 'must not start or end with "/", nor have two in a row';
  for (const each of levels) {
    const problem = levelProblem(each);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/**
 * One level of a topic, as it is.
 * @throws CodedError `topic_invalid`
 */
function level(name: string): string {
  const problem = levelProblem(name);
  if (problem !== undefined) {
    throw new CodedError('topic_invalid', `${JSON.stringify(name)} cannot be part of an MQTT topic: it ${problem}.`);
  }
  return name;
}

/** MQTT 5 section 4.7: "/" parts levels, "+" and "#" are for subscribers, NUL and lone surrogates are malformed. */
function levelProblem(name: string): string | undefined {
  if (name === '') return 'must not be empty';
  if (/[+#/]/.test(name)) return 'must not hold "+", "#" or "/"';
  // Control characters are allowed by the letter, and refused by brokers that follow its advice.
  if (/\p{Cc}/u.test(name)) return 'must not hold a control character';
  if (/\p{Cs}/u.test(name)) return 'must be well-formed Unicode';
  return undefined;
}

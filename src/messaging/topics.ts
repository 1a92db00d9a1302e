import { ConfigError } from '../config/config-error.ts';
import { topicLevelProblem } from '../config/topic-level.ts';
import { topicRootProblem } from '../config/settings/topic-root.ts';
import { CodedError } from '../lib/coded-error.ts';

/** What may be asked of a service: `set` is for switches, which have one topic for both ways. */
const commandNames = ['wake', 'sleep', 'scale', 'set'] as const;
export type CommandName = (typeof commandNames)[number];

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

  /** What to subscribe to for the commands of all services. */
  get commands(): string {
    return `${this.root}/+/command/+`;
  }

  proxyStatus(proxyId: string): string {
    return `${this.root}/proxy/${level(proxyId)}/status`;
  }

  /** What to subscribe to for the status of all daemons. */
  get proxyStatuses(): string {
    return `${this.root}/proxy/+/status`;
  }

  /** Which of the daemons of one project speaks for all of them. */
  speaker(project: string): string {
    return `${this.root}/proxy/speaker/${level(project)}`;
  }

  /** What the daemons of one project tell each other: a command was carried out. */
  commandsDone(project: string): string {
    return `${this.speaker(project)}/done`;
  }

  /** Whether the daemon takes commands: `on` or `off`. */
  proxyCommands(proxyId: string): string {
    return `${this.root}/proxy/${level(proxyId)}/commands`;
  }

  serviceStatus(service: string): string {
    return `${this.root}/${level(service)}/status`;
  }

  /** What its instances use; published only where somebody shows it, and not retained. */
  serviceUsage(service: string): string {
    return `${this.root}/${level(service)}/usage`;
  }

  serviceEvent(service: string, type: string): string {
    return `${this.root}/${level(service)}/event/${level(type)}`;
  }

  serviceCommand(service: string, command: CommandName): string {
    return `${this.root}/${level(service)}/command/${command}`;
  }

  /** What a command topic asks, and of which service; undefined for every other topic. */
  parseCommandTopic(topic: string): { readonly service: string; readonly command: CommandName } | undefined {
    if (!topic.startsWith(`${this.root}/`)) return undefined;
    const [service = '', marker, last, ...rest] = topic.slice(this.root.length + 1).split('/');
    const command = commandNames.find((each) => each === last);
    if (topicLevelProblem(service) !== undefined || marker !== 'command' || !command || rest.length > 0) {
      return undefined;
    }
    return { service, command };
  }

  /** Whose status is told there; undefined for every other topic. */
  parseProxyStatus(topic: string): string | undefined {
    const [start, end] = [`${this.root}/proxy/`, '/status'];
    if (!topic.startsWith(start) || !topic.endsWith(end)) return undefined;
    return topic.slice(start.length, -end.length);
  }

  /** Whether the daemon itself says or hears something on this topic. */
  isOurs(topic: string): boolean {
    if (topic === this.network) return true;
    if (!topic.startsWith(`${this.root}/`)) return false;
    const [first, second] = topic.slice(this.root.length + 1).split('/');
    return first === 'proxy' || ['status', 'event', 'command', 'usage'].includes(second ?? '');
  }
}

/**
 * One level of a topic, as it is.
 * @throws CodedError `topic_invalid`
 */
function level(name: string): string {
  const problem = topicLevelProblem(name);
  if (problem !== undefined) {
    throw new CodedError('topic_invalid', `${JSON.stringify(name)} cannot be part of an MQTT topic: it ${problem}.`);
  }
  return name;
}

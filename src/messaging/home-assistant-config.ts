import type { ServiceSpec } from '../config/service-spec.ts';
import { SERVICE_STATUSES } from '../seam/fleet-view.ts';
import type { Topics } from './topics.ts';

/** Under which Home Assistant looks for what there is, unless it was told otherwise. */
export const discoveryPrefix = 'homeassistant';

/** What all announcements of one daemon have in common. */
export interface Announcer {
  readonly topics: Topics;
  readonly proxyId: string;
  readonly domain: string;
  readonly dashboardUrl: string;
  readonly version: string;
}

/** Topics of announcements and what is retained there; empty = nothing, or no longer anything. */
export type Announcements = ReadonlyMap<string, string>;

const ON = "{{ 'ON' if value_json.status in ['waking', 'awake', 'degraded'] else 'OFF' }}";
/** "None" is how Home Assistant knows that nothing is known: of a service that sleeps. */
const CPU = '{{ value_json.cpu }}';
const MEMORY = '{{ (value_json.memory / 1048576) | round(1) if value_json.memory is number else None }}';
const PROBLEM = "{{ 'ON' if value_json.status in ['failed', 'degraded'] else 'OFF' }}";

/** Every announcement of one daemon, whether it still knows of it or not. */
export function discoveryFilter({ proxyId }: Pick<Announcer, 'proxyId'>): string {
  return `${discoveryPrefix}/+/${nodeOf(proxyId)}/+/config`;
}

/** The daemon itself: whether it is there. */
export function announceProxy(announcer: Announcer): Announcements {
  const { topics, proxyId, domain, dashboardUrl, version } = announcer;
  const node = nodeOf(proxyId);
  const config = {
    name: null,
    unique_id: node,
    device_class: 'connectivity',
    state_topic: topics.proxyStatus(proxyId),
    payload_on: 'online',
    payload_off: 'offline',
    origin: { name: 'Reveille', sw_version: version },
    device: {
      identifiers: [node],
      name: `Reveille ${domain}`,
      manufacturer: 'Reveille',
      sw_version: version,
      configuration_url: dashboardUrl,
    },
  };
  return new Map([[configTopic('binary_sensor', node, 'proxy'), JSON.stringify(config)]]);
}

type Announced = Pick<ServiceSpec, 'name' | 'source' | 'scale'>;

/** Where a service may be announced: the component of Home Assistant, and what tells it from the service's others. */
const PLACES = [
  ['switch', ''],
  ['number', 'replicas'],
  ['sensor', 'status'],
  ['sensor', 'ready'],
  ['sensor', 'desired'],
  ['sensor', 'cpu'],
  ['sensor', 'memory'],
  ['binary_sensor', 'problem'],
] as const;
type Suffix = (typeof PLACES)[number][1];
type Config = Readonly<Record<string, unknown>>;

/** A service as a device with a switch and what else it can be told, where we run it, and sensors. */
export function announceService(spec: Announced, announcer: Announcer): Announcements {
  const { name } = spec;
  const configs: Readonly<Partial<Record<Suffix, Config>>> = {
    ...sensorsOf(name, announcer),
    ...(spec.source.kind === 'url' ? {} : oursOf(spec, announcer)),
  };
  return placesOf(name, announcer, (suffix, unique) => {
    const own = configs[suffix];
    return own ? JSON.stringify({ unique_id: unique, ...common(name, announcer), ...own }) : '';
  });
}

/** Nothing any more at each place where the service may have been announced. */
export function withdrawService(name: string, announcer: Announcer): Announcements {
  return placesOf(name, announcer, () => '');
}

/** Service names hold no underscore: what belongs to one never looks like another. */
function placesOf(
  name: string,
  { proxyId }: Announcer,
  payload: (suffix: Suffix, unique: string) => string,
): Announcements {
  const node = nodeOf(proxyId);
  return new Map(
    PLACES.map(([component, suffix]) => {
      const object = suffix === '' ? name : `${name}_${suffix}`;
      return [configTopic(component, node, object), payload(suffix, `${node}_${object}`)];
    }),
  );
}

function sensorsOf(name: string, { topics }: Announcer): Partial<Record<Suffix, Config>> {
  const count = (label: string, field: string): Config => ({
    name: label,
    value_template: `{{ value_json.replicas.${field} }}`,
    state_class: 'measurement',
    entity_category: 'diagnostic',
  });
  const status = {
    name: 'Status',
    icon: 'mdi:sleep',
    value_template: '{{ value_json.status }}',
    device_class: 'enum',
    options: SERVICE_STATUSES,
    json_attributes_topic: topics.serviceStatus(name),
  };
  const problem = { name: 'Problem', device_class: 'problem', value_template: PROBLEM };
  return { status, problem, ready: count('Ready instances', 'ready'), desired: count('Desired instances', 'desired') };
}

/** What only those have that we run. */
function oursOf({ name, scale }: Announced, { topics, proxyId }: Announcer): Partial<Record<Suffix, Config>> {
  // They can be used only while the daemon takes commands.
  const commanded = {
    availability: [
      { topic: topics.proxyStatus(proxyId) },
      { topic: topics.proxyCommands(proxyId), payload_available: 'on', payload_not_available: 'off' },
    ],
    availability_mode: 'all',
  };
  const switched = {
    ...{ name: null, icon: 'mdi:power-sleep', value_template: ON, ...commanded },
    command_topic: topics.serviceCommand(name, 'set'),
  };
  // None at all is what the switch is for.
  const replicas = {
    ...{ name: 'Instances', icon: 'mdi:numeric', value_template: '{{ value_json.replicas.desired }}', ...commanded },
    ...{ command_topic: topics.serviceCommand(name, 'scale'), min: Math.max(1, scale.min), max: scale.max, step: 1 },
    mode: 'box',
  };
  const measured = {
    state_topic: topics.serviceUsage(name),
    state_class: 'measurement',
    entity_category: 'diagnostic',
  };
  const cpu = { ...measured, name: 'CPU', icon: 'mdi:cpu-64-bit', unit_of_measurement: '%', value_template: CPU };
  const memory = {
    ...{ ...measured, name: 'Memory', device_class: 'data_size', unit_of_measurement: 'MiB', value_template: MEMORY },
  };
  return { '': switched, cpu, memory, ...(scale.max > 1 && { replicas }) };
}

function common(name: string, announcer: Announcer): Readonly<Record<string, unknown>> {
  const { topics, proxyId, dashboardUrl, version } = announcer;
  const node = nodeOf(proxyId);
  return {
    state_topic: topics.serviceStatus(name),
    availability: [{ topic: topics.proxyStatus(proxyId) }],
    origin: { name: 'Reveille', sw_version: version },
    device: {
      identifiers: [`${node}_${name}`],
      name,
      manufacturer: 'Reveille',
      model: 'Service',
      via_device: node,
      configuration_url: dashboardUrl,
    },
  };
}

/** Home Assistant takes letters, digits, "_" and "-" here. */
function nodeOf(proxyId: string): string {
  return `reveille_${proxyId.replaceAll(/[^\w-]/g, '_')}`;
}

function configTopic(component: string, node: string, object: string): string {
  return `${discoveryPrefix}/${component}/${node}/${object}/config`;
}

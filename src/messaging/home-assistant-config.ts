import type { ServiceSpec } from '../config/service-spec.ts';
import type { ServiceStatus } from '../seam/fleet-view.ts';
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

const STATUSES = [
  'asleep',
  'waking',
  'awake',
  'degraded',
  'draining',
  'failed',
  'completed',
] as const satisfies readonly ServiceStatus[];
const ON = "{{ 'ON' if value_json.status in ['waking', 'awake', 'degraded'] else 'OFF' }}";
const PROBLEM = "{{ 'ON' if value_json.status in ['failed', 'degraded'] else 'OFF' }}";

/** Every announcement of one daemon, whether it still knows of it or not. */
export function discoveryFilter({ proxyId }: Announcer): string {
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

/** A service as a device with a switch, where we run it, and sensors. */
export function announceService(spec: Pick<ServiceSpec, 'name' | 'source'>, announcer: Announcer): Announcements {
  const { name } = spec;
  const node = nodeOf(announcer.proxyId);
  const announced = new Map<string, string>();
  for (const [component, suffix, own] of entitiesOf(name, announcer)) {
    const unique = suffix === '' ? name : `${name}_${suffix}`;
    const mine = component !== 'switch' || spec.source.kind !== 'url';
    const config = { unique_id: `${node}_${unique}`, ...common(name, announcer), ...own };
    announced.set(configTopic(component, node, unique), mine ? JSON.stringify(config) : '');
  }
  return announced;
}

/** Nothing any more at each place where the service may have been announced. */
export function withdrawService(name: string, announcer: Announcer): Announcements {
  const node = nodeOf(announcer.proxyId);
  // Service names hold no underscore: what belongs to one never looks like another.
  return new Map(
    entitiesOf(name, announcer).map(([component, suffix]) => {
      return [configTopic(component, node, suffix === '' ? name : `${name}_${suffix}`), ''] as const;
    }),
  );
}

type Entity = readonly [component: string, suffix: string, config: Readonly<Record<string, unknown>>];

function entitiesOf(name: string, { topics, proxyId }: Announcer): readonly Entity[] {
  const count = (label: string, field: string): Readonly<Record<string, unknown>> => ({
    name: label,
    value_template: `{{ value_json.replicas.${field} }}`,
    state_class: 'measurement',
    entity_category: 'diagnostic',
  });
  const switched = {
    name: null,
    icon: 'mdi:power-sleep',
    value_template: ON,
    command_topic: topics.serviceCommand(name, 'set'),
    // It can be used only while the daemon takes commands.
    availability: [
      { topic: topics.proxyStatus(proxyId) },
      { topic: topics.proxyCommands(proxyId), payload_available: 'on', payload_not_available: 'off' },
    ],
    availability_mode: 'all',
  };
  const status = {
    name: 'Status',
    icon: 'mdi:sleep',
    value_template: '{{ value_json.status }}',
    device_class: 'enum',
    options: STATUSES,
    json_attributes_topic: topics.serviceStatus(name),
  };
  const problem = { name: 'Problem', device_class: 'problem', value_template: PROBLEM };
  return [
    ['switch', '', switched],
    ['sensor', 'status', status],
    ['sensor', 'ready', count('Ready instances', 'ready')],
    ['sensor', 'desired', count('Desired instances', 'desired')],
    ['binary_sensor', 'problem', problem],
  ];
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

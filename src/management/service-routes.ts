import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { SERVICE_STATUSES } from '../seam/fleet-view.ts';
import type { Member } from '../fleet/member.ts';
import { CodedError } from '../lib/coded-error.ts';
import { type InstancesAnswer, type SamplesAnswer, type ServiceAnswer, type ServicesAnswer } from './contract.ts';
import { pageOf, pageQuery } from './listing.ts';
import type { ManagementTools } from './management-tools.ts';
import { parseInput } from './request-input.ts';
import { sampleHistory, samplesQuery } from './sample-history.ts';
import { instanceAnswers, serviceAnswer } from './views.ts';

const statusWords = z.enum(SERVICE_STATUSES, `must be one of ${SERVICE_STATUSES.join(', ')}`);
const servicesQuery = pageQuery.extend({ status: statusWords.optional() });
const instancesQuery = pageQuery.extend({ status: z.string('must be given once').optional() });

/** What there is, and how it is. */
export function serviceRoutes(app: FastifyInstance, tools: ManagementTools): void {
  const { fleet } = tools;

  app.get('/api/services', ({ query }): ServicesAnswer => {
    const wanted = parseInput(servicesQuery, query);
    const members = fleet.members().filter(({ status }) => status === (wanted.status ?? status));
    const { items, ...rest } = pageOf(members, ({ name }) => name, wanted);
    return { services: items.map((member) => serviceAnswer(member, tools)), ...rest };
  });

  app.get<{ Params: { name: string } }>('/api/services/:name', ({ params }): ServiceAnswer => {
    return serviceAnswer(memberOf(tools, params.name), tools);
  });

  app.get<{ Params: { name: string } }>('/api/services/:name/samples', ({ params, query }): Promise<SamplesAnswer> => {
    return sampleHistory(memberOf(tools, params.name).name, parseInput(samplesQuery, query), tools);
  });

  app.get('/api/instances', ({ query }): InstancesAnswer => {
    const wanted = parseInput(instancesQuery, query);
    const all = fleet.members().flatMap((member) => {
      return instanceAnswers(member, fleet).map((instance) => ({ service: member.name, ...instance }));
    });
    const matching = all.filter(({ state }) => state === (wanted.status ?? state));
    const { items, ...rest } = pageOf(matching, ({ service, id }) => `${service} ${id}`, wanted);
    return { instances: items, ...rest };
  });
}

/** @throws CodedError `unknown_service` */
function memberOf({ fleet }: ManagementTools, name: string): Member {
  const member = fleet.member(name);
  if (member) return member;
  throw new CodedError('unknown_service', `there is no service ${name.slice(0, 100)} in the manifest`);
}

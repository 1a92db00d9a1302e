import pLimit, { type LimitFunction } from 'p-limit';
import { pino } from 'pino';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ServiceSpec } from '../../../src/config/service-spec.ts';
import { EventBus } from '../../../src/fleet/event-bus.ts';
import { ExternalService } from '../../../src/fleet/external-service.ts';
import type { ProbeResult } from '../../../src/fleet/prober.ts';
import { deferred } from '../../../src/lib/deferred.ts';
import { FakeClock, settle } from '../../support/fakes/fake-clock.ts';
import { ScriptedProber, silence } from '../../support/fakes/scripted-prober.ts';
import { serviceSpec } from '../../support/samples/service-spec.ts';

function external(changes: Partial<ServiceSpec> = {}, ...urls: string[]): ServiceSpec {
  const routes = [
    { host: 'ext.test', path: '/', port: 3_000 },
    { host: 'ext.test', path: '/api', port: 4_000 },
  ];
  const source = { kind: 'url', urls: urls.length > 0 ? urls : ['http://10.0.0.1:81', 'http://10.0.0.2:82'] } as const;
  return serviceSpec({ name: 'ext', routes, source, ...changes });
}

describe('ExternalService', () => {
  let clock: FakeClock;
  let prober: ScriptedProber;
  let down: Set<number>;
  let events: string[];
  let checks: LimitFunction;
  const publish = vi.fn(() => 1);
  beforeEach(() => {
    publish.mockClear();
    clock = new FakeClock();
    prober = new ScriptedProber();
    down = new Set();
    events = [];
    checks = pLimit(100);
    prober.script = ({ endpoint }) => (down.has(endpoint.port) ? { ok: false, reason: 'refused' } : { ok: true });
  });

  function make(spec = external()): ExternalService {
    const bus = new EventBus(clock, pino({ level: 'silent' }));
    bus.subscribe(({ type, instanceId }) => events.push(`${type} ${instanceId}`));
    return new ExternalService(spec, { prober, bus, clock, publish, mayTell: () => true, checks });
  }

  function offered(service: ExternalService): string[] {
    return service.view().upstreams.map(({ id }) => id);
  }

  it('is awake from the beginning and offers every upstream for every port that a route names', async () => {
    const service = make();
    expect(service.status).toBe('awake');
    expect(service.desired).toBe(2);
    const endpoint = { host: '10.0.0.1', port: 81 };
    expect(service.view().upstreams[0]).toEqual({ id: 'ext-url-1', endpoints: { 3000: endpoint, 4000: endpoint } });
    expect(await service.wake()).toEqual({ totalMs: 0 });
    expect(service.instanceViews.map(({ upstream }) => upstream)).toEqual(['10.0.0.1:81', '10.0.0.2:82']);
  });

  it.each([
    ['http://backend.example', { host: 'backend.example', port: 80 }],
    ['http://[fd00::7]:8080', { host: 'fd00::7', port: 8_080 }],
  ])('sends what is for %s there', (url, endpoint) => {
    expect(make(external({}, url)).view().upstreams[0]?.endpoints[3_000]).toEqual(endpoint);
  });

  it('checks at once and every five seconds, and no longer once it is closed', async () => {
    const service = make();
    service.start();
    await settle();
    expect(prober.calls).toHaveLength(2);
    await clock.advanceAsync(4_999);
    expect(prober.calls).toHaveLength(2);
    await clock.advanceAsync(1);
    expect(prober.calls).toHaveLength(4);
    service.close();
    await clock.advanceAsync(60_000);
    expect(prober.calls).toHaveLength(4);
    expect(clock.pendingCount).toBe(0);
  });

  it('begins no more checks than may be out at once, but looks into a suspicion without waiting for them', async () => {
    checks = pLimit(1);
    const hangs = deferred<ProbeResult>();
    prober.script = () => hangs.promise;
    const service = make();
    service.start();
    await settle();
    expect(prober.calls).toHaveLength(1);
    const verified = service.verify();
    await settle();
    expect(prober.calls).toHaveLength(3);
    hangs.resolve({ ok: true });
    await verified;
    await settle();
    expect(prober.calls).toHaveLength(4);
    service.close();
  });

  it('checks as often and in the way that the manifest says', async () => {
    const service = make(external({ readiness: { strategy: { kind: 'http', path: '/health' }, intervalMs: 1_000 } }));
    service.start();
    await clock.advanceAsync(1_000);
    expect(prober.calls.map(({ kind, path }) => `${kind} ${path}`)).toEqual(Array(4).fill('http /health'));
    const tcp = make(external({ readiness: { strategy: { kind: 'tcp' } } }));
    await tcp.verify();
    expect(prober.calls.at(-1)?.kind).toBe('tcp');
    const h2c = make(external({ protocol: 'h2c' }));
    await h2c.verify();
    expect(prober.calls.at(-1)).toMatchObject({ path: '/', options: { protocol: 'h2c' } });
  });

  it('no longer offers one that fails, says so once, and offers it again when it is well', async () => {
    const service = make();
    down.add(81);
    await service.verify();
    await service.verify();
    expect(offered(service)).toEqual(['ext-url-2']);
    expect(service.status).toBe('degraded');
    expect(service.failure).toMatchObject({ code: 'probe_failed', atEpochMs: clock.epochMs() });
    expect(service.failure?.detail).toBe('ext at 10.0.0.1:81 does not answer: refused');
    expect(service.instanceViews.map(({ state }) => state)).toEqual(['unhealthy', 'ready']);
    expect(publish).toHaveBeenCalledTimes(1);
    down.clear();
    await service.verify();
    expect(offered(service)).toEqual(['ext-url-1', 'ext-url-2']);
    expect(service.failure).toBeUndefined();
    expect(events).toEqual(['instance.unhealthy ext-url-1', 'instance.ready ext-url-1']);
  });

  it('offers all when none seems well: the check may be what is wrong', async () => {
    const service = make();
    down.add(81).add(82);
    await service.verify();
    expect(service.status).toBe('degraded');
    expect(offered(service)).toEqual(['ext-url-1', 'ext-url-2']);
  });

  it('gives up a check that hangs after three seconds', async () => {
    const service = make();
    prober.script = ({ endpoint }, signal) => (endpoint.port === 81 ? silence(signal) : undefined);
    const verified = service.verify();
    await clock.advanceAsync(3_000);
    await verified;
    expect(offered(service)).toEqual(['ext-url-2']);
    expect(clock.pendingCount).toBe(0);
  });

  it('says nothing of a check that ends after it was closed', async () => {
    const service = make();
    const answer = deferred<ProbeResult>();
    prober.script = () => answer.promise;
    const verified = service.verify();
    await service.dispose();
    answer.resolve({ ok: false, reason: 'too late' });
    await verified;
    expect(events).toEqual([]);
    expect(publish).not.toHaveBeenCalled();
  });

  describe('an edit', () => {
    it('is offered at once', async () => {
      const service = make();
      await service.update(external({}, 'http://10.0.0.3:83'));
      expect(publish).toHaveBeenCalledWith(service);
      expect(service.view().upstreams[0]?.endpoints[3_000]).toEqual({ host: '10.0.0.3', port: 83 });
      expect(service.desired).toBe(1);
    });

    it('does not make one that fails look well', async () => {
      const service = make();
      down.add(81);
      await service.verify();
      await service.update(external({}, 'http://10.0.0.3:83', 'http://10.0.0.1:81'));
      expect(offered(service)).toEqual(['ext-url-1']);
      expect(service.instanceViews.map(({ state }) => state)).toEqual(['ready', 'unhealthy']);
    });

    it('is not judged by a check of what was there before', async () => {
      const service = make(external({}, 'http://10.0.0.1:81'));
      const answer = deferred<ProbeResult>();
      prober.script = () => answer.promise;
      const verified = service.verify();
      await service.update(external({}, 'http://10.0.0.3:83'));
      answer.resolve({ ok: false, reason: 'refused' });
      await verified;
      expect(service.status).toBe('awake');
      expect(events).toEqual([]);
    });
  });
});

import type { z } from 'zod';
import { percent, whole } from './field-values.ts';
import type { MonitorSpec, ScaleSpec, ThresholdSpec } from '../service-spec.ts';
import { strictFields } from './strict-fields.ts';
import { durationMs, someDurationMs } from '../units.ts';

/** `scale`. Without `max` there are as many as `min`, and at least one. */
export const scaleType: z.ZodType<ScaleSpec> = strictFields({
  min: whole(0, 1000).default(0),
  max: whole(1, 1000).optional(),
  cpu: percent.optional(),
  inFlight: whole(1).optional(),
  cooldown: durationMs.prefault('60s'),
}).transform(({ min, max = Math.max(1, min), cpu, inFlight, cooldown }, context) => {
  if (min > max) context.addIssue({ code: 'custom', path: ['min'], message: `must be at most max, which is ${max}` });
  return {
    min,
    max,
    ...(cpu !== undefined && { cpu }),
    ...(inFlight !== undefined && { inFlight }),
    cooldownMs: cooldown,
  };
});

function thresholds(warn: number, panic: number): z.ZodType<ThresholdSpec> {
  return strictFields({ warn: percent.default(warn), panic: percent.default(panic) }).transform((given, context) => {
    if (given.warn >= given.panic) {
      context.addIssue({ code: 'custom', path: ['warn'], message: `must be below panic, which is ${given.panic}` });
    }
    return given;
  });
}

/** `monitor`. */
export const monitorType: z.ZodType<MonitorSpec> = strictFields({
  every: someDurationMs.prefault('1s'),
  for: durationMs.prefault('3s'),
  cpu: thresholds(60, 80).prefault({}),
  memory: thresholds(80, 95).prefault({}),
}).transform((given) => ({ everyMs: given.every, forMs: given.for, cpu: given.cpu, memory: given.memory }));

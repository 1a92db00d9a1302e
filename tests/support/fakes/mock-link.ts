import { vi } from 'vitest';
import type { ControlLink } from '../../../src/seam/control-link.ts';

/** What dispatch says to the control half, written down; what that answers is for each test to say. */
export function mockLink() {
  return {
    wake: vi.fn<ControlLink['wake']>(),
    suspect: vi.fn<ControlLink['suspect']>(),
    reportActivity: vi.fn<ControlLink['reportActivity']>(),
    reportBreaker: vi.fn<ControlLink['reportBreaker']>(),
    reportVerdict: vi.fn<ControlLink['reportVerdict']>(),
    reportWaiting: vi.fn<ControlLink['reportWaiting']>(),
  };
}

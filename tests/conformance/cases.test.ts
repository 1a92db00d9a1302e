import { beforeAll, describe, expect, it } from 'vitest';
import { allCases } from './cases/all-cases.ts';
import { ReveilleFront } from './fronts/reveille-front.ts';
import { makeCertificate, type Certificate } from './rig/certificate.ts';
import { runCase } from './rig/run-case.ts';

const front = new ReveilleFront();
let certificate: Certificate;

beforeAll(async () => {
  certificate = await makeCertificate();
});

for (const { title, cases } of allCases) {
  describe(title, () => {
    for (const one of cases) {
      it.concurrent(`${one.title} (${one.reference})`, async () => {
        const found = await runCase(front, one, certificate);
        expect(found?.pass, found?.seen).toBe(true);
      });
    }
  });
}

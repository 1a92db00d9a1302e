/** `npm run conformance`: every case on Reveille and on the peers that are installed, into docs/CONFORMANCE.md. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { allCases } from './cases/all-cases.ts';
import { HaproxyFront } from './fronts/haproxy-front.ts';
import { HttpProxyFront } from './fronts/http-proxy-front.ts';
import { NginxFront } from './fronts/nginx-front.ts';
import { ReveilleFront } from './fronts/reveille-front.ts';
import { makeCertificate, type Certificate } from './rig/certificate.ts';
import type { Verdict } from './rig/conformance-case.ts';
import type { Front } from './rig/front.ts';
import { findH2spec, runH2spec } from './rig/h2spec.ts';
import { markdown, type FrontResult } from './rig/report.ts';
import { runCase } from './rig/run-case.ts';

const REPORT = fileURLToPath(new URL('../../docs/CONFORMANCE.md', import.meta.url));
const FRONTS: readonly Front[] = [new ReveilleFront(), new HttpProxyFront(), new NginxFront(), new HaproxyFront()];
/** Most cases wait more than they work. */
const AT_ONCE = 4;
const NO_H2SPEC = 'it is not installed (go install github.com/summerwind/h2spec/cmd/h2spec@latest).';

async function runAll(front: Front, certificate: Certificate): Promise<Map<string, Verdict>> {
  const verdicts = new Map<string, Verdict>();
  const waiting = allCases.flatMap(({ cases }) => cases);
  const work = async (): Promise<void> => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      const found = await runCase(front, one, certificate);
      if (found === undefined) continue;
      verdicts.set(one.id, found);
      if (!found.pass) console.log(`  ${front.name} ✗ ${one.id}: ${found.seen}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return verdicts;
}

async function main(): Promise<void> {
  const certificate = await makeCertificate();
  const h2spec = await findH2spec();
  const fronts: FrontResult[] = [];
  const absent: string[] = [];
  const only = process.argv.slice(2);
  for (const front of FRONTS) {
    const version = await front.version();
    if (version === undefined) absent.push(front.name);
    if (version === undefined || (only.length > 0 && !only.includes(front.name))) continue;
    console.log(`${front.name} ${version}`);
    const verdicts = await runAll(front, certificate);
    const asked = h2spec !== undefined && front.http2;
    const result = asked ? await runH2spec(h2spec, front, certificate) : undefined;
    fronts.push({ name: front.name, version, verdicts, h2spec: result });
    const passed = [...verdicts.values()].filter(({ pass }) => pass).length;
    console.log(
      `${front.name}: ${passed} of ${verdicts.size}${result === undefined ? '' : `, h2spec ${result.passed}`}`,
    );
    for (const failed of result?.failed ?? []) console.log(`  ${front.name} h2spec ✗ ${failed}`);
  }
  if (only.length > 0) return;
  const h2specReason = h2spec === undefined ? NO_H2SPEC : undefined;
  const text = markdown({ groups: allCases, fronts, absent, h2specReason, date: new Date() });
  await writeFile(REPORT, await format(text, { ...(await resolveConfig(REPORT)), parser: 'markdown' }));
  console.log(`Written: ${REPORT}`);
}

await main();

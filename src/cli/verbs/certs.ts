import { resolve } from 'node:path';
import { Command } from 'commander';
import pc from 'picocolors';
import { SystemClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/logger.ts';
import { listCertificateFolders } from '../../tls/certificate-folders.ts';
import { DevelopmentCa } from '../../tls/development-ca.ts';
import { mkcertRoot } from '../../tls/mkcert.ts';
import { trustInstructions } from '../../tls/trust-instructions.ts';
import { describeCertificate, type CertificateFacts } from '../certificate-facts.ts';
import { print, printJson, settingsOf, type CliContext, type GlobalOptions } from '../cli-context.ts';
import { EXIT } from '../exit-codes.ts';

export function certsCommand(context: CliContext): Command {
  return new Command('certs')
    .description('which certificates there are, who made them, and how to trust them')
    .action(async (_options: unknown, command: Command) => {
      const { json } = command.optsWithGlobals<GlobalOptions>();
      const settings = await settingsOf(context);
      const certsDir = resolve(context.folder, settings.certsDir);
      const clock = new SystemClock();
      const log = createLogger({ level: 'silent', format: 'json' });
      const ca = new DevelopmentCa({
        stateDir: resolve(context.folder, settings.stateDir),
        mkcertRoot: mkcertRoot(),
        clock,
        log,
      });
      const authority = await ca.find();
      const folders = (await listCertificateFolders(certsDir)).filter(({ stamp }) => stamp !== undefined);
      const facts = await Promise.all(folders.map((folder) => describeCertificate(folder, authority)));
      if (facts.some(({ problem }) => problem !== undefined)) context.exitCode = EXIT.failed;
      const known = authority && { kind: authority.kind, path: authority.certPath };
      if (json) {
        printJson(context, { certsDir, certificates: facts, authority: known ?? null });
        return;
      }
      print(context, facts.length > 0 ? facts.map(textOf).join('\n') : nothingText(certsDir, settings.env));
      if (authority && facts.some(({ madeBy }) => madeBy !== 'operator')) {
        print(context, `\n${trustInstructions(authority.certPath, process.platform).trimEnd()}`);
      }
    });
}

function textOf({ name, path, madeBy, issuer, names, validTo, daysLeft, problem }: CertificateFacts): string {
  const title = pc.bold(name === '' ? 'the default certificate' : name);
  if (problem !== undefined) return `${title}  ${pc.red('not usable')}\n  ${problem}`;
  const validity = `until ${validTo.slice(0, 10)} (${daysLeft} days)`;
  const maker = {
    reveille: 'Reveille, for development',
    mkcert: 'Reveille, with the authority of mkcert',
    operator: issuer,
  };
  const rows = [
    ['folder', path],
    ['made by', maker[madeBy]],
    ['valid', daysLeft < 14 ? pc.red(validity) : validity],
    ['names', names.join(', ')],
  ];
  return [title, ...rows.map(([label = '', text = '']) => `  ${pc.dim(label.padEnd(9))}${text}`)].join('\n');
}

function nothingText(certsDir: string, env: string): string {
  if (env === 'development') return `${certsDir} holds no certificate yet: the daemon makes one when it starts.`;
  return `${certsDir} holds no certificate: put fullchain.pem and key.pem there; CERTS_DIR names another folder.`;
}

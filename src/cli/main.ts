#!/usr/bin/env node
import { EXIT } from './exit-codes.ts';
import { runCli } from './run-cli.ts';

const { env: environment, stdout, stderr } = process;

// Whoever reads (`| head`) may have had enough.
stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? EXIT.ok : EXIT.failed));

const context = { environment, folder: process.cwd(), stdout, stderr, exitCode: EXIT.ok };
process.exitCode = await runCli(process.argv.slice(2), context);

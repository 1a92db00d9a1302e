#!/usr/bin/env node
import { createProgram } from './program.ts';
import { reportError } from './report-error.ts';

const context = { environment: process.env, stdout: process.stdout, stderr: process.stderr };

// Whoever reads (`| head`) may have had enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

try {
  await createProgram(context).parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportError(context, error, process.argv.includes('--json'));
}

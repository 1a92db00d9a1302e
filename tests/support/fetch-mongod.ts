import { findMongod } from './mongod-binary.ts';

/** Run before the tests, so that none of them waits for the download. */
await findMongod().then(
  (binary) => console.log(`mongod: ${binary}`),
  (error: unknown) => console.log(error instanceof Error ? error.message : error),
);
